"""Dataset made from a validated table: ids, inputs and target."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from titanic_ml.dataset.columns import validate
from titanic_ml.dataset.profile import ColumnProfile
from titanic_ml.dataset.spec import DatasetSpec


@dataclass(frozen=True, repr=False)
class Dataset:
    """A validated table.

    Attributes
    ----------
    ids
        The id of each row.
    X
        The columns that a model may learn from, one row a passenger.
    y
        The target, 0 or 1; None if the table has none.
    """

    ids: pd.Series
    X: pd.DataFrame
    y: pd.Series | None

    @classmethod
    def from_frame(
        cls, frame: pd.DataFrame, spec: DatasetSpec, source: str, with_target: bool = True
    ) -> Dataset:
        """Validate a table and take it apart. Raises `InvalidTable` with all faults found."""
        parsed = validate(frame, spec, source, with_target)
        y = parsed[spec.target] if with_target else None
        return cls(parsed[spec.id], parsed[spec.inputs], y)

    def __len__(self) -> int:
        return len(self.X)

    def __repr__(self) -> str:
        rate = "" if self.y is None else f", {self.y.mean():.1%} positive"
        return f"Dataset({len(self)} rows, {self.X.shape[1]} columns{rate})"

    @property
    def labelled(self) -> tuple[pd.DataFrame, pd.Series]:
        """X and y of a table that was validated with its target. Raises `ValueError` without."""
        if self.y is None:
            raise ValueError("the table was read without its target")
        return self.X, self.y

    @property
    def positives(self) -> int:
        """How many rows have target 1; 0 without a target."""
        return 0 if self.y is None else int(self.y.sum())

    @cached_property
    def row_hashes(self) -> np.ndarray:
        """A hash of each row's columns, (n,) uint64: equal in any table, however it was spelled."""
        return pd.util.hash_pandas_object(self.X, index=False).to_numpy()

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the ids, columns and target: the same for the same rows in CSV or Parquet."""
        digest = hashlib.sha256(self.row_hashes.tobytes())
        digest.update(pd.util.hash_pandas_object(self.ids, index=False).to_numpy().tobytes())
        if self.y is not None:
            digest.update(self.y.to_numpy(dtype="int8").tobytes())
        return digest.hexdigest()

    def profile(self, spec: DatasetSpec) -> dict[str, ColumnProfile]:
        """Return the profile of each input column."""
        return {
            name: ColumnProfile.of(self.X[name], spec.columns[name].kind == "text")
            for name in self.X
        }
