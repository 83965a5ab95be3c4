"""Profile of a training, to compare later rows with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from titanic_ml.dataset.profile import ColumnProfile


@dataclass(frozen=True)
class Profile:
    """The columns of a training table, and the probabilities of rows that no model had seen.

    Attributes
    ----------
    columns
        Profiles by name of the column.
    probability
        Out of fold.
    """

    columns: Mapping[str, ColumnProfile]
    probability: ColumnProfile

    @classmethod
    def of(cls, columns: Mapping[str, ColumnProfile], probability: pd.DataFrame) -> Profile:
        """Return the profile of a training.

        Parameters
        ----------
        columns : of the training table, see `Dataset.profile`
        probability : of class 1 out of fold, one column per repeat; the first is used
        """
        return cls(dict(columns), ColumnProfile.of(probability.iloc[:, 0]))

    @classmethod
    def from_dict(cls, found: Mapping[str, Any]) -> Profile:
        """Read the result of `to_dict`."""
        columns = {name: ColumnProfile(**column) for name, column in found["columns"].items()}
        return cls(columns, ColumnProfile(**found["probability"]))

    def to_dict(self) -> dict[str, Any]:
        """Return values for JSON."""
        return asdict(self)
