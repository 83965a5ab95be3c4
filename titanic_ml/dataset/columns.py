"""Validation of a table, column by column: typed columns, or all faults at once."""

from __future__ import annotations

import numpy as np
import pandas as pd

from titanic_ml.dataset.faults import NO_ROWS, column_faults, repeated_value, shown, wrong_value
from titanic_ml.dataset.parsing import parsed_column
from titanic_ml.dataset.spec import ROW, Column, DatasetSpec
from titanic_ml.errors import Fault, InvalidTable

OPTIONAL = "optional"  # key of `DataFrame.attrs`: columns that are ignored if they are unknown


def validate(
    frame: pd.DataFrame, spec: DatasetSpec, source: str, with_target: bool
) -> pd.DataFrame:
    """Check a table and return its columns in their types, in the specification's order.

    Parameters
    ----------
    frame
        The table as it was read, (n, columns); it is not changed.
    spec
        Specification of its columns.
    source
        Name of the table in messages.
    with_target
        Whether the target must be present, with both classes; if not, it is dropped.

    Returns
    -------
    DataFrame
        The columns of the specification, (n, columns).

    Raises
    ------
    InvalidTable
        The table has faults; it lists all of them.
    """
    parsed, faults = check(frame, spec, with_target)
    faults = faults or table_faults(parsed, spec, with_target)
    if faults:
        raise InvalidTable(source, faults)
    return parsed


def check(
    frame: pd.DataFrame, spec: DatasetSpec, with_target: bool, numbers: np.ndarray | None = None
) -> tuple[pd.DataFrame, list[Fault]]:
    """Return the columns of a table, or of a part of one, in their types, and all faults.

    A value with a fault of type or pattern is missing in the result.

    Parameters
    ----------
    frame, spec, with_target : as in `validate`
    numbers : number of each row in messages, (n,); by default they count from 1
    """
    names = [name for name in spec.columns if with_target or name != spec.target]
    optional = frame.attrs.get(OPTIONAL, ())
    names_of = zip(frame.columns, spec.match_names(frame.columns), strict=True)
    left_out = {*optional, *spec.ignored}
    kept = [new in spec.columns or not {old, new} & left_out for old, new in names_of]
    frame = frame if all(kept) else frame.loc[:, kept]
    found = spec.match_names(frame.columns)
    frame = frame.set_axis(found, axis=1).reset_index(drop=True)
    rows = np.arange(len(frame)) + 1 if numbers is None else numbers
    if spec.id == ROW and ROW not in found:
        found, frame = [*found, ROW], frame.copy(deep=False)
        frame[ROW] = rows
    faults = column_faults(found, names, spec)
    columns = {}
    for name in names:
        if found.count(name) == 1:
            values, column = frame[name], spec.columns[name]
            if column.kind == "number" and _is_half(values):
                faults.append(Fault(0, name, "float16, of three digits", "float32 or better"))
            parsed, bad = parsed_column(values, column)
            columns[name] = parsed
            outside = _outside(parsed, column) & ~bad
            repeated = parsed.duplicated().to_numpy() & parsed.notna().to_numpy() & ~outside
            for row in bad.nonzero()[0]:
                faults.append(wrong_value(int(rows[row]), name, values[row], spec))
            for row in outside.nonzero()[0]:
                faults.append(wrong_value(int(rows[row]), name, parsed[row], spec))
            for row in repeated.nonzero()[0] if column.unique else ():
                faults.append(repeated_value(int(rows[row]), name, parsed[row]))
    return pd.DataFrame(columns, pd.RangeIndex(len(frame)), copy=False), faults


def table_faults(parsed: pd.DataFrame, spec: DatasetSpec, with_target: bool) -> list[Fault]:
    """Return the faults of a table that no single row has."""
    if parsed.empty:
        return [NO_ROWS]
    if with_target and parsed[spec.target].nunique() == 1:
        found = f"only the class {shown(parsed[spec.target].iloc[0])}"
        return [Fault(0, spec.target, found, "both classes")]
    if with_target and not (parsed[spec.target] == spec.positive).any():
        return [Fault(0, spec.target, f"no row with {shown(spec.positive)}", "both classes")]
    return []


def has_column(frame: pd.DataFrame, name: str, spec: DatasetSpec) -> bool:
    """Return whether a table has a column, in any spelling of its name."""
    return name in spec.match_names(frame.columns)


def _outside(values: pd.Series, column: Column) -> np.ndarray:
    """Return which typed values the column doesn't allow, (n,) bool."""
    missing = values.isna().to_numpy()
    outside = missing & (not column.nullable)
    if column.allowed:
        outside |= ~(values.isin(column.allowed).to_numpy() | missing)
    if column.minimum is not None:
        outside |= values.to_numpy() < column.minimum
    if column.maximum is not None:
        outside |= values.to_numpy() > column.maximum
    return outside


def _is_half(values: pd.Series) -> bool:
    return getattr(values.dtype, "numpy_dtype", values.dtype) == np.dtype("float16")
