"""Columns that predict too well alone, as one does that is known only after the outcome."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from titanic_ml.dataset.splits import Split

FOLDS = 5
BINS = 32  # ranges of equal size of a number
PRIOR_ROWS = 1.0  # rows with the overall rate that are added to each bin


def leak_folds(y: np.ndarray, seed: int = 0) -> list[Split]:
    """Return the stratified folds of `explained_by`, once for all columns."""
    fold = np.empty(len(y), dtype="int64")  # scikit-learn would take a second to import
    for label in (0, 1):
        rows = np.flatnonzero(y == label)
        fold[rows] = np.random.default_rng(seed).permutation(len(rows)) % FOLDS
    return [(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in range(FOLDS)]


def explained_by(values: pd.Series, y: np.ndarray, folds: Sequence[Split]) -> float:
    """Return the share of the log loss that one column explains, in cross-validation.

    Numbers are cut into ranges of equal size, and a missing value is a range of its own. The rate
    of the target in each range or category is estimated on the training rows of a fold.

    Parameters
    ----------
    values : (n,) numbers or words of the column
    y : (n,) array of 0 and 1
    folds : result of `leak_folds`

    Returns
    -------
    1 if the column predicts the target surely, 0 if it is no better than the overall rate, and less
    than 0 if it is worse.

    >>> y = np.array([0, 1] * 500)
    >>> folds = leak_folds(y)
    >>> round(explained_by(pd.Series(y), y, folds), 1)
    1.0
    >>> explained_by(pd.Series(np.zeros(1000)), y, folds)
    0.0
    """
    codes = _codes(values)
    losses, base = 0.0, 0.0
    for train, test in folds:
        prior = y[train].mean()
        rows = np.bincount(codes[train], minlength=codes.max() + 1)
        positives = np.bincount(codes[train], y[train], minlength=codes.max() + 1)
        rates = (positives + PRIOR_ROWS * prior) / (rows + PRIOR_ROWS)
        losses += _loss(y[test], rates[codes[test]])
        base += _loss(y[test], np.full(len(test), prior))
    return 1 - losses / base


def _codes(values: pd.Series) -> np.ndarray:
    """Number the ranges of numbers, or the words; missing values have the last number."""
    if pd.api.types.is_numeric_dtype(values):
        numbers = values.to_numpy("float64")
        known = numbers[~np.isnan(numbers)]
        if not len(known):
            return np.zeros(len(numbers), dtype="int64")
        edges = np.unique(np.quantile(known, np.linspace(0, 1, BINS + 1)[1:-1], method="lower"))
        codes = np.searchsorted(edges, numbers)
        return np.where(np.isnan(numbers), len(edges) + 1, codes)
    codes, words = pd.factorize(values)
    return np.where(codes < 0, len(words), codes)


def _loss(y: np.ndarray, p: np.ndarray) -> float:
    return float(-np.log(np.where(y == 1, p, 1 - p)).sum())
