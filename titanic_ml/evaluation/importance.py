"""Permutation importance: what a model loses without a feature.

All is measured on rows that the model had not seen: `importance_of_fold` takes one model of a fold
and its test rows, `importance` puts the folds together.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import stats
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform
from sklearn.pipeline import Pipeline

from titanic_ml.evaluation.bootstrap import mean_interval
from titanic_ml.evaluation.metrics import row_losses
from titanic_ml.evaluation.multiplicity import holm
from titanic_ml.evaluation.parts import split_features, stacked_probabilities
from titanic_ml.evaluation.result import Estimate, Importance

CORRELATED = 0.4  # mean absolute rank correlation from which on features are one group


def feature_groups(features: pd.DataFrame, correlated: float = CORRELATED) -> list[list[str]]:
    """Return groups of correlated features, each in the order of the table.

    The likeness of two features is the largest absolute rank correlation of their columns, a
    category having a column for each value; features are joined by average linkage. Permuting one
    of two alike shows nothing, since the other has the information (as in scikit-learn's example on
    permutation importance with correlated features).

    >>> frame = pd.DataFrame({"a": [1, 2, 3, 4], "b": [2, 4, 6, 9], "c": ["x", "y", "y", "x"]})
    >>> feature_groups(frame)
    [['a', 'b'], ['c']]
    """
    names = list(features)
    if len(names) < 2:
        return [names]
    columns, owner = [], []
    for i, name in enumerate(names):
        numeric = pd.api.types.is_numeric_dtype(features[name])
        part = features[[name]] if numeric else pd.get_dummies(features[name])
        part = part.loc[:, part.nunique() > 1].astype("float64")
        columns.append(part.to_numpy())
        owner += [i] * part.shape[1]
    values, owners = np.hstack(columns), np.array(owner)
    alike = np.eye(len(names))
    if values.shape[1] > 1:  # of the rows that have both values
        if np.isnan(values).any():
            found = pd.DataFrame(values).corr("spearman").to_numpy()
        else:
            found = np.corrcoef(stats.rankdata(values, axis=0), rowvar=False)
        correlation = np.abs(np.nan_to_num(found))
        np.maximum.at(alike, (owners[:, None], owners[None, :]), correlation)
    distance = squareform(1 - np.clip(alike, 0, 1), checks=False)
    cluster = fcluster(linkage(distance, "average"), 1 - correlated, "distance")
    groups = [[n for n, c in zip(names, cluster, strict=True) if c == k] for k in set(cluster)]
    return sorted(groups, key=lambda group: names.index(group[0]))


def items(groups: Sequence[Sequence[str]]) -> list[list[str]]:
    """Return what is permuted: every feature alone, and every group of two or more."""
    return [[name] for group in groups for name in group] + [list(g) for g in groups if len(g) > 1]


def importance_of_fold(
    model: Pipeline,
    X: pd.DataFrame,
    y: pd.Series,
    groups: Sequence[Sequence[str]],
    repeats: int = 5,
    seed: int = 0,
) -> np.ndarray:
    """Return the increase of each row's log loss when features are permuted, (rows, items).

    Each item of `items(groups)` is permuted among the rows `repeats` times, the features of a
    group together (Breiman 2001; Fisher, Rudin and Dominici 2019), and the increase averaged.
    """
    features, rest = split_features(model, X)
    truth, random = y.to_numpy(), np.random.default_rng(seed)
    before = row_losses(truth, rest.predict_proba(features)[:, 1])
    orders = np.concatenate([random.permutation(len(X)) for _ in range(repeats)])
    again = pd.concat([features] * repeats, ignore_index=True)

    def permuted(names: Sequence[str]) -> pd.DataFrame:
        changed = again.copy(deep=False)
        for name in names:
            changed[name] = features[name].array[orders]
        return changed

    after = np.stack(
        [
            row_losses(np.tile(truth, repeats), p)
            for p in stacked_probabilities(rest, map(permuted, items(groups)))
        ],
        axis=-1,
    )
    return after.reshape(repeats, len(X), -1).mean(axis=0) - before[:, None]


def importance(
    folds: Sequence[np.ndarray],
    groups: Sequence[Sequence[str]],
    confidence: float = 0.95,
    seed: int = 0,
    rows: np.ndarray | None = None,
) -> list[Importance]:
    """Average the increase of the log loss of each item, with its interval, the largest first.

    `rows` are the labels of the rows' groups, in the order of the folds; None without groups.
    """
    means, low, high = mean_interval(np.concatenate(folds), confidence, seed, rows)
    errors = (high - low) / (2 * stats.norm.isf((1 - confidence) / 2))
    ratios = np.divide(means, errors, out=np.zeros(len(means)), where=errors > 0)
    found = [
        Importance(names, Estimate(*map(float, values)), p)
        for names, *values, p in zip(
            items(groups), means, low, high, holm(stats.norm.sf(ratios).tolist()), strict=True
        )
    ]
    return sorted(found, key=lambda item: -item.loss.value)
