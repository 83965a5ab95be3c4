"""How we learn and choose: nested cross-validation, selection among candidates, the final fit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sklearn.base import TransformerMixin
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from titanic_ml.dataset.splits import Split, grouped_splits, stratified_splits
from titanic_ml.errors import DataError
from titanic_ml.evaluation.metrics import row_losses
from titanic_ml.evaluation.result import OutOfFold
from titanic_ml.training.fold import Choice, Fold, Search
from titanic_ml.training.model_comparison import compare, simplest_within
from titanic_ml.training.result import Selection
from titanic_ml.training.stability import stability_of_choice
from titanic_ml.training.workers import in_parallel

if TYPE_CHECKING:
    from titanic_ml.estimator.candidate import Candidate

FoldProgress = Callable[[int, int], None]
NONE = np.arange(0)  # no rows
Finished = MutableMapping[str, Any]  # what an interrupted run had finished, by its name


@dataclass(frozen=True)
class Trainer:  # numpydoc ignore=PR02
    """Choose a candidate by nested cross-validation, and fit it on all rows.

    Hyper-parameters are chosen inside each outer fold, so that an outer score measures the tuning
    too (Varma and Simon 2006). The threshold is chosen there as well, for the chosen candidate
    alone, since the log loss needs none. Candidates are ranked by log loss on the same outer
    folds; a simpler candidate within the tolerance of the best is preferred. Their differences are
    tested with the corrected resampled t-test (Nadeau and Bengio 2003), for information. A
    candidate that can't be fitted on the rows of a fold, or has a lower `max_rows`, is left out.

    Parameters
    ----------
    preprocessor
        Unfitted transformer; a clone is fitted on the training rows of each fold.
    candidates
        The algorithms to choose from.
    repeats
        Number of times that the outer folds are drawn.
    folds
        Number of outer folds.
    inner_folds
        Number of inner folds.
    tolerance
        Largest difference in log loss to the best for which a simpler candidate is preferred.
    threshold_metric
        Metric that the threshold maximises, see `threshold.choose_threshold`.
    seed
        Seed of folds and estimators.
    n_jobs
        Number of processes; it never changes a result.
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
        progress: FoldProgress | None = None,
        finished: Finished | None = None,
    ) -> Selection:
        """Choose a candidate and fit it.

        Parameters
        ----------
        X
            Columns of the table, (n, columns).
        y
            Target, 0 or 1, (n,).
        progress
            Called with the numbers of finished folds and of all folds, first before the first fold.
        finished
            Results by the name of their fold. Folds that it contains are not computed again; the
            others are added.

        Returns
        -------
        Selection
            The chosen and fitted candidate, and the scores of all candidates.

        Raises
        ------
        DataError
            A class has fewer rows than there are folds, or no candidate can be fitted.
        """
        outer = stratified_splits(y, self.folds, self.repeats, self.seed)
        failed = {c.name: why for c in self.candidates if (why := c.too_many(len(y)))}
        tried = [c for c in self.candidates if c.name not in failed]
        jobs = {"all rows": (np.arange(len(y)), NONE)}
        jobs |= {f"fold {number}": split for number, split in enumerate(outer, start=1)}
        found = self._search(tried, jobs, X, y, progress, finished, thresholds=False)
        failed |= dict(pair for fold in found for pair in fold.failed.items())
        chosen = None
        while chosen is None:
            able = [c for c in self.candidates if c.name not in failed]
            if not able:
                raise DataError(next(iter(failed.values())))
            best, table = self._best(able, found[1:])
            try:
                whole, *choices = self._choices(best, jobs, found, X, y, finished)
                chosen = best
            except DataError as error:  # from fewer rows yet, those of an inner fold
                failed[best.name] = str(error)
        wanted = [candidate for candidate in able if candidate is chosen or candidate.baseline]
        fitted = self._fitted(wanted, found[0], X, y)
        scored = self._probabilities(able, outer, found[1:], X)
        complexity, losses = {c.name: c.complexity for c in able}, _row_losses(scored, y)
        stability = stability_of_choice(losses, chosen.name, complexity, self.tolerance, self.seed)
        table["chosen_share"] = [stability.shares[name] for name in table.index]
        return Selection(
            able,
            chosen,
            **vars(whole),
            model=fitted[chosen.name],
            baselines={c.label: fitted[c.name] for c in able if c.baseline},
            table=table,
            out_of_fold=self._out_of_fold(chosen, able, outer, scored, choices),
            folds=list(zip(outer, choices, strict=True)),
            stability=stability,
            left_out={c.label: failed[c.name] for c in self.candidates if c.name in failed},
        )

    def _fitted(
        self, candidates: Sequence[Candidate], whole: Fold, X: pd.DataFrame, y: pd.Series
    ) -> dict[str, Pipeline]:
        """Candidates by name, fitted on all rows with the parameters chosen on all rows."""
        with threadpool_limits(1):
            return {
                c.name: c.fit_pipeline(
                    self.preprocessor, whole.choices[c.name].parameters, self.seed, X, y
                )
                for c in candidates
            }

    def _best(
        self, able: Sequence[Candidate], folds: Sequence[Fold]
    ) -> tuple[Candidate, pd.DataFrame]:
        """Return the candidate to choose, and the table of scores."""
        by_name = {candidate.name: candidate for candidate in able}
        scores = pd.concat([fold.scores for fold in folds])
        table = compare(scores[scores["candidate"].isin(by_name)], 1 / (self.folds - 1))
        table.insert(0, "label", [by_name[name].label for name in table.index])
        complexity = {name: candidate.complexity for name, candidate in by_name.items()}
        return by_name[simplest_within(dict(table["log_loss"]), complexity, self.tolerance)], table

    def _choices(
        self,
        chosen: Candidate,
        jobs: dict[str, Split],
        found: Sequence[Fold],
        X: pd.DataFrame,
        y: pd.Series,
        finished: Finished | None,
    ) -> list[Choice]:
        """Return the choices for the candidate in each job, with a threshold.

        Raises `DataError` if it can't learn from the rows of an inner fold.
        """
        choices = [_choice(chosen, fold) for fold in found]
        if all(choice.threshold is not None for choice in choices):
            return choices
        place = self.candidates.index(chosen)
        inner = {f"threshold {place} in {name}": (train, NONE) for name, (train, _) in jobs.items()}
        again = self._search([chosen], inner, X, y, None, finished)
        return [_choice(chosen, fold) for fold in again]

    def grouped_splits(self, y: pd.Series, groups: np.ndarray) -> list[Split]:
        """Split the rows once into outer folds that keep each group together.

        Parameters
        ----------
        y
            Target, 0 or 1, (n,).
        groups
            Number of each row's group, (n,).

        Returns
        -------
        list of Split
            Row numbers of training and test rows of each fold.

        Raises
        ------
        DataError
            There are fewer groups than folds.
        """
        return grouped_splits(y, groups, self.folds, self.seed)

    def estimate(
        self,
        candidates: Sequence[Candidate],
        chosen: Candidate,
        splits: Sequence[Split],
        X: pd.DataFrame,
        y: pd.Series,
        progress: FoldProgress | None = None,
        finished: Finished | None = None,
    ) -> tuple[OutOfFold, dict[str, float]]:
        """Score the compared candidates on other outer splits, such as grouped ones.

        Parameters
        ----------
        candidates
            The candidates compared by `train`.
        chosen
            The candidate chosen by `train`.
        splits
            Outer splits, repeat by repeat.
        X
            Columns of the table, (n, columns).
        y
            Target, 0 or 1, (n,).
        progress
            Called with the numbers of finished folds and of all folds.
        finished
            Results by the name of their fold, as in `train`.

        Returns
        -------
        out_of_fold : OutOfFold
            Out-of-fold predictions of the chosen candidate and the baselines.
        log_loss : dict
            Mean log loss over the folds, by the name of each candidate that could be fitted in all
            of them.

        Raises
        ------
        DataError
            The chosen candidate can't be fitted on the rows of a fold.
        """
        jobs = {f"other fold {number}": split for number, split in enumerate(splits, start=1)}
        folds = self._search(candidates, jobs, X, y, progress, finished, thresholds=False)
        choices = self._choices(chosen, jobs, folds, X, y, finished)
        failed = {name for fold in folds for name in fold.failed}
        able = [c for c in candidates if c.name not in failed]
        scored = self._probabilities(able, splits, folds, X)
        losses = pd.concat([fold.scores for fold in folds]).groupby("candidate")["log_loss"].mean()
        return (
            self._out_of_fold(chosen, able, splits, scored, choices),
            {c.name: float(losses[c.name]) for c in able},
        )

    def _search(
        self,
        candidates: Sequence[Candidate],
        jobs: dict[str, Split],
        X: pd.DataFrame,
        y: pd.Series,
        progress: FoldProgress | None,
        finished: Finished | None,
        thresholds: bool = True,
    ) -> list[Fold]:
        """Run the splits that are not finished in parallel; results in the order of the splits."""
        found = {} if finished is None else finished
        results = {name: found[name] for name in jobs if name in found}
        if progress:
            progress(len(results), len(jobs))
        search = Search(
            self.preprocessor,
            candidates,
            self.inner_folds,
            self.threshold_metric,
            self.seed,
            thresholds,
        )

        def run(name: str) -> tuple[str, Fold]:
            return name, search.run(jobs[name], X, y)

        missing = [(name,) for name in jobs if name not in results]
        for name, fold in in_parallel(self.n_jobs, run, missing, ordered=False):
            results[name] = found[name] = fold
            if progress:
                progress(len(results), len(jobs))
        return [results[name] for name in jobs]

    def _probabilities(
        self,
        candidates: Sequence[Candidate],
        splits: Sequence[Split],
        folds: Sequence[Fold],
        X: pd.DataFrame,
    ) -> dict[str, pd.DataFrame]:
        """Out-of-fold probabilities by candidate, a column a repeat."""
        tables = [fold.scores.set_index("candidate") for fold in folds]
        return {
            c.name: self._columns(splits, (t["probability"][c.name] for t in tables), X.index)
            for c in candidates
        }

    def _columns(
        self, splits: Sequence[Split], of_folds: Iterable[Any], index: pd.Index
    ) -> pd.DataFrame:
        """Put the values of the folds' test rows into columns, a repeat each."""
        repeats = len(splits) // self.folds
        values = np.zeros((len(index), repeats))
        for number, ((_, test), found) in enumerate(zip(splits, of_folds, strict=True)):
            values[test, number // self.folds] = found
        names = [f"repeat_{number}" for number in range(1, repeats + 1)]
        return pd.DataFrame(values, index=index, columns=names)

    def _out_of_fold(
        self,
        chosen: Candidate,
        candidates: Sequence[Candidate],
        splits: Sequence[Split],
        scored: Mapping[str, pd.DataFrame],
        choices: Sequence[Choice],
    ) -> OutOfFold:
        found = scored[chosen.name]
        thresholds = self._columns(splits, (choice.threshold for choice in choices), found.index)
        return OutOfFold(
            found,
            (found >= thresholds).astype(int),
            {c.label: scored[c.name].to_numpy() for c in candidates if c.baseline},
        )


def _row_losses(scored: Mapping[str, pd.DataFrame], y: pd.Series) -> pd.DataFrame:
    """Average the log loss of each row over repeats, (n, candidates)."""
    return pd.DataFrame(
        {
            name: np.mean([row_losses(y, table[repeat]) for repeat in table], axis=0)
            for name, table in scored.items()
        }
    )


def _choice(candidate: Candidate, fold: Fold) -> Choice:
    """Return the choices for the candidate. Raises `DataError` if it could not learn."""
    if candidate.name in fold.failed:
        raise DataError(fold.failed[candidate.name])
    return fold.choices[candidate.name]
