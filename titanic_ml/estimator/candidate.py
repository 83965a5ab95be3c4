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
class Candidate:  # numpydoc ignore=PR02
    """An algorithm to choose from, with its search space.

    Parameters
    ----------
    name
        Name in the settings.
    label
        Name in tables and reports.
    estimator
        Unfitted scikit-learn classifier with `predict_proba`.
    complexity
        Rank from simple to complex; of equally good candidates the simplest is chosen.
    search
        Values of each hyper-parameter; all combinations are tried.
    baseline
        Whether it is a baseline.
    preprocessor
        Unfitted transformer of the table's columns, in place of the shared one.
    max_rows
        Largest number of rows with which it is compared; None for no limit.
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
        """Make a candidate from its settings.

        Parameters
        ----------
        name
            Name in the settings.
        node
            The other parameters; objects in them are built already.

        Returns
        -------
        Candidate
            The candidate.

        Raises
        ------
        SettingsError
            A parameter is unknown or missing.
        """
        known = [field.name for field in fields(cls) if field.name != "name"]
        for unknown in sorted(set(map(str, node)).difference(known)):
            raise SettingsError(f"estimator.{name}: unknown {unknown}{nearest(unknown, known)}")
        try:
            return cls(name=name, **node)
        except TypeError as error:
            words = str(error).replace("Candidate.__init__() ", "")
            raise SettingsError(f"estimator.{name}: {words}") from error

    def param_grid(self) -> list[dict[str, Any]]:
        """List the combinations of hyper-parameters to try.

        Returns
        -------
        list of dict
            All combinations of the search space; one empty dict if there is none.
        """
        return list(ParameterGrid(dict(self.search)))

    def too_many(self, rows: int) -> str:
        """Explain why the candidate is not compared on this number of rows.

        Parameters
        ----------
        rows
            Number of rows.

        Returns
        -------
        str
            The reason; empty if the candidate is compared.
        """
        if self.max_rows is None or rows <= self.max_rows:
            return ""
        return (
            f"{self.label} is compared up to {self.max_rows:,} rows (max_rows in its YAML), and "
            f"here are {rows:,}"
        )

    def build(self, parameters: Mapping[str, Any], seed: int) -> BaseEstimator:
        """Make an unfitted estimator.

        Parameters
        ----------
        parameters
            Hyper-parameters by name.
        seed
            Value of every `random_state`, in nested estimators too.

        Returns
        -------
        BaseEstimator
            A clone with these parameters.
        """
        estimator = clone(self.estimator).set_params(**parameters)
        seeds = [name for name in estimator.get_params() if name.split("__")[-1] == "random_state"]
        return estimator.set_params(**dict.fromkeys(seeds, seed))

    def fit(
        self, parameters: Mapping[str, Any], seed: int, matrix: np.ndarray, y: pd.Series
    ) -> BaseEstimator:
        """Fit a new estimator.

        Parameters
        ----------
        parameters
            Hyper-parameters by name.
        seed
            Value of every `random_state`.
        matrix
            Encoded features, (n, features).
        y
            Target, 0 or 1, (n,).

        Returns
        -------
        BaseEstimator
            The fitted estimator.

        Raises
        ------
        DataError
            The estimator can't be fitted on so few rows.
        """
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
        """Fit a pipeline from the table's columns to probabilities.

        Parameters
        ----------
        preprocessor
            Unfitted transformer, used if the candidate has none of its own.
        parameters
            Hyper-parameters by name.
        seed
            Value of every `random_state`.
        X
            Columns of the table, (n, columns).
        y
            Target, 0 or 1, (n,).

        Returns
        -------
        Pipeline
            The fitted preprocessor and estimator.

        Raises
        ------
        DataError
            The estimator can't be fitted on so few rows.
        """
        encoder = clone(self.preprocessor or preprocessor)
        matrix = encoder.fit_transform(X, y)
        return as_pipeline(encoder, self.fit(parameters, seed, matrix, y))


def as_pipeline(encoder: TransformerMixin, estimator: BaseEstimator) -> Pipeline:
    """Join a fitted preprocessor and a fitted estimator into one pipeline."""
    steps = encoder.steps if isinstance(encoder, Pipeline) else [("encoder", encoder)]
    return Pipeline([*steps, ("estimator", estimator)])
