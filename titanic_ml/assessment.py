"""All that is measured of the chosen model once it is chosen: the second half of a training."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.pipeline import Pipeline

from titanic_ml.config import build
from titanic_ml.dataset import Dataset, Split, grouped_splits
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


@dataclass(frozen=True)
class Parts:
    """How a table is divided to be judged: the slices of its rows, and splits by its groups."""

    slices: dict[str, pd.Series]
    splits: list[Split]

    @classmethod
    def of(cls, trainer: Trainer, dataset: Dataset, settings: Settings) -> Parts:
        """Divide the table as the dataset's settings say.

        Raises `SettingsError` if slices or groups can't be made of it, `DataError` if there are
        fewer groups than folds.
        """
        slices = slice_labels(dataset.X, settings.dataset.get("slices") or {})
        node = settings.dataset.get("groups")
        if not node:
            return cls(slices, [])
        groups, sizes = build(node)(dataset.X), (trainer.folds, trainer.repeats)
        return cls(slices, grouped_splits(dataset.y, groups, *sizes, settings.seed))

    def steps(self, trainer: Trainer) -> int:
        """How many steps a training has, from the first fold to the last look."""
        return 1 + trainer.repeats * trainer.folds + len(self.splits) + 2


def assess(
    trainer: Trainer,
    selection: Selection,
    dataset: Dataset,
    parts: Parts,
    settings: Settings,
    progress: Callable[[int, int], None],
    finished: Finished | None = None,
) -> Assessment:
    """Measure the chosen model on rows that it had not seen, and look at how it answers.

    `progress` is called stage by stage with the number of steps done and of the stage's;
    `finished` as in `Trainer`. Raises `DataError` as `Trainer` does.
    """
    X, y, seed = dataset.X, dataset.y, settings.seed
    evaluator = Evaluator(**asdict(settings.evaluation), seed=seed)

    def measure(out_of_fold: OutOfFold) -> Evaluation:
        return evaluator.evaluate(
            y.to_numpy(),
            out_of_fold.probability.to_numpy(),
            selection.threshold,
            answer=out_of_fold.answer.to_numpy(),
            baselines=out_of_fold.baselines,
            slices=parts.slices,
        )

    evaluation, strangers = measure(selection.out_of_fold), None
    if parts.splits:
        out_of_fold = trainer.estimate(selection.chosen, parts.splits, X, y, progress, finished)
        strangers = measure(out_of_fold)
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
