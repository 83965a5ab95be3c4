"""Partial dependence: how a model's predictions change with each column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from titanic_ml.dataset.normalise import iso_date
from titanic_ml.evaluation.bootstrap import mean_interval
from titanic_ml.evaluation.parts import stacked_probabilities
from titanic_ml.evaluation.result import Dependence, DependencePoint

MISSING = "missing"  # what a missing value is called in a dependence


def grids(X: pd.DataFrame, kinds: Mapping[str, str], points: int = 12) -> dict[str, list[Any]]:
    """Grid of each column: quantiles or few distinct numbers, or the most frequent categories.

    `kinds` has the kind of each column; text is left out. A missing value is tried where the column
    has any.
    """
    found = {}
    for name in (name for name, kind in kinds.items() if kind != "text" and name in X):
        known = X[name].dropna()
        values = known.value_counts().index.tolist()
        if kinds[name] == "category":
            values = values[:points]
        elif len(values) > points:
            levels = np.linspace(0.01, 0.99, points)
            values = known.quantile(levels, interpolation="nearest").unique().tolist()
        if values:
            found[name] = sorted(values) + [None] * bool(X[name].isna().any())
    return found


def dependence_of_fold(
    model: Pipeline, X: pd.DataFrame, values: Mapping[str, Sequence[Any]], most: int, seed: int = 0
) -> dict[str, np.ndarray]:
    """Return the probabilities of some rows at each value of a column, (rows, values), by column.

    A partial dependence (Friedman 2001) is the mean over the rows. It shows how the model predicts,
    not what would have happened, and it may ask of rows that can't be.
    """
    random = np.random.default_rng(seed)
    rows = X.iloc[np.sort(random.permutation(len(X))[:most])]

    def tried(name: str) -> pd.DataFrame:
        column = values[name]
        repeated = pd.concat([rows] * len(column), ignore_index=True)
        each = pd.Series([v for v in column for _ in range(len(rows))], dtype=rows[name].dtype)
        repeated[name] = each
        return repeated

    found = dict(zip(values, stacked_probabilities(model, map(tried, values))))
    return {name: of.reshape(len(values[name]), -1).T for name, of in found.items()}


def _shown(value: Any, is_date: bool) -> Any:
    if value is None:
        return MISSING
    return iso_date(value) if is_date else value


def dependence(
    folds: Sequence[Mapping[str, np.ndarray]],
    values: Mapping[str, Sequence[Any]],
    kinds: Mapping[str, str],
    confidence: float = 0.95,
    seed: int = 0,
) -> list[Dependence]:
    """Compute the mean probability at each value of each column, with its interval over rows."""
    found = []
    for name, column in values.items():
        rows = np.concatenate([fold[name] for fold in folds])
        estimates = zip(*mean_interval(rows, confidence, seed), strict=True)
        is_date = kinds[name] == "date"
        points = [
            DependencePoint(_shown(value, is_date), *map(float, ends))
            for value, ends in zip(column, estimates, strict=True)
        ]
        found.append(Dependence(name, "category" if is_date else kinds[name], points))
    return found
