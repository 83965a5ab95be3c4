"""Faults of tables and records, in the same words for both."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from titanic_ml.dataset.spec import DatasetSpec
from titanic_ml.errors import Fault

SHOWN_LENGTH = 60  # characters of a value in a message
MOST_DIGITS = 1_000  # of a whole number that is shown; Python refuses to format 4,300
NO_ROWS = Fault(0, "", "no rows", "at least one")


def wrong_value(row: int, name: str, value: Any, spec: DatasetSpec) -> Fault:
    """Return the fault of a value that its column can't hold."""
    column = spec.columns[name]
    if isinstance(value, str) and len(value) > column.longest:
        return Fault(row, name, f"{len(value):,} characters", f"at most {column.longest:,}")
    return Fault(row, name, shown(value), column.expected)


def repeated_value(row: int, name: str, value: Any) -> Fault:
    """Return the fault of a value that an earlier row has, in a column of unique values."""
    return Fault(row, name, f"{shown(value)} again", "each value once")


def column_faults(found: Iterable[str], names: Iterable[str], spec: DatasetSpec) -> list[Fault]:
    """Return the faults of a table's column names.

    Parameters
    ----------
    found
        Normalised column names of the table, in order.
    names
        Columns that must be present.
    spec
        Specification of the columns.
    """
    found, names = list(found), list(names)
    counts = Counter(found)
    if not set(counts) & set(spec.columns):
        first = ",".join(found)
        first = first if len(first) <= SHOWN_LENGTH else first[:SHOWN_LENGTH] + "…"
        if any(re.fullmatch(r"-?\d+(\.\d+)?|<.*", name) for name in found):  # values, a web page
            what = f"no header (the first line is {first!r})"
        else:
            what = f"none of the columns, but {first!r}" if found else "no columns"
        return [Fault(0, "", what, ",".join(names))]
    only = f"only {', '.join(names)}"
    return (
        [Fault(0, n, f"{k} columns of this name", "one") for n, k in counts.items() if k > 1]
        + [Fault(0, n, "no column of this name", "one") for n in names if n not in counts]
        + [_unknown(n, only, spec) for n in counts if n not in spec.columns]
    )


def _unknown(name: str, only: str, spec: DatasetSpec) -> Fault:
    alike = [column for column in spec.columns if column.casefold() == name.casefold()]
    if alike:
        return Fault(0, name, "several columns that differ in case only", " or ".join(alike))
    index = name.startswith("Unnamed:") or name in ("index", "level_0")
    found = "an unknown column" + index * " (a frame's index? write with index=False)"
    return Fault(0, name, found, only)


def shown(value: Any) -> str:
    """Return a value as a message shows it.

    >>> shown(3.0), shown("abc"), shown(None)
    ('3', "'abc'", 'nothing')
    """
    if pd.api.types.is_scalar(value) and pd.isna(value):
        return "nothing"
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, int) and abs(value) >= 10**MOST_DIGITS:
        text = f"a whole number of {int(math.log10(abs(value))) + 1:,} digits"
    else:
        text = f"{value:.15g}" if isinstance(value, float) else repr(value)
    if isinstance(value, str) and re.fullmatch(r"\s*[+-]?\d+,\d+\s*", value):
        text += " (with a decimal comma)"
    return text if len(text) <= SHOWN_LENGTH else text[:SHOWN_LENGTH] + "…"
