"""Which algorithms: the candidates with their search spaces, unfitted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.model_selection import ParameterGrid
from sklearn.pipeline import Pipeline

from titanic_ml.errors import DataError, SettingsError, nearest


@dataclass(frozen=True)
class Candidate:
    """An algorithm that may be chosen.

    Attributes
    ----------
    name, label
        Its name in the settings, and in a table for people.
    estimator
        An unfitted scikit-learn classifier with `predict_proba`.
    complexity
        Its rank from simple to complex: among equals the simplest is chosen.
    search
        The values to try of each hyper-parameter; every combination is tried.
    baseline
        Whether it is a baseline.
    preprocessor
        An unfitted transformer of the table's columns in place of the shared one.
    max_rows
        Up to how many rows of the table it is compared: on more it costs more than it is likely to
        bring. None: on any number.
    """

    name: str
    label: str
    estimator: BaseEstimator
    complexity: int
    search: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    baseline: bool = False
    preprocessor: TransformerMixin | None = None
    max_rows: int | None = None

    def __post_init__(self) -> None:
        most = self.max_rows
        if most is not None and (not isinstance(most, int) or most < 1):
            raise SettingsError(
                f"estimator.{self.name}.max_rows is {most!r}, expected a whole number from 1 on, "
                "or null"
            )

    @classmethod
    def from_dict(cls, name: str, node: Mapping[str, Any]) -> Candidate:
        """Make a candidate from its YAML, the objects in it built. Raises `SettingsError`."""
        known = [field.name for field in fields(cls) if field.name != "name"]
        for unknown in sorted(set(map(str, node)).difference(known)):
            raise SettingsError(f"estimator.{name}: unknown {unknown}{nearest(unknown, known)}")
        try:
            return cls(name=name, **node)
        except TypeError as error:
            words = str(error).replace("Candidate.__init__() ", "")
            raise SettingsError(f"estimator.{name}: {words}") from error

    def param_grid(self) -> list[dict[str, Any]]:
        """Every combination of the search space; one empty one without a search space."""
        return list(ParameterGrid(dict(self.search)))

    def too_many(self, rows: int) -> str:
        """Return why it isn't compared on this number of rows; empty if it is."""
        if self.max_rows is None or rows <= self.max_rows:
            return ""
        return (
            f"{self.label} is compared up to {self.max_rows:,} rows (max_rows in its YAML), and "
            f"here are {rows:,}"
        )

    def build(self, parameters: Mapping[str, Any], seed: int) -> BaseEstimator:
        """The unfitted estimator with these hyper-parameters and the seed wherever it takes one."""
        estimator = clone(self.estimator).set_params(**parameters)
        seeds = [name for name in estimator.get_params() if name.split("__")[-1] == "random_state"]
        return estimator.set_params(**dict.fromkeys(seeds, seed))

    def fit(
        self, parameters: Mapping[str, Any], seed: int, matrix: np.ndarray, y: pd.Series
    ) -> BaseEstimator:
        """Build and fit; matrix is (n, features), y (n,). Raises `DataError` if it can't."""
        try:
            return self.build(parameters, seed).fit(matrix, y)
        except ValueError as error:
            reason = str(error).splitlines()[0]
            raise DataError(
                f"{self.label} can't learn from {len(y)} rows: {reason}; add rows, or name "
                "the other candidates in estimator=[…]"
            ) from error

    def fit_pipeline(
        self,
        preprocessor: TransformerMixin,
        parameters: Mapping[str, Any],
        seed: int,
        X: pd.DataFrame,
        y: pd.Series,
    ) -> Pipeline:
        """Fit the whole way from the table's columns to probabilities, as one Pipeline."""
        encoder = clone(self.preprocessor or preprocessor)
        matrix = encoder.fit_transform(X, y)
        return as_pipeline(encoder, self.fit(parameters, seed, matrix, y))


def as_pipeline(encoder: TransformerMixin, estimator: BaseEstimator) -> Pipeline:
    """The whole way from the table's columns to probabilities, of what was fitted for it."""
    steps = encoder.steps if isinstance(encoder, Pipeline) else [("encoder", encoder)]
    return Pipeline([*steps, ("estimator", estimator)])
