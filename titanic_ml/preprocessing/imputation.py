"""Missing numbers filled with what is usual in the row's group."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np


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
    def of(cls, values: np.ndarray, groups: Sequence[Hashable]) -> GroupMedians:
        """Learn them; values are (n,), NaN where missing, and of each row goes its group."""
        found = defaultdict(list)
        for value, group in zip(values.tolist(), groups, strict=True):
            if value == value:
                found[group].append(value)
        known = values[~np.isnan(values)]
        medians = {group: float(np.median(numbers)) for group, numbers in found.items()}
        return cls(medians, float(np.median(known)) if len(known) else 0.0)

    def fill(self, values: np.ndarray, groups: Sequence[Hashable]) -> np.ndarray:
        """A copy of the values, (n,), without missing ones."""
        filled = values.copy()
        for row in np.flatnonzero(np.isnan(values)).tolist():
            filled[row] = self.by_group.get(groups[row], self.overall)
        return filled
