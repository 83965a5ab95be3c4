"""The parts of a fitted Pipeline: its features, and the rest from features to probabilities."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

FEATURES = "features"  # the step that makes features of the table's columns, if there is one
AT_ONCE = 20_000  # rows from which on a question is not made larger


def split_features(model: Pipeline, X: pd.DataFrame) -> tuple[pd.DataFrame, Pipeline]:
    """Return the features of X, (n, columns), and the rest of the pipeline after them.

    A model without features takes the table's columns as they are.
    """
    if FEATURES not in model.named_steps:
        return X, model
    return model.named_steps[FEATURES].transform(X), model[1:]


def stacked_probabilities(model: Pipeline, frames: Iterable[pd.DataFrame]) -> list[np.ndarray]:
    """Predict the probability of class 1 for several frames in one call, (n,) each.

    Small frames are concatenated, to amortise the overhead of a call.
    """
    found: list[np.ndarray] = []
    waiting: list[pd.DataFrame] = []

    def ask() -> None:
        sizes = np.cumsum([len(frame) for frame in waiting])
        probability = model.predict_proba(pd.concat(waiting, ignore_index=True))[:, 1]
        found.extend(np.split(probability, sizes[:-1]))
        waiting.clear()

    for frame in frames:
        waiting.append(frame)
        if sum(map(len, waiting)) >= AT_ONCE:
            ask()
    if waiting:
        ask()
    return found
