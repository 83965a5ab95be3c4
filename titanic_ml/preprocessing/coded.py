"""Plain columns: a rule is asked once for each distinct value, not for each row.

The list of a single value stands for itself: what is done to a column is done to the value, which
takes Python a fraction of the time that an array of one takes.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from math import nan
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

FEW = 50  # values that are quicker numbered one by one than by pandas
Values: TypeAlias = Sequence[Hashable] | np.ndarray
ALONE = np.zeros(1, dtype="int64")  # the codes of a single row
Numbers: TypeAlias = np.ndarray | float  # (n,) of float64, or the number of a single row


def numbers(column: Values) -> Numbers:
    """A column of numbers as an array, (n,) of float64; that of a list of one as the number.

    >>> numbers(np.array([7, 8])), numbers([7])
    (array([7., 8.]), 7.0)
    """
    if isinstance(column, list) and len(column) == 1:
        return nan if column[0] is None else float(column[0])
    return np.asarray(column, dtype="float64")


@dataclass(slots=True)
class Coded:
    """A column as its distinct values, and the number of each row's value among them.

    Attributes
    ----------
    values
        In the order in which they first come; what is missing is None.
    codes
        Of each row, (n,).

    Examples
    --------
    >>> sex, pclass = Coded.of(["male", "female", "male"]), Coded.of([3, 1, 3])
    >>> sex.values, sex.codes.tolist()
    (['male', 'female'], [0, 1, 0])
    >>> list(Coded.joined(lambda sex, pclass: f"{sex}_{pclass}", sex, pclass))
    ['male_3', 'female_1', 'male_3']
    """

    values: list[Any]
    codes: np.ndarray

    @classmethod
    def of(cls, column: Coded | Values | float) -> Coded:
        """Number the values of a list, an array or a Series; a number is that of a single row."""
        if isinstance(column, Coded):
            return column
        if isinstance(column, float):
            return Single(column)
        if isinstance(column, list) and len(column) == 1:
            return Single(column[0])
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

    def mapped(self, rule: Callable[[Any], Hashable]) -> Coded:
        """What a rule makes of each value; it may make the same of several."""
        made = Coded.of([rule(value) for value in self.values])
        return Coded(made.values, made.codes[self.codes])

    @staticmethod
    def joined(rule: Callable[..., Hashable], *columns: Coded) -> Coded:
        """What a rule makes of each row's values; it must make another of other values."""
        first, *others = columns
        if isinstance(first, Single):
            return Single(rule(*[column.values[0] for column in columns]))
        mixed = first.codes
        for column in others:
            mixed = mixed * len(column.values) + column.codes
        codes, distinct = pd.factorize(mixed)
        parts = []
        for column in reversed(others):
            distinct, places = np.divmod(distinct, len(column.values))
            parts.append([column.values[place] for place in places.tolist()])
        parts.append([first.values[place] for place in distinct.tolist()])
        return Coded([rule(*values) for values in zip(*reversed(parts))], codes)

    def numbers(self, rule: Callable[[Any], float]) -> Numbers:
        """The number that a rule gives each row."""
        return np.array([rule(value) for value in self.values], dtype="float64")[self.codes]

    def series(self) -> pd.Series:
        """The texts of the rows, as pandas' own."""
        return pd.Series(pd.array(self.values, dtype="str").take(self.codes))

    def __iter__(self) -> Iterator[Any]:
        values = self.values
        return (values[code] for code in self.codes.tolist())

    def __len__(self) -> int:
        return len(self.codes)


class Single(Coded):
    """The column of a single row: its value, None if it is missing."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value if value == value else None
        self.values, self.codes = [self.value], ALONE

    def mapped(self, rule: Callable[[Any], Hashable]) -> Single:
        return Single(rule(self.value))

    def numbers(self, rule: Callable[[Any], float]) -> float:
        return float(rule(self.value))

    def __iter__(self) -> Iterator[Any]:
        return iter((self.value,))
