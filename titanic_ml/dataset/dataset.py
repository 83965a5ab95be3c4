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
class Dataset:  # numpydoc ignore=PR02
    """A validated table, taken apart into ids, inputs and target.

    Parameters
    ----------
    ids
        Id of each row, (n,).
    X
        Columns that a model may learn from, (n, columns).
    y
        Target, 0 or 1, (n,); None if the table was read without it.
    """

    ids: pd.Series
    X: pd.DataFrame
    y: pd.Series | None

    @classmethod
    def from_frame(
        cls, frame: pd.DataFrame, spec: DatasetSpec, source: str, with_target: bool = True
    ) -> Dataset:
        """Validate a table and take it apart.

        Parameters
        ----------
        frame
            The table, (n, columns).
        spec
            Specification of its columns.
        source
            Name of the table in messages.
        with_target
            Whether the target is read. Rows without one are left out if it is nullable.

        Returns
        -------
        Dataset
            Ids, inputs and target in the order of the rows.

        Raises
        ------
        InvalidTable
            The table has faults; it lists all of them.
        """
        parsed = validate(frame, spec, source, with_target)
        if with_target and spec.columns[spec.target].nullable:
            parsed = parsed[parsed[spec.target].notna()].reset_index(drop=True)
        y = spec.is_positive(parsed[spec.target]) if with_target else None
        return cls(parsed[spec.id], parsed[spec.inputs], y)

    def __len__(self) -> int:
        return len(self.X)

    def __repr__(self) -> str:
        rate = "" if self.y is None else f", {self.y.mean():.1%} positive"
        return f"Dataset({len(self)} rows, {self.X.shape[1]} columns{rate})"

    @property
    def labelled(self) -> tuple[pd.DataFrame, pd.Series]:
        """X and y, (n, columns) and (n,).

        Raises
        ------
        ValueError
            The table was read without its target.
        """
        if self.y is None:
            raise ValueError("the table was read without its target")
        return self.X, self.y

    @property
    def positives(self) -> int:
        """Number of rows with target 1; 0 without a target."""
        return 0 if self.y is None else int(self.y.sum())

    @cached_property
    def row_hashes(self) -> np.ndarray:
        """Hash of each row's inputs, (n,) uint64; equal for equal rows of any table."""
        return pd.util.hash_pandas_object(self.X, index=False).to_numpy()

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of ids, inputs and target; the same for the same rows in CSV or Parquet."""
        digest = hashlib.sha256(self.row_hashes.tobytes())
        digest.update(pd.util.hash_pandas_object(self.ids, index=False).to_numpy().tobytes())
        if self.y is not None:
            digest.update(self.y.to_numpy(dtype="int8").tobytes())
        return digest.hexdigest()

    def profile(self, spec: DatasetSpec) -> dict[str, ColumnProfile]:
        """Summarise each input column, for a later comparison.

        Parameters
        ----------
        spec
            Specification of the columns.

        Returns
        -------
        dict
            Profiles by name of the column.
        """
        return {name: ColumnProfile.of(self.X[name], spec.columns[name].kind) for name in self.X}
