"""The check of a table against its specification: all faults at once, or typed columns."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from titanic_ml.dataset.normalise import number_of, rounded, text, text_of
from titanic_ml.dataset.plain import joined, plain_numbers, plain_texts
from titanic_ml.dataset.spec import DIGITS, Column, DatasetSpec
from titanic_ml.errors import Fault, InvalidTable

# Imported in functions: pandera, which a table without anything to check does without.

SHOWN_LENGTH = 60  # characters of a value in a message
NO_ROWS = Fault(0, "", "no rows", "at least one")


def validate(
    frame: pd.DataFrame, spec: DatasetSpec, source: str, with_target: bool
) -> pd.DataFrame:
    """Check a table and give its columns their types, in the specification's order.

    Parameters
    ----------
    frame
        The table as it was read; it is not changed.
    spec
        What its columns may hold.
    source
        What to call it in a message.
    with_target
        Whether the target must be there, with both classes. If not, it is dropped where it is.

    Raises
    ------
    InvalidTable
        With all faults found.
    """
    parsed, faults = check(frame, spec, with_target)
    faults = faults or _faults_of_all(parsed, spec, with_target)
    if faults:
        raise InvalidTable(source, faults)
    return parsed


def faults_of(
    frame: pd.DataFrame, broken: Mapping[int, str], spec: DatasetSpec, with_target: bool
) -> list[Fault]:
    """All faults of a table, in the order of its rows.

    Parameters
    ----------
    frame, spec, with_target
        As of `validate`.
    broken
        By position, what is wrong with a row that could not be read as one: what was found, and
        what was expected.
    """
    whole = np.ones(len(frame), dtype="bool")
    whole[list(broken)] = False
    numbers = whole.nonzero()[0] + 1
    parsed, faults = check(frame[whole], spec, with_target)
    faults = [replace(f, row=int(numbers[f.row - 1])) if f.row else f for f in faults]
    for place, why in broken.items():
        found, _, expected = why.removeprefix("found ").partition(", expected ")
        faults.append(Fault(place + 1, "", found, expected))
    return sorted(faults) or _faults_of_all(parsed, spec, with_target)


def has_column(frame: pd.DataFrame, name: str) -> bool:
    """Whether a table has a column of this name, however it is spaced."""
    return name in [text(str(column)) for column in frame.columns]


def _faults_of_all(parsed: pd.DataFrame, spec: DatasetSpec, with_target: bool) -> list[Fault]:
    """What is wrong with rows of which each is right."""
    if parsed.empty:
        return [NO_ROWS]
    if with_target and parsed[spec.target].nunique() == 1:
        found = f"only the class {_shown(parsed[spec.target].iloc[0])}"
        return [Fault(0, spec.target, found, "both classes")]
    return []


def check(
    frame: pd.DataFrame, spec: DatasetSpec, with_target: bool
) -> tuple[pd.DataFrame, list[Fault]]:
    """The columns of a table or of a part of it in their types, and all faults of its values.

    What is no value of its column is missing in it. Parameters are those of `validate`.
    """
    names = [name for name in spec.columns if with_target or name != spec.target]
    found = [text(str(name)) or str(name) for name in frame.columns]
    frame = frame.set_axis(found, axis=1).reset_index(drop=True)
    faults = _column_faults(found, names, spec)
    columns = {}
    for name in names:
        if found.count(name) == 1:
            values, column = frame[name], spec.columns[name]
            columns[name], bad = (_numbers if column.numeric else _texts)(values, column)
            if column.kind == "number" and _is_half(values):
                faults.append(Fault(0, name, "float16, of three digits", "float32 or better"))
            if bad.any():
                expected = column.expected
                for row, value in values[bad].items():
                    faults.append(Fault(row + 1, name, _shown(value), expected))
    parsed = pd.DataFrame(columns, pd.RangeIndex(len(frame)), copy=False)
    faults += _value_faults(parsed, spec, known={(fault.row, fault.column) for fault in faults})
    return parsed, faults


def doubled(row: int, name: str, value: Any) -> Fault:
    """The fault of a value that an earlier row has too."""
    return Fault(row, name, f"{_shown(value)} again", "each value once")


def _column_faults(found: list[str], names: list[str], spec: DatasetSpec) -> list[Fault]:
    if not set(found) & set(spec.columns):
        first = ",".join(found)
        first = first if len(first) <= SHOWN_LENGTH else first[:SHOWN_LENGTH] + "…"
        return [Fault(0, "", f"no header (the first line is {first!r})", ",".join(names))]
    doubled = dict.fromkeys(name for name in found if found.count(name) > 1)
    unknown = [name for name in dict.fromkeys(found) if name not in spec.columns]
    missing = [name for name in names if name not in found]
    return (
        [Fault(0, name, f"{found.count(name)} columns of this name", "one") for name in doubled]
        + [Fault(0, name, "no column of this name", "one") for name in missing]
        + [Fault(0, name, _unknown(name), f"only {', '.join(names)}") for name in unknown]
    )


def _unknown(name: str) -> str:
    index = name.startswith("Unnamed:") or name in ("index", "level_0")
    return "an unknown column" + index * " (a frame's index? write with index=False)"


def _value_faults(
    parsed: pd.DataFrame, spec: DatasetSpec, known: set[tuple[int, str]]
) -> list[Fault]:
    """Check values, missing ones and doubled ones with pandera; leave out the places in `known`.

    Most tables are clean, and telling that takes a fraction of importing pandera: it is asked only
    where there is a fault to be found. A test holds the two verdicts together.
    """
    if all(_conforms(parsed[name], spec.columns[name]) for name in parsed):
        return []
    import pandera.pandas as pandera

    columns = {name: _checks(spec.columns[name]) for name in parsed}
    try:
        pandera.DataFrameSchema(columns).validate(parsed, lazy=True)
    except pandera.errors.SchemaErrors as error:
        cases = error.failure_cases[["index", "column", "check", "failure_case"]]
        faults = {}
        for row, name, broken, value in cases.itertuples(index=False):
            fault = Fault(int(row) + 1, name, _shown(value), spec.columns[name].expected)
            if broken == "field_uniqueness":
                fault = doubled(int(row) + 1, name, value)
            faults[int(row) + 1, name] = fault
        return [fault for place, fault in faults.items() if place not in known]
    return []


def _conforms(values: pd.Series, column: Column) -> bool:
    missing = values.isna().to_numpy()
    return bool(
        (column.nullable or not missing.any())
        and (not column.allowed or (values.isin(column.allowed) | missing).all())
        and (column.minimum is None or not (values.to_numpy() < column.minimum).any())
        and (column.maximum is None or not (values.to_numpy() > column.maximum).any())
        and (not column.unique or values.is_unique)
    )


def _checks(column: Column) -> Any:
    import pandera.pandas as pandera

    limits: dict[Any, Any] = {
        pandera.Check.isin: column.allowed or None,
        pandera.Check.ge: column.minimum,
        pandera.Check.le: column.maximum,
    }
    return pandera.Column(
        checks=[make(limit) for make, limit in limits.items() if limit is not None],
        nullable=column.nullable,
        unique=column.unique,
        report_duplicates="exclude_first",
    )


def _texts(values: pd.Series, column: Column) -> tuple[pd.Series, np.ndarray]:
    """The texts in their one spelling, and which are bad."""
    left = np.ones(len(values), dtype="bool")
    texts = values
    if isinstance(values.dtype, pd.StringDtype):
        texts, left = plain_texts(values, column)
    if not left.any():
        return texts, left
    asked, bad = _each(values[left], lambda value: text_in(value, column))
    asked = asked.astype("str")
    return asked if left.all() else joined(texts, asked, left), _spread(bad, left)


def _numbers(values: pd.Series, column: Column) -> tuple[pd.Series, np.ndarray]:
    """The numbers, rounded to what means something, and which are bad."""
    bad = np.zeros(len(values), dtype="bool")
    if column.kind == "integer" and _whole(values):
        return values.astype("int64"), bad
    if pd.api.types.is_float_dtype(values) or pd.api.types.is_integer_dtype(values):
        numbers = values.astype("float64")
    else:
        left = np.ones(len(values), dtype="bool")
        numbers = values
        if isinstance(values.dtype, pd.StringDtype):
            numbers, left = plain_numbers(values)
        if left.any():
            asked, bad = _each(values[left], lambda value: number_in(value, column))
            asked = asked.astype("float64")
            numbers = asked if left.all() else numbers.mask(left, asked)
            bad = _spread(bad, left)
    found = rounded(numbers.to_numpy(), column.decimals)
    bad |= np.isinf(found)
    if column.kind == "integer":
        missing = np.isnan(found)
        bad |= ~missing & ~_exact(found)
        if not (bad | missing).any():
            found = found.astype("int64")
    if bad.any():
        found[bad] = np.nan
    return pd.Series(found, values.index, copy=False), bad


def _spread(refused: pd.Series, left: np.ndarray) -> np.ndarray:
    """Which of all rows were refused, of the answers for those that were left."""
    bad = np.zeros(len(left), dtype="bool")
    bad[left] = refused
    return bad


def _is_half(values: pd.Series) -> bool:
    return getattr(values.dtype, "numpy_dtype", values.dtype) == np.dtype("float16")


def number_in(value: Any, column: Column) -> float | None:
    """The number of a value, None if it says that one is missing. Raises as `number_of`."""
    if isinstance(value, (bool, np.bool_)) and set(column.allowed) == {0, 1}:
        return float(value)
    return number_of(value)


def text_in(value: Any, column: Column) -> str | None:
    """The text of a value in its one spelling, None if it says that one is missing.

    Raises
    ------
    TypeError, ValueError
        It is none, or not of the column's pattern.
    """
    found = text_of(value, column.case)
    if found is None:
        return None
    if column.allowed:
        return column.spelled.get(found.lower(), found)
    if column.pattern and not column.form.fullmatch(found):
        raise ValueError
    return found


def _each(values: pd.Series, convert: Callable[[Any], Any]) -> tuple[pd.Series, pd.Series]:
    """Convert each distinct value, and say of which rows it refused the value."""
    if isinstance(values.dtype, pd.StringDtype):
        codes, distinct = pd.factorize(values)
    else:  # of any type, where 1 and true would count as one value
        codes, distinct = np.arange(len(values)), values.astype("object").to_numpy()
    found = np.full(len(distinct) + 1, None, dtype="object")  # the last is for what is missing
    refused = np.zeros(len(distinct) + 1, dtype="bool")
    for place, value in enumerate(distinct):
        if not (pd.api.types.is_scalar(value) and pd.isna(value)):
            try:
                found[place] = convert(value)
            except (TypeError, ValueError, OverflowError):
                refused[place] = True
    return pd.Series(found[codes], values.index), pd.Series(refused[codes], values.index)


def _whole(values: pd.Series) -> bool:
    """Whether these are whole numbers already, as of a Parquet file, and none is too large."""
    most = 10**DIGITS - 1
    whole = isinstance(values.dtype, np.dtype) and values.dtype.kind in "iu"
    return whole and bool(values.between(-most, most).all())


def _exact(numbers: np.ndarray) -> np.ndarray:
    """Which are whole numbers that no conversion rounds or wraps."""
    return (np.trunc(numbers) == numbers) & (np.abs(numbers) < 10.0**DIGITS)


def _shown(value: Any) -> str:
    """A value as a message shows it.

    >>> _shown(3.0), _shown("abc"), _shown(None)
    ('3', "'abc'", 'nothing')
    """
    if pd.api.types.is_scalar(value) and pd.isna(value):
        return "nothing"
    number = isinstance(value, (int, float, np.number)) and not isinstance(value, (bool, complex))
    try:
        text = f"{value:.15g}" if number else repr(value)
    except OverflowError:  # a whole number of hundreds of digits
        text = str(value)
    if isinstance(value, str) and re.fullmatch(r"\s*[+-]?\d+,\d+\s*", value):
        text += " (with a decimal comma)"
    return text if len(text) <= SHOWN_LENGTH else text[:SHOWN_LENGTH] + "…"
