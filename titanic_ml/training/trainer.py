"""How we learn and choose: nested cross-validation, selection among candidates, the final fit."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sklearn.base import TransformerMixin
from threadpoolctl import threadpool_limits

from titanic_ml.dataset.splits import Split, grouped_splits, stratified_splits
from titanic_ml.errors import DataError
from titanic_ml.evaluation.result import OutOfFold
from titanic_ml.training.fold import Fold, Search
from titanic_ml.training.model_comparison import compare, simplest_within
from titanic_ml.training.result import Selection
from titanic_ml.training.workers import in_parallel

if TYPE_CHECKING:
    from titanic_ml.estimator.candidate import Candidate

Progress = Callable[[int, int], None]
Finished = MutableMapping[str, Any]  # what an interrupted run had finished, by its name


@dataclass(frozen=True)
class Trainer:
    """Chooses a candidate by nested cross-validation and fits it on all rows.

    Hyper-parameters and threshold are chosen inside each outer fold, so an outer score is that of
    the whole procedure (Varma and Simon 2006). Candidates are ranked by log loss on the same outer
    folds, and the least wins, but that a simpler one within the tolerance is preferred. Differences
    are tested with the corrected resampled t-test (Nadeau and Bengio 2003), for information. A
    candidate that can't learn from the rows of a fold, or for which they are too many, is left out.

    Attributes
    ----------
    preprocessor
        Unfitted; fitted anew on the training rows of each fold, and shared by all candidates.
    candidates
        The algorithms to choose from.
    repeats, folds, inner_folds
        Repetitions and number of the outer folds, number of the inner ones.
    tolerance
        Log loss by which a simpler candidate may be worse than the best.
    threshold_metric
        What the threshold maximises, see `threshold.choose_threshold`.
    seed
        Governs folds and estimators.
    n_jobs
        Processes; never changes a result.

    Every method takes the table's columns X, (n, columns), and the target y, (n,), 0 or 1. Where
    one takes them, `progress` is called with the number of folds done and of all, at the start and
    after each; `finished` keeps the results of the folds, and those that it holds are not computed
    again. `DataError` is raised if a class has too few rows for the folds, or if no candidate can
    learn from them.
    """

    preprocessor: TransformerMixin
    candidates: Sequence[Candidate]
    repeats: int = 3
    folds: int = 5
    inner_folds: int = 3
    tolerance: float = 0.005
    threshold_metric: str = "accuracy"
    seed: int = 0
    n_jobs: int = -1

    def train(
        self,
        X: pd.DataFrame,
        y: pd.Series,
        progress: Progress | None = None,
        finished: Finished | None = None,
    ) -> Selection:
        """Choose and fit."""
        outer = stratified_splits(y, self.folds, self.repeats, self.seed)
        failed = {c.name: why for c in self.candidates if (why := c.too_many(len(y)))}
        tried = [c for c in self.candidates if c.name not in failed]
        everything = np.arange(len(y)), np.arange(0)
        jobs = {"all rows": everything}
        jobs |= {f"fold {number}": split for number, split in enumerate(outer, start=1)}
        whole, *folds = self._search(tried, jobs, X, y, progress, finished)
        failed |= dict(pair for fold in (whole, *folds) for pair in fold.failed.items())
        by_name = {c.name: c for c in self.candidates if c.name not in failed}
        if not by_name:
            raise DataError(next(iter(failed.values())))
        scores = pd.concat([fold.scores for fold in folds])
        table = compare(scores[scores["candidate"].isin(by_name)], 1 / (self.folds - 1))
        table.insert(0, "label", [by_name[name].label for name in table.index])
        complexity = {name: candidate.complexity for name, candidate in by_name.items()}
        chosen = by_name[simplest_within(table, complexity, self.tolerance)]
        with threadpool_limits(1):
            fitted = {
                name: c.fit_pipeline(
                    self.preprocessor, whole.choices[name].parameters, self.seed, X, y
                )
                for name, c in by_name.items()
                if c is chosen or c.baseline
            }
        return Selection(
            list(by_name.values()),
            chosen,
            **vars(whole.choices[chosen.name]),
            model=fitted[chosen.name],
            baselines={c.label: fitted[name] for name, c in by_name.items() if c.baseline},
            table=table,
            out_of_fold=self._out_of_fold(chosen, list(by_name.values()), outer, folds, X),
            folds=[(s, fold.choices[chosen.name]) for s, fold in zip(outer, folds, strict=True)],
            left_out={c.label: failed[c.name] for c in self.candidates if c.name in failed},
        )

    def grouped_splits(self, y: pd.Series, groups: np.ndarray) -> list[Split]:
        """As many outer splits, the rows of a group, (n,) in `groups`, in one test fold together.

        Raises `DataError` if there are fewer groups than folds.
        """
        return grouped_splits(y, groups, self.folds, self.repeats, self.seed)

    def estimate(
        self,
        chosen: Candidate,
        splits: Sequence[Split],
        X: pd.DataFrame,
        y: pd.Series,
        progress: Progress | None = None,
        finished: Finished | None = None,
    ) -> OutOfFold:
        """Score the chosen candidate and the baselines on other outer splits, such as grouped ones.

        The splits are as many as in `train`, repeat by repeat.
        """
        candidates = [c for c in self.candidates if c.baseline or c.name == chosen.name]
        jobs = {f"other fold {number}": split for number, split in enumerate(splits, start=1)}
        folds = self._search(candidates, jobs, X, y, progress, finished)
        for fold in folds:
            if chosen.name in fold.failed:
                raise DataError(fold.failed[chosen.name])
        able = [c for c in candidates if not any(c.name in fold.failed for fold in folds)]
        return self._out_of_fold(chosen, able, splits, folds, X)

    def _search(
        self,
        candidates: Sequence[Candidate],
        jobs: dict[str, Split],
        X: pd.DataFrame,
        y: pd.Series,
        progress: Progress | None,
        finished: Finished | None,
    ) -> list[Fold]:
        """Run the splits that are not finished in parallel; results in the order of the splits."""
        found = {} if finished is None else finished
        results = {name: found[name] for name in jobs if name in found}
        if progress:
            progress(len(results), len(jobs))
        search = Search(
            self.preprocessor, candidates, self.inner_folds, self.threshold_metric, self.seed
        )

        def run(name: str) -> tuple[str, Fold]:
            return name, search.run(jobs[name], X, y)

        missing = [(name,) for name in jobs if name not in results]
        for name, fold in in_parallel(self.n_jobs, run, missing, ordered=False):
            results[name] = found[name] = fold
            if progress:
                progress(len(results), len(jobs))
        return [results[name] for name in jobs]

    def _out_of_fold(
        self,
        chosen: Candidate,
        candidates: Sequence[Candidate],
        splits: Sequence[Split],
        folds: Sequence[Fold],
        X: pd.DataFrame,
    ) -> OutOfFold:
        """Put the predictions of the folds into columns, a repeat each."""

        def column(candidate: str, what: str) -> np.ndarray:
            values = np.zeros((len(X), self.repeats))
            for number, ((_, test), fold) in enumerate(zip(splits, folds, strict=True)):
                row = fold.scores.set_index("candidate").loc[candidate]
                values[test, number // self.folds] = row[what]
            return values

        names = [f"repeat_{number}" for number in range(1, self.repeats + 1)]
        return OutOfFold(
            pd.DataFrame(column(chosen.name, "probability"), index=X.index, columns=names),
            pd.DataFrame(
                column(chosen.name, "prediction").astype(int), index=X.index, columns=names
            ),
            {c.label: column(c.name, "probability") for c in candidates if c.baseline},
        )
