"""Columns by their distinct values: a rule is applied once per distinct value, not per row.

The column of a single row is its value: what is done to a column is done to the value, which takes
Python a fraction of the time that an array of one takes.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from math import nan
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

LARGEST = 1 << 62  # product of the numbers of distinct values that an int64 can hold
FEW = 50  # values that are quicker numbered one by one than by pandas
Value: TypeAlias = str | float | None  # of a single row, None or NaN if it is missing
SINGLE = (str, float, int, type(None))
Values: TypeAlias = Sequence[Hashable] | np.ndarray
Numbers: TypeAlias = np.ndarray | float  # (n,) of float64, or the number of a single row


@dataclass(slots=True)
class Coded:
    """A column as its distinct values, and the number of each row's value among them.

    Attributes
    ----------
    values
        In order of first appearance; a missing value is None.
    codes
        Of each row, (n,).

    Examples
    --------
    >>> sex = Coded.of(["male", "female", "male"])
    >>> sex.values, sex.codes.tolist()
    (['male', 'female'], [0, 1, 0])
    >>> list(sex)
    ['male', 'female', 'male']
    """

    values: list[Any]
    codes: np.ndarray

    @classmethod
    def of(cls, column: Coded | Values) -> Coded:
        """Number the values of a list, an array or a Series."""
        if isinstance(column, Coded):
            return column
        if len(column) <= FEW:
            given = column.tolist() if hasattr(column, "tolist") else column
            places: dict[Any, int] = {}
            found = [places.setdefault(v if v == v else None, len(places)) for v in given]
            return cls(list(places), np.array(found, dtype="int64"))
        listed = isinstance(column, (list, tuple))
        codes, distinct = pd.factorize(np.array(column, dtype="object") if listed else column)
        values = distinct.tolist()
        missing = codes < 0
        if missing.any():
            codes = np.where(missing, len(values), codes)
            values.append(None)
        return cls(values, codes)

    def take(self, rows: np.ndarray) -> Coded:
        """Select rows by their positions."""
        return Coded(self.values, self.codes[rows])

    def series(self) -> pd.Series:
        """Return the texts of the rows as a Series."""
        return pd.Series(pd.array(self.values, dtype="str").take(self.codes))

    def __iter__(self) -> Iterator[Any]:
        values = self.values
        return (values[code] for code in self.codes.tolist())

    def __len__(self) -> int:
        return len(self.codes)


def coded(column: Coded | Values | Value) -> Coded | Value:
    """Encode a column by its distinct values; the value of a single row stays, None if missing."""
    if isinstance(column, SINGLE):
        return column if column == column else None
    return Coded.of(column)


def mapped(rule: Callable[[Any], Any], column: Coded | Value) -> Any:
    """Apply a rule to each distinct value; several may give the same result.

    >>> list(mapped(str.upper, coded(["a", "b", "a"]))), mapped(str.upper, "a")
    (['A', 'B', 'A'], 'A')
    """
    if not isinstance(column, Coded):
        return rule(column)
    made = Coded.of([rule(value) for value in column.values])
    return Coded(made.values, made.codes[column.codes])


def joined(rule: Callable[..., Any], *columns: Any) -> Any:
    """Apply a rule to each distinct combination of the columns' values.

    The rule must give different results for different values.

    >>> sex, pclass = coded(["male", "female", "male"]), coded([3, 1, 3])
    >>> list(joined(lambda sex, pclass: f"{sex}_{pclass}", sex, pclass))
    ['male_3', 'female_1', 'male_3']
    """
    first, *others = columns
    if not isinstance(first, Coded):
        return rule(*columns)
    mixed, size = first.codes, len(first.values)
    for column in others:
        if size * len(column.values) > LARGEST:
            mixed, distinct = pd.factorize(mixed)
            size = len(distinct)
        mixed = mixed * len(column.values) + column.codes
        size *= len(column.values)
    codes, distinct = pd.factorize(mixed)
    rows = np.zeros(len(distinct), dtype="int64")
    rows[codes[::-1]] = np.arange(len(codes))[::-1]  # the first row of each combination
    parts = ([c.values[code] for code in c.codes[rows].tolist()] for c in columns)
    return Coded([rule(*values) for values in zip(*parts)], codes)


def numbers(column: Values | Value) -> Numbers:
    """Return a column of numbers, NaN for missing ones.

    >>> numbers(np.array([7, 8])), numbers(7)
    (array([7., 8.]), 7.0)
    """
    if isinstance(column, SINGLE):
        return nan if column is None else float(column)
    return np.asarray(column, dtype="float64")


def numbered(rule: Callable[[Any], float], column: Coded | Value) -> Numbers:
    """Map each distinct value to a number, and return the number of each row."""
    if not isinstance(column, Coded):
        return float(rule(column))
    return np.array([rule(value) for value in column.values], dtype="float64")[column.codes]


def filled(column: Numbers, fill: float) -> Numbers:
    """Replace missing numbers.

    >>> filled(np.array([1.0, nan]), 5.0), filled(nan, 5.0)
    (array([1., 5.]), 5.0)
    """
    if isinstance(column, np.ndarray):
        return np.where(np.isnan(column), fill, column)
    return column if column == column else fill


def at_least(least: Numbers, column: Numbers) -> Numbers:
    """Return the larger of two numbers for each row.

    >>> at_least(2.0, np.array([1.0, 3.0])), at_least(2.0, 1.0)
    (array([2., 3.]), 2.0)
    """
    if isinstance(column, np.ndarray):
        return np.maximum(column, least)
    return column if column >= least else least
