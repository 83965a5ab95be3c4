"""Missing numbers filled with what is usual in the row's group."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from math import isnan

import numpy as np

from titanic_ml.preprocessing.coded import Coded, Numbers, Value, Values, coded, numbered


@dataclass(frozen=True)
class GroupMedians:
    """Medians that replace missing numbers.

    Where a group was not seen, or had no number, the median of all rows is used; where there is
    none either, 0.

    Attributes
    ----------
    by_group
        The median of each group that had a number.
    overall
        Median of all rows.

    Examples
    --------
    >>> ages, titles = np.array([30.0, np.nan, 4.0]), ["Mr", "Mr", "Master"]
    >>> GroupMedians.of(ages, titles).fill(ages, titles).tolist()
    [30.0, 30.0, 4.0]
    """

    by_group: dict[Hashable, float]
    overall: float

    @classmethod
    def of(cls, values: Numbers, groups: Coded | Values) -> GroupMedians:
        """Learn them; values are (n,), NaN where missing, and of each row goes its group."""
        coded, values = Coded.of(groups), np.atleast_1d(values)
        known = ~np.isnan(values)
        medians = {}
        for code, group in enumerate(coded.values):
            if (found := known & (coded.codes == code)).any():
                medians[group] = float(np.median(values[found]))
        return cls(medians, float(np.median(values[known])) if known.any() else 0.0)

    def fill(self, values: Numbers, groups: Coded | Values | Value) -> Numbers:
        """Fill missing values with the median of their group."""
        if isinstance(values, float):
            return self._usual(groups) if isnan(values) else values
        missing = np.isnan(values)
        return np.where(missing, self._usual(groups), values) if missing.any() else values

    def _usual(self, groups: Coded | Values | Value) -> Numbers:
        return numbered(lambda group: self.by_group.get(group, self.overall), coded(groups))
