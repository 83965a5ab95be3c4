"""Scaling of numbers that outliers don't dominate."""

from __future__ import annotations

import numpy as np
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

NORMAL_IQR = 1.349  # of a normal distribution with a standard deviation of 1


class SquashingScaler(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Centre each number at its median, scale it by its quartiles, and squash it smoothly.

    With z = (x - median) / (interquartile range / 1.349) the result is z / sqrt(1 + (z / limit)²),
    so it is nearly z for usual values, and between -limit and limit for any (Holzmüller, Grinsztajn
    and Steinwart 2024). A column with an interquartile range of 0 is scaled by its standard
    deviation, a constant one by 1.

    Parameters
    ----------
    limit
        Bound of the result.

    Attributes
    ----------
    center_, scale_
        Median and scale of each column, (columns,).

    Examples
    --------
    >>> x = np.array([[1.0], [2.0], [3.0], [4.0], [1e9]])
    >>> SquashingScaler().fit_transform(x).round(2).ravel().tolist()
    [-1.23, -0.66, 0.0, 0.66, 3.0]
    """

    def __init__(self, limit: float = 3.0):
        self.limit = limit

    def fit(self, X: np.ndarray, y: object = None) -> SquashingScaler:
        """Learn medians and scales.

        Parameters
        ----------
        X
            Numbers, (n, columns).
        y
            Ignored.

        Returns
        -------
        SquashingScaler
            The fitted transformer.
        """
        X = validate_data(self, X, dtype="float64")
        low, self.center_, high = np.quantile(X, [0.25, 0.5, 0.75], axis=0)
        scale = (high - low) / NORMAL_IQR
        scale = np.where(scale > 0, scale, X.std(axis=0))
        self.scale_ = np.where(scale > 0, scale, 1.0)
        return self

    def transform(self, X: np.ndarray) -> np.ndarray:
        """Scale numbers.

        Parameters
        ----------
        X
            Numbers, (n, columns).

        Returns
        -------
        ndarray
            Numbers between -limit and limit, (n, columns).
        """
        check_is_fitted(self)
        X = validate_data(self, X, dtype="float64", reset=False)
        return squashed((X - self.center_) / self.scale_, self.limit)


def squashed(z: np.ndarray, limit: float) -> np.ndarray:
    """Squash numbers smoothly between -limit and limit, (n, columns) or (columns,)."""
    return z / np.sqrt(1 + (z / limit) ** 2)
