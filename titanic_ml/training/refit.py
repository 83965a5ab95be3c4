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
from titanic_ml.estimator.candidate import as_pipeline
from titanic_ml.evaluation.metrics import row_losses
from titanic_ml.evaluation.result import LearningPoint
from titanic_ml.training.fold import Choice
from titanic_ml.training.workers import in_parallel

if TYPE_CHECKING:
    from titanic_ml.estimator.candidate import Candidate
    from titanic_ml.training.trainer import FoldProgress

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

    def refit(
        self,
        inspection: Callable[[Pipeline, pd.DataFrame, pd.Series], Any],
        X: pd.DataFrame,
        y: pd.Series,
        progress: FoldProgress | None = None,
    ) -> tuple[list[Any], list[LearningPoint]]:
        """Apply `inspection(model, X_test, y_test)` to the model of each fold; its learning curve.

        The curve is the mean log loss on training and test rows by number of training rows. The
        training rows of each fold are reduced to the `FRACTIONS`, stratified; a fraction on which
        the candidate can't be fitted in every fold is left out. The `standard_error` is that of the
        mean test loss over folds, as if folds were independent.

        X is the table's columns, (n, columns), y the target, (n,); `progress` is called as by
        `Trainer.train`.
        """

        def one(split: Split, choice: Choice, fraction: float) -> tuple[Any, tuple[float, ...]]:
            train, test = split
            if fraction < 1:
                try:
                    train, _ = train_test_split(
                        train, train_size=fraction, stratify=y.iloc[train], random_state=self.seed
                    )
                    return None, self._fitted(train, test, choice, X, y)[1]
                except (DataError, ValueError):  # too few rows of a class
                    return None, ()
            model, found = self._fitted(train, test, choice, X, y)
            with threadpool_limits(1):
                return inspection(model, X.iloc[test], y.iloc[test]), found

        # What takes longest goes first.
        jobs = [(*fold, fraction) for fraction in reversed(FRACTIONS) for fold in self.folds]
        results = []
        for result in in_parallel(self.n_jobs, one, jobs):
            results.append(result)
            if progress:
                progress(len(results), len(jobs))
        inspected, points = zip(*results, strict=True)
        number = len(self.folds)
        curve = [
            _mean(found)
            for start in range(0, len(jobs), number)
            if all(found := points[start : start + number])
        ]
        return list(inspected[:number]), curve[::-1]

    def _fitted(
        self, train: np.ndarray, test: np.ndarray, choice: Choice, X: pd.DataFrame, y: pd.Series
    ) -> tuple[Pipeline, tuple[float, ...]]:
        """Fit the candidate; return it with the number of training rows and both log losses."""
        with threadpool_limits(1):
            encoder = clone(self.candidate.preprocessor or self.preprocessor)
            seen = encoder.fit_transform(X.iloc[train], y.iloc[train])
            estimator = self.candidate.fit(choice.parameters, self.seed, seen, y.iloc[train])
            model = as_pipeline(encoder, estimator)
            losses = [
                row_losses(y.iloc[rows], model.predict_proba(X.iloc[rows])[:, 1]).mean()
                for rows in (train, test)
            ]
        return model, (len(train), *losses)


def _mean(found: Sequence[tuple[float, ...]]) -> LearningPoint:
    """Average the results of the folds."""
    rows, train, test = np.mean(found, axis=0).tolist()
    error = np.std(found, axis=0, ddof=1)[2] / np.sqrt(len(found))
    return LearningPoint(round(rows), train, test, float(error))
