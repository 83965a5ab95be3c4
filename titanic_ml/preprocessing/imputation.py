"""Missing numbers filled with what is usual in the row's group."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

import numpy as np

from titanic_ml.preprocessing.coded import Coded, Values


@dataclass(frozen=True)
class GroupMedians:
    """The medians by which missing numbers are filled.

    Where a group was not seen, or had no number, the median of all rows is used; where there is
    none either, 0.

    Attributes
    ----------
    by_group
        The median of each group that had a number.
    overall
        That of all rows.

    Examples
    --------
    >>> ages, titles = np.array([30.0, np.nan, 4.0]), ["Mr", "Mr", "Master"]
    >>> GroupMedians.of(ages, titles).fill(ages, titles).tolist()
    [30.0, 30.0, 4.0]
    """

    by_group: dict[Hashable, float]
    overall: float

    @classmethod
    def of(cls, values: np.ndarray, groups: Coded | Values) -> GroupMedians:
        """Learn them; values are (n,), NaN where missing, and of each row goes its group."""
        coded, known = Coded.of(groups), ~np.isnan(values)
        medians = {}
        for code, group in enumerate(coded.values):
            if (found := known & (coded.codes == code)).any():
                medians[group] = float(np.median(values[found]))
        return cls(medians, float(np.median(values[known])) if known.any() else 0.0)

    def fill(self, values: np.ndarray, groups: Coded | Values) -> np.ndarray:
        """A copy of the values, (n,), without missing ones."""
        missing = np.isnan(values)
        if not missing.any():
            return values.copy()
        usual = Coded.of(groups).numbers(lambda group: self.by_group.get(group, self.overall))
        return np.where(missing, usual, values)
