"""What the rows of a training looked like, column by column, to compare later ones with.

It holds no rows: of each column its values with how often they came, apart from the others, and of
free texts no more than how often they were missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

MOST_VALUES = 1_000  # that are kept of a column; the numbers of others go to the nearest of these


@dataclass(frozen=True)
class ColumnProfile:
    """The values of one column.

    Attributes
    ----------
    rows, missing
        How many there are, and how many of them have no value.
    values, counts
        Distinct values in order, and how often each came; empty for free texts.
    """

    rows: int
    missing: int
    values: list[Any]
    counts: list[int]

    @classmethod
    def of(cls, column: pd.Series, is_text: bool = False) -> ColumnProfile:
        """The profile of a typed column."""
        rows, missing = len(column), int(column.isna().sum())
        if is_text:
            return cls(rows, missing, [], [])
        given = column.dropna()
        if pd.api.types.is_numeric_dtype(given):
            given = _fewer(given)
        counts = given.value_counts().sort_index()
        if len(counts) > MOST_VALUES:  # of words, the commonest
            counts = counts.nlargest(MOST_VALUES).sort_index()
        return cls(rows, missing, counts.index.tolist(), counts.tolist())


@dataclass(frozen=True)
class Profile:
    """The columns of a training table, and the probabilities of rows that no model had seen.

    Attributes
    ----------
    columns
        By name.
    probability
        Out of fold.
    """

    columns: Mapping[str, ColumnProfile]
    probability: ColumnProfile

    @classmethod
    def of(cls, X: pd.DataFrame, kinds: Mapping[str, str], probability: pd.DataFrame) -> Profile:
        """The profile of a training.

        Parameters
        ----------
        X
            The typed columns of the table.
        kinds
            Of the columns; those of the kind ``text`` are free texts.
        probability
            Of class 1 out of fold, a column a repeat; the first is taken.
        """
        columns = {name: ColumnProfile.of(X[name], kinds[name] == "text") for name in X}
        return cls(columns, ColumnProfile.of(probability.iloc[:, 0]))

    @classmethod
    def from_dict(cls, found: Mapping[str, Any]) -> Profile:
        """What `to_dict` made."""
        columns = {name: ColumnProfile(**column) for name, column in found["columns"].items()}
        return cls(columns, ColumnProfile(**found["probability"]))

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def _fewer(numbers: pd.Series) -> pd.Series:
    """The numbers, each moved to the nearest quantile where they are too many to be kept."""
    if numbers.nunique() <= MOST_VALUES:
        return numbers
    kept = np.unique(numbers.quantile(np.linspace(0, 1, MOST_VALUES), interpolation="nearest"))
    return pd.Series(kept[np.abs(np.searchsorted(kept[1:] / 2 + kept[:-1] / 2, numbers))])
