"""How we learn and choose: nested cross-validation, selection among candidates, the final fit."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from sklearn.base import TransformerMixin, clone
from sklearn.metrics import accuracy_score, log_loss, roc_auc_score
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from titanic_ml.comparison import compare, show, simplest_equal
from titanic_ml.dataset import Split, stratified_splits

if TYPE_CHECKING:
    from titanic_ml.estimator import Candidate

Progress = Callable[[int, int], None]
Parameters = dict[str, dict[str, Any]]  # by candidate


@dataclass(frozen=True, repr=False)
class Selection:
    """What the procedure chose and how the candidates did.

    Attributes
    ----------
    chosen, parameters
        The candidate that won, and its hyper-parameters, chosen on all rows.
    model
        The fitted Pipeline, from the table's columns to probabilities.
    table
        The candidates side by side, as `comparison.compare` gives them, with their labels.
    out_of_fold
        The chosen candidate's probabilities from models that had not seen the row: a column a
        repeat, `repeat_1` and on.
    """

    chosen: Candidate
    parameters: dict[str, Any]
    model: Pipeline
    table: pd.DataFrame
    out_of_fold: pd.DataFrame

    def __repr__(self) -> str:
        lines = [show(self.table, self.chosen.name)]
        settings = ", ".join(f"{name} {value}" for name, value in self.parameters.items())
        lines.append(f"Chosen: {self.chosen.label}{f' with {settings}' if settings else ''}")
        return "\n".join(lines)


@dataclass(frozen=True)
class Trainer:
    """Chooses a candidate by nested cross-validation and fits it on all rows.

    Hyper-parameters are searched inside each outer fold, so an outer score is that of the whole
    procedure (Varma and Simon 2006). Candidates are ranked by log loss on the same outer folds;
    differences are tested with the corrected resampled t-test (Nadeau and Bengio 2003); the
    simplest that is not significantly worse than the best wins.

    Attributes
    ----------
    preprocessor
        Unfitted; fitted anew on the training rows of each fold, and shared by all candidates.
    candidates
        The algorithms to choose from.
    repeats, folds, inner_folds
        Repetitions and number of the outer folds, number of the inner ones.
    significance
        Level below which a p-value counts as worse.
    seed
        Governs folds and estimators.
    n_jobs
        Processes; never changes a result.
    """

    preprocessor: TransformerMixin
    candidates: Sequence[Candidate]
    repeats: int = 3
    folds: int = 5
    inner_folds: int = 3
    significance: float = 0.05
    seed: int = 0
    n_jobs: int = -1

    def train(self, X: pd.DataFrame, y: pd.Series, progress: Progress | None = None) -> Selection:
        """Choose and fit.

        X is the table's columns, (n, columns); y the target, (n,), 0 or 1; `progress` is called
        with the number of folds done and of all, at the start and after each. Raises `DataError` if
        a class has too few rows for the folds, or a candidate can't learn from them.
        """
        outer = stratified_splits(y, self.folds, self.repeats, self.seed)
        everything = np.arange(len(y)), np.arange(0)
        results = self._run([everything, *outer], X, y, progress)
        (parameters, _), *folds = results
        scores = pd.concat([scores for _, scores in folds])
        by_name = {candidate.name: candidate for candidate in self.candidates}
        table = compare(scores, test_to_train=1 / (self.folds - 1))
        table.insert(0, "label", [by_name[name].label for name in table.index])
        complexity = {name: candidate.complexity for name, candidate in by_name.items()}
        chosen = by_name[simplest_equal(table, complexity, self.significance)]
        names = [f"repeat_{number}" for number in range(1, self.repeats + 1)]
        out_of_fold = pd.DataFrame(index=X.index, columns=names, dtype="float64")
        probabilities = scores.loc[scores["candidate"] == chosen.name, "probability"]
        for number, ((_, test), probability) in enumerate(zip(outer, probabilities, strict=True)):
            out_of_fold.iloc[test, number // self.folds] = probability
        with threadpool_limits(1):
            best = parameters[chosen.name]
            model = chosen.fit_pipeline(self.preprocessor, best, self.seed, X, y)
        return Selection(chosen, best, model, table, out_of_fold)

    def _run(
        self, splits: list[Split], X: pd.DataFrame, y: pd.Series, progress: Progress | None
    ) -> list[tuple[Parameters, pd.DataFrame]]:
        """Search and score the splits in parallel; results in the order of the splits."""
        results: list[Any] = [None] * len(splits)
        jobs = (delayed(self._search_and_score)(n, split, X, y) for n, split in enumerate(splits))
        if progress:
            progress(0, len(splits))
        parallel = Parallel(self.n_jobs, return_as="generator_unordered", pre_dispatch="all")
        for done, (number, *result) in enumerate(parallel(jobs), start=1):
            results[number] = result
            if progress:
                progress(done, len(splits))
        return results

    def _search_and_score(
        self, number: int, split: Split, X: pd.DataFrame, y: pd.Series
    ) -> tuple[int, Parameters, pd.DataFrame]:
        """Choose hyper-parameters on the training rows, then score on the test rows, if any."""
        train, test = split
        with threadpool_limits(1):  # a sum over threads depends on how many there are
            parameters = self._search(X.iloc[train], y.iloc[train])
            scores = self._score(parameters, split, X, y) if len(test) else pd.DataFrame()
        return number, parameters, scores

    def _search(self, X: pd.DataFrame, y: pd.Series) -> Parameters:
        """The hyper-parameters of each candidate with the least mean log loss over inner folds."""
        tried = {candidate.name: candidate.settings() for candidate in self.candidates}
        losses = {name: np.zeros(len(settings)) for name, settings in tried.items()}
        searched = [c for c in self.candidates if len(tried[c.name]) > 1]
        for split in stratified_splits(y, self.inner_folds, 1, self.seed) if searched else ():
            y_seen, y_unseen = (y.iloc[rows] for rows in split)
            for candidate, seen, unseen in self._encoded(searched, split, X, y):
                for i, parameters in enumerate(tried[candidate.name]):
                    estimator = candidate.fit(parameters, self.seed, seen, y_seen)
                    probability = estimator.predict_proba(unseen)[:, 1]
                    losses[candidate.name][i] += log_loss(y_unseen, probability, labels=[0, 1])
        return {name: tried[name][int(np.argmin(losses[name]))] for name in tried}

    def _score(
        self, parameters: Parameters, split: Split, X: pd.DataFrame, y: pd.Series
    ) -> pd.DataFrame:
        """A row a candidate with its scores and probabilities on the test rows."""
        rows = []
        y_seen, y_unseen = (y.iloc[rows] for rows in split)
        for candidate, seen, unseen in self._encoded(self.candidates, split, X, y):
            start = time.perf_counter()
            estimator = candidate.fit(parameters[candidate.name], self.seed, seen, y_seen)
            seconds = time.perf_counter() - start
            probability = estimator.predict_proba(unseen)[:, 1]
            rows.append(
                {
                    "candidate": candidate.name,
                    "log_loss": log_loss(y_unseen, probability, labels=[0, 1]),
                    "roc_auc": roc_auc_score(y_unseen, probability),
                    "accuracy": accuracy_score(y_unseen, probability >= 0.5),
                    "fit_seconds": seconds,
                    "probability": probability,
                }
            )
        return pd.DataFrame(rows)

    def _encoded(
        self, candidates: Sequence[Candidate], split: Split, X: pd.DataFrame, y: pd.Series
    ) -> Iterator[tuple[Candidate, np.ndarray, np.ndarray]]:
        """Each candidate with its matrices of training and test rows; the shared ones made once."""
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
