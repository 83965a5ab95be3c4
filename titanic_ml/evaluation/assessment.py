"""Evaluate the selected model: metrics, importance, partial dependence, learning curve."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from titanic_ml.dataset.dataset import Dataset
from titanic_ml.evaluation.bootstrap import mean_interval
from titanic_ml.evaluation.dependence import dependence, dependence_of_fold, grids
from titanic_ml.evaluation.evaluator import Evaluator
from titanic_ml.evaluation.importance import feature_groups, importance, importance_of_fold
from titanic_ml.evaluation.metrics import row_losses
from titanic_ml.evaluation.result import (
    Dependence,
    Estimate,
    Evaluation,
    Importance,
    LearningPoint,
    OutOfFold,
)

BACKGROUND = 100  # training rows kept with a version at least, as background of explanations
BASE_ERROR = 0.005  # largest difference of their mean prediction from that of all rows
DEPENDENCE = 60  # rows per fold of a partial dependence


@dataclass(frozen=True, repr=False)
class Assessment:
    """Evaluation of the selected model, all of it on rows that it had not seen.

    Attributes
    ----------
    evaluation
        Out-of-fold metrics in ungrouped, stratified folds.
    grouped
        The same in grouped folds; None if the dataset names no groups.
    grouped_gap
        Increase of the log loss in grouped folds, from paired differences of the rows; None if the
        dataset names no groups.
    importance, dependence, learning_curve
        Results of the functions of these names.
    groups
        Clusters of correlated features.
    background
        Features of training rows that represent all of them, see `background_rows`.
    """

    evaluation: Evaluation
    grouped: Evaluation | None
    importance: list[Importance]
    dependence: list[Dependence]
    learning_curve: list[LearningPoint]
    groups: list[list[str]]
    background: pd.DataFrame
    grouped_gap: Estimate | None = None


@dataclass(frozen=True)
class FoldInspection:
    """Permutation importance and partial dependence of one model, on rows that it had not seen.

    Attributes
    ----------
    groups
        Clusters of correlated features, permuted together.
    grids
        Values at which the partial dependence is computed, by column.
    seed
        Governs permutations and the sample of rows.
    """

    groups: list[list[str]]
    grids: dict[str, list[Any]]
    seed: int

    def __call__(
        self, model: Pipeline, X: pd.DataFrame, y: pd.Series
    ) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Apply to the model of a fold and its test rows X, (n, columns), and y, (n,)."""
        relies = importance_of_fold(model, X, y, self.groups, seed=self.seed)
        return relies, dependence_of_fold(model, X, self.grids, DEPENDENCE, self.seed)


@dataclass(frozen=True)
class Assessor:
    """Evaluates a selected model on the table that it was selected on.

    Attributes
    ----------
    evaluator
        Measures, and says how confident the intervals are.
    dataset
        The training table.
    features, probability
        The features of its rows, (n, features), and the selected model's predictions for them,
        (n,).
    kinds
        Kind of each column.
    slices
        Slice of each row, by the name of the slicing.
    groups
        Label of each row's group, (n,); None if the rows are independent.
    """

    evaluator: Evaluator
    dataset: Dataset
    features: pd.DataFrame
    probability: np.ndarray
    kinds: Mapping[str, str]
    slices: Mapping[str, pd.Series]
    groups: np.ndarray | None = None

    def inspection(self) -> FoldInspection:
        """Return the computations of each fold, with its model and test rows."""
        values = grids(self.dataset.X, self.kinds)
        return FoldInspection(feature_groups(self.features), values, self.evaluator.seed)

    def assess(
        self,
        threshold: float,
        out_of_fold: OutOfFold,
        grouped: OutOfFold | None,
        inspection: FoldInspection,
        inspected: Sequence[tuple[np.ndarray, dict[str, np.ndarray]]],
        order: np.ndarray,
        learning_curve: list[LearningPoint],
    ) -> Assessment:
        """Join the results of the folds.

        Parameters
        ----------
        threshold
            Decision threshold of the selected model.
        out_of_fold, grouped
            Its out-of-fold predictions in ungrouped and in grouped folds.
        inspection, inspected
            The computation done in each fold, and its results.
        order
            Positions of the rows in the order of these folds, (n,).
        learning_curve
            Points of the learning curve.

        Returns
        -------
        Assessment
            Evaluations, importance, dependence and learning curve.
        """
        seed, confidence = self.evaluator.seed, self.evaluator.confidence
        importances, dependences = zip(*inspected, strict=True)
        return Assessment(
            self._evaluate(threshold, out_of_fold),
            None if grouped is None else self._evaluate(threshold, grouped),
            importance(
                importances,
                inspection.groups,
                confidence,
                seed,
                None if self.groups is None else self.groups[order],
            ),
            dependence(dependences, inspection.grids, self.kinds, confidence, seed),
            learning_curve,
            inspection.groups,
            self.features.iloc[background_rows(self.probability)],
            None if grouped is None else self._gap(out_of_fold, grouped),
        )

    def _gap(self, ungrouped: OutOfFold, grouped: OutOfFold) -> Estimate:
        """Return the increase of the log loss in grouped folds, with its interval."""
        truth = self.dataset.labelled[1].to_numpy()[:, None]
        before, after = (
            row_losses(truth, found.probability.to_numpy()).mean(axis=1, keepdims=True)
            for found in (ungrouped, grouped)
        )
        seed, confidence = self.evaluator.seed, self.evaluator.confidence
        ends = mean_interval(after - before, confidence, seed, self.groups)
        return Estimate(*(float(end[0]) for end in ends))

    def _evaluate(self, threshold: float, predictions: OutOfFold) -> Evaluation:
        measured = self.evaluator.evaluate(
            self.dataset.labelled[1].to_numpy(),
            predictions.probability.to_numpy(),
            threshold,
            prediction=predictions.prediction.to_numpy(),
            baselines=predictions.baselines,
            slices=self.slices,
            groups=self.groups,
        )
        return replace(measured, out_of_fold=True)


def background_rows(probability: np.ndarray) -> np.ndarray:
    """Return the positions of rows with nearly the mean prediction of all rows.

    They are a systematic sample of the rows in order of their prediction: `BACKGROUND` rows, or as
    many more as it takes for the mean to be within `BASE_ERROR` of the mean over all rows.

    Parameters
    ----------
    probability : (n,) array, predicted probability of class 1

    Returns
    -------
    (k,) array of positions in ascending order, k <= n

    >>> background_rows(np.linspace(0, 1, 1000))[:3].tolist()
    [5, 15, 25]
    """
    order = np.argsort(probability, kind="stable")
    size = min(BACKGROUND, len(order))
    while True:
        rows = order[((np.arange(size) + 0.5) * len(order) / size).astype("int64")]
        error = abs(probability[rows].mean() - probability.mean())
        if size == len(order) or error <= BASE_ERROR:
            return np.sort(rows)
        size = min(2 * size, len(order))
