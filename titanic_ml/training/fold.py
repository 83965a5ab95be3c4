"""One outer fold: choose hyper-parameters and threshold inside, then score."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sklearn.base import TransformerMixin, clone
from threadpoolctl import threadpool_limits

from titanic_ml.dataset.splits import Split, stratified_splits
from titanic_ml.errors import DataError
from titanic_ml.evaluation.metrics import Rows, measure, row_losses
from titanic_ml.training.threshold import choose_threshold

if TYPE_CHECKING:
    from titanic_ml.estimator.candidate import Candidate

SCORES = ("log_loss", "roc_auc", "accuracy")  # of the comparison of candidates


@dataclass(frozen=True)
class Choice:
    """Hyper-parameters and threshold selected for a candidate on the inner folds.

    The threshold is None if no inner fold was fitted and none is needed.
    """

    parameters: dict[str, Any]
    threshold: float | None


@dataclass(frozen=True)
class Fold:
    """Result of one fold.

    Attributes
    ----------
    choices
        Hyper-parameters and threshold chosen on the training rows, by candidate.
    failed
        Reasons why candidates could not be fitted; these are not in `choices` and `scores`.
    scores
        A row a candidate: `candidate`, `log_loss`, `roc_auc`, `accuracy` at a threshold of one
        half, `fit_seconds`, and `probability`, an array over the test rows; empty without any.
    """

    choices: dict[str, Choice]
    scores: pd.DataFrame
    failed: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Search:
    """Searches and scores candidates on one split.

    Attributes
    ----------
    preprocessor, candidates, inner_folds, threshold_metric, seed
        As in `Trainer`.
    thresholds
        Whether a threshold is chosen for each candidate but the baselines; if not, only for those
        with a search, since their inner folds are fitted anyway.
    """

    preprocessor: TransformerMixin
    candidates: Sequence[Candidate]
    inner_folds: int
    threshold_metric: str
    seed: int
    thresholds: bool = True

    def run(self, split: Split, X: pd.DataFrame, y: pd.Series) -> Fold:
        """Choose on the training rows, then score on the test rows, if there are any."""
        train, test = split
        failed: dict[str, str] = {}
        with threadpool_limits(1):  # a sum over threads depends on how many there are
            choices = self._choose(X.iloc[train], y.iloc[train], failed)
            scores = self._score(choices, split, X, y, failed) if len(test) else []
        choices = {name: choice for name, choice in choices.items() if name not in failed}
        rows = [row for row in scores if row["candidate"] not in failed]
        return Fold(choices, pd.DataFrame(rows), failed)

    def _choose(self, X: pd.DataFrame, y: pd.Series, failed: dict[str, str]) -> dict[str, Choice]:
        """Return for each candidate the hyper-parameters with the lowest log loss over the inner
        folds, and the best threshold for the probabilities of those folds.
        """
        tried = {candidate.name: candidate.param_grid() for candidate in self.candidates}
        searched = [
            candidate
            for candidate in self.candidates
            if not candidate.baseline and (self.thresholds or len(tried[candidate.name]) > 1)
        ]
        unseen = {c.name: np.zeros((len(tried[c.name]), len(y))) for c in searched}
        for split in stratified_splits(y, self.inner_folds, 1, self.seed) if searched else ():
            train, test = split
            for candidate, seen, matrix in self._encoded(searched, split, X, y):
                with _noting(candidate, failed):
                    for i, parameters in enumerate(tried[candidate.name]):
                        estimator = candidate.fit(parameters, self.seed, seen, y.iloc[train])
                        unseen[candidate.name][i, test] = estimator.predict_proba(matrix)[:, 1]
        choices = {
            c.name: Choice(tried[c.name][0], 0.5 if c.baseline else None) for c in self.candidates
        }
        truth = y.to_numpy()
        for name, probabilities in unseen.items():
            if name in failed:
                continue
            losses = [row_losses(truth, probability).mean() for probability in probabilities]
            best = int(np.argmin(losses))
            cut = choose_threshold(truth, probabilities[best], self.threshold_metric, self.seed)
            choices[name] = Choice(tried[name][best], cut)
        return choices

    def _score(
        self,
        choices: dict[str, Choice],
        split: Split,
        X: pd.DataFrame,
        y: pd.Series,
        failed: dict[str, str],
    ) -> list[dict[str, Any]]:
        """Score the candidates on the test rows, one row each."""
        rows = []
        y_seen, y_unseen = (y.iloc[rows] for rows in split)
        alike = np.ones(len(y_unseen))
        able = [candidate for candidate in self.candidates if candidate.name not in failed]
        for candidate, seen, unseen in self._encoded(able, split, X, y):
            parameters = choices[candidate.name].parameters
            start = time.perf_counter()
            with _noting(candidate, failed):
                estimator = candidate.fit(parameters, self.seed, seen, y_seen)
                seconds = time.perf_counter() - start
                probability = estimator.predict_proba(unseen)[:, 1]
                found = measure(Rows(y_unseen, probability, probability >= 0.5), alike, SCORES)
                row = {"candidate": candidate.name, **dict(zip(SCORES, found.tolist()))}
                if y_unseen.nunique() < 2:
                    row["roc_auc"] = np.nan
                rows.append(row | {"fit_seconds": seconds, "probability": probability})
        return rows

    def _encoded(
        self, candidates: Sequence[Candidate], split: Split, X: pd.DataFrame, y: pd.Series
    ) -> Iterator[tuple[Candidate, np.ndarray, np.ndarray]]:
        """Encode training and test rows for each candidate; compute shared matrices once."""
        train, test = split
        shared = None
        for candidate in candidates:
            matrices = shared if candidate.preprocessor is None else None
            if matrices is None:
                preprocessor = clone(candidate.preprocessor or self.preprocessor)
                seen = preprocessor.fit_transform(X.iloc[train], y.iloc[train])
                matrices = seen, preprocessor.transform(X.iloc[test])
            if candidate.preprocessor is None:
                shared = matrices
            yield candidate, *matrices


@contextmanager
def _noting(candidate: Candidate, failed: dict[str, str]) -> Iterator[None]:
    """Leave out a candidate that can't learn from the rows, and note why."""
    try:
        yield
    except DataError as error:
        failed[candidate.name] = str(error)
