"""Profile of one column: its values with their counts. It holds no rows, and no free texts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from titanic_ml.dataset.normalise import iso_date

MOST_VALUES = 1_000  # that are kept of a column; the numbers of others go to the nearest of these


@dataclass(frozen=True)
class ColumnProfile:
    """The values of one column.

    Attributes
    ----------
    rows, missing
        Number of rows, and number of missing values.
    values, counts
        Distinct values in order, and how often each came; empty for free texts.
    kind
        Kind of the column.
    """

    rows: int
    missing: int
    values: list[Any]
    counts: list[int]
    kind: str = "number"

    @classmethod
    def of(cls, column: pd.Series, kind: str = "number") -> ColumnProfile:
        """Summarise a typed column."""
        rows, missing = len(column), int(column.isna().sum())
        if kind == "text":
            return cls(rows, missing, [], [], kind)
        given = column.dropna()
        if pd.api.types.is_numeric_dtype(given):
            given = _fewer(given)
        counts = given.value_counts().sort_index()
        if len(counts) > MOST_VALUES:  # of words, the commonest
            counts = counts.nlargest(MOST_VALUES).sort_index()
        return cls(rows, missing, counts.index.tolist(), counts.tolist(), kind)

    def shown(self, value: float) -> str:
        """Return a number of the column for people, a date as a date."""
        return iso_date(value) if self.kind == "date" else f"{value:.3g}"

    @property
    def summary(self) -> dict[str, Any]:
        """Number of missing values; quartiles of numbers, or number of words and the commonest."""
        summary: dict[str, Any] = {"missing": self.missing}
        if not self.values:
            return summary
        counts = pd.Series(self.counts, self.values)
        if isinstance(self.values[0], str):
            commonest = counts.sort_values(ascending=False, kind="stable").head(5)
            return summary | {"distinct": len(counts), "commonest": commonest.to_dict()}
        numbers = np.repeat(np.asarray(self.values, dtype="float64"), self.counts)
        found = np.quantile(numbers, [0, 0.25, 0.5, 0.75, 1]).tolist()
        return summary | {"quantiles": list(map(iso_date, found)) if self.kind == "date" else found}


def _fewer(numbers: pd.Series) -> pd.Series:
    """Replace numbers by their nearest quantiles if there are too many to store."""
    if numbers.nunique() <= MOST_VALUES:
        return numbers
    kept = np.unique(numbers.quantile(np.linspace(0, 1, MOST_VALUES), interpolation="nearest"))
    return pd.Series(kept[np.abs(np.searchsorted(kept[1:] / 2 + kept[:-1] / 2, numbers))])
