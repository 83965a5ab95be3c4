"""Columns of few distinct values: a rule is asked once for each value, not for each row."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

FEW = 50  # values that are quicker numbered one by one than by pandas
Values: TypeAlias = Sequence[Hashable] | np.ndarray
ALONE = np.zeros(1, dtype="int64")


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
    def of(cls, column: Coded | Values) -> Coded:
        """Number the values of a list, an array or a Series."""
        if isinstance(column, Coded):
            return column
        if len(column) <= FEW:
            given = column.tolist() if hasattr(column, "tolist") else column
            if len(given) == 1:
                return cls([v if v == v else None for v in given], ALONE)
            places: dict[Any, int] = {}
            codes = [places.setdefault(v if v == v else None, len(places)) for v in given]
            return cls(list(places), np.array(codes, dtype="int64"))
        listed = isinstance(column, (list, tuple))
        numbers, distinct = pd.factorize(np.array(column, dtype="object") if listed else column)
        values = distinct.tolist()
        missing = numbers < 0
        if missing.any():
            numbers = np.where(missing, len(values), numbers)
            values.append(None)
        return cls(values, numbers)

    def mapped(self, rule: Callable[[Any], Hashable]) -> Coded:
        """What a rule makes of each value; it may make the same of several."""
        made = Coded.of([rule(value) for value in self.values])
        if len(self.values) == len(self.codes) == 1:
            return made
        return Coded(made.values, made.codes[self.codes])

    @staticmethod
    def joined(rule: Callable[..., Hashable], *columns: Coded) -> Coded:
        """What a rule makes of each row's values; it must make another of other values."""
        first, *others = columns
        if len(first.codes) == 1:
            return Coded([rule(*(column.values[0] for column in columns))], ALONE)
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

    def numbers(self, rule: Callable[[Any], float]) -> np.ndarray:
        """The number that a rule gives each row, (n,) of float64."""
        return np.array([rule(value) for value in self.values], dtype="float64")[self.codes]

    def series(self) -> pd.Series:
        """The texts of the rows, as pandas' own."""
        return pd.Series(pd.array(self.values, dtype="str").take(self.codes))

    def __iter__(self) -> Iterator[Any]:
        values = self.values
        return (values[code] for code in self.codes.tolist())

    def __len__(self) -> int:
        return len(self.codes)
