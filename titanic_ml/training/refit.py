"""The selected candidate refitted on each fold, to be inspected; its learning curve."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sklearn.base import TransformerMixin, clone
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from titanic_ml.dataset.splits import Split
from titanic_ml.errors import DataError
from titanic_ml.evaluation.metrics import row_losses
from titanic_ml.evaluation.result import LearningPoint
from titanic_ml.training.fold import Choice
from titanic_ml.training.workers import in_parallel

if TYPE_CHECKING:
    from titanic_ml.estimator.candidate import Candidate
    from titanic_ml.training.trainer import Progress

FRACTIONS = (0.1, 0.2, 0.35, 0.6, 1.0)  # of the training rows, for the learning curve


@dataclass(frozen=True)
class Refitter:
    """Refits a candidate as it was in each fold.

    Attributes
    ----------
    candidate
        The one that was chosen.
    preprocessor
        Unfitted, as in the training.
    folds
        Outer splits, with the hyper-parameters and threshold chosen inside each.
    seed
        Governs the estimator and the samples.
    n_jobs
        Processes; never changes a result.
    """

    candidate: Candidate
    preprocessor: TransformerMixin
    folds: Sequence[tuple[Split, Choice]]
    seed: int = 0
    n_jobs: int = -1

    def inspect(
        self,
        inspection: Callable[[Pipeline, pd.DataFrame, pd.Series], Any],
        X: pd.DataFrame,
        y: pd.Series,
        progress: Progress | None = None,
    ) -> list[Any]:
        """Apply `inspection(model, X_test, y_test)` to the model refitted on each fold.

        X is the table's columns, (n, columns), y the target, (n,); `progress` is called as by
        `Trainer.train`.
        """

        def one(split: Split, choice: Choice) -> Any:
            train, test = split
            with threadpool_limits(1):
                model = self.candidate.fit_pipeline(
                    self.preprocessor, choice.parameters, self.seed, X.iloc[train], y.iloc[train]
                )
                return inspection(model, X.iloc[test], y.iloc[test])

        return self._counted(one, self.folds, progress)

    def learning_curve(
        self, X: pd.DataFrame, y: pd.Series, progress: Progress | None = None
    ) -> list[LearningPoint]:
        """Mean log loss on training and test rows by the number of training rows.

        Each fold's training rows are cut, stratified, to the `FRACTIONS`, its test rows stay; a
        fraction of which the candidate can't learn in every fold is left out. The `standard_error`
        is of the mean test loss over folds, as if folds were independent.
        """

        def one(
            split: Split, choice: Choice, fraction: float
        ) -> tuple[int, float, float] | tuple[()]:
            try:
                return cut(*split, choice, fraction)
            except (DataError, ValueError):  # too few rows of a class
                return ()

        def cut(
            train: np.ndarray, test: np.ndarray, choice: Choice, fraction: float
        ) -> tuple[int, float, float]:
            if fraction < 1:
                train, _ = train_test_split(
                    train, train_size=fraction, stratify=y.iloc[train], random_state=self.seed
                )
            with threadpool_limits(1):
                # Not `Pipeline.predict` on the training rows: features may leave a row out of what
                # is learned from it, and only `fit_transform` knows that a row is one of them.
                encoder = clone(self.candidate.preprocessor or self.preprocessor)
                seen = encoder.fit_transform(X.iloc[train], y.iloc[train])
                estimator = self.candidate.fit(choice.parameters, self.seed, seen, y.iloc[train])
                matrices = (train, seen), (test, encoder.transform(X.iloc[test]))
                losses = [
                    row_losses(y.iloc[rows], estimator.predict_proba(matrix)[:, 1]).mean()
                    for rows, matrix in matrices
                ]
            return len(train), *losses

        jobs = [(*fold, fraction) for fraction in FRACTIONS for fold in self.folds]
        results = self._counted(one, jobs, progress)
        points = []
        for start in range(0, len(results), len(self.folds)):
            found = results[start : start + len(self.folds)]
            if all(found):
                rows, train, test = np.mean(found, axis=0).tolist()
                error = np.std(found, axis=0, ddof=1)[2] / np.sqrt(len(self.folds))
                points.append(LearningPoint(round(rows), train, test, float(error)))
        return points

    def _counted(
        self,
        function: Callable[..., Any],
        jobs: Sequence[tuple[Any, ...]],
        progress: Progress | None,
    ) -> list[Any]:
        """The results of the jobs, in their order, each told of as it comes."""
        results = []
        for result in in_parallel(self.n_jobs, function, jobs):
            results.append(result)
            if progress:
                progress(len(results), len(jobs))
        return results
