"""All that is measured of the chosen model once it is chosen: the second half of a training."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.pipeline import Pipeline

from titanic_ml.config import build
from titanic_ml.dataset import Dataset, grouped_splits
from titanic_ml.evaluation import Evaluator
from titanic_ml.importance import (
    dependence,
    dependence_of_fold,
    feature_groups,
    grids,
    importance,
    importance_of_fold,
)
from titanic_ml.inspection import Inspector
from titanic_ml.results import Assessment
from titanic_ml.schema import Schema
from titanic_ml.scores import Evaluation
from titanic_ml.selection import OutOfFold, Selection
from titanic_ml.settings import Settings
from titanic_ml.slices import slice_labels
from titanic_ml.training import Finished, Trainer

BACKGROUND = 100  # rows kept with a version, to compare a row with when it is explained
DEPENDENCE = 60  # rows a fold that are asked for a partial dependence


def assess(
    trainer: Trainer,
    selection: Selection,
    dataset: Dataset,
    settings: Settings,
    progress: Callable[[int, int], None],
    finished: Finished | None = None,
) -> Assessment:
    """Measure the chosen model on rows that it had not seen, and look at how it answers.

    `progress` is called stage by stage with the number of steps done and of the stage's;
    `finished` as in `Trainer`. Raises `DataError` if there are fewer groups than folds, and
    `SettingsError` if slices or groups can't be made of the table.
    """
    X, y, seed = dataset.X, dataset.y, settings.seed
    slices = slice_labels(X, settings.dataset.get("slices") or {})
    evaluator = Evaluator(**asdict(settings.evaluation), seed=seed)

    def measure(out_of_fold: OutOfFold) -> Evaluation:
        return evaluator.evaluate(
            y.to_numpy(),
            out_of_fold.probability.to_numpy(),
            selection.threshold,
            answer=out_of_fold.answer.to_numpy(),
            baselines=out_of_fold.baselines,
            slices=slices,
        )

    evaluation, strangers = measure(selection.out_of_fold), None
    if groups_node := settings.dataset.get("groups"):
        groups = build(groups_node)(X)
        splits = grouped_splits(y, groups, trainer.folds, trainer.repeats, seed)
        strangers = measure(trainer.estimate(selection.chosen, splits, X, y, progress, finished))
    features = features_as_trained(selection.model, X, y)
    groups = feature_groups(features)
    kinds = {name: c.kind for name, c in Schema.from_dict(settings.dataset).columns.items()}
    values = grids(X, kinds)
    inspector = Inspector(
        selection.chosen,
        trainer.preprocessor,
        selection.folds[: trainer.folds],
        seed,
        trainer.n_jobs,
    )
    looks = inspector.look(partial(_look, groups=groups, values=values, seed=seed), X, y)
    progress(1, 2)
    curve = inspector.learning_curve(X, y)
    progress(2, 2)
    importances, dependences = zip(*looks, strict=True)
    kept = np.sort(np.random.default_rng(seed).permutation(len(X))[:BACKGROUND])
    return Assessment(
        evaluation,
        strangers,
        importance(importances, groups, seed),
        dependence(dependences, values, kinds, seed),
        curve,
        groups,
        features.iloc[kept],
    )


def stages(trainer: Trainer, settings: Settings) -> int:
    """How many steps a training has, from the first fold to the last look."""
    folds = trainer.repeats * trainer.folds
    return 1 + folds + folds * bool(settings.dataset.get("groups")) + 2


def features_as_trained(model: Pipeline, X: pd.DataFrame, y: pd.Series) -> pd.DataFrame:
    """The features of the training rows, as they were when the model was fitted on them.

    `transform` would give others where a feature is learned from the rows' own outcome.
    """
    if "features" not in model.named_steps:
        return X
    return clone(model.named_steps["features"]).fit_transform(X, y)


def _look(
    model: Pipeline, X: pd.DataFrame, y: pd.Series, groups: Any, values: Any, seed: int
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """What one model of a fold relies on, and how it answers to each column."""
    relies = importance_of_fold(model, X, y, groups, seed=seed)
    return relies, dependence_of_fold(model, X, values, DEPENDENCE, seed)
