"""Features of training rows that leave the row's own outcome out, found by the row's values."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np

from titanic_ml.preprocessing.coded import Coded, Numbers, coded, joined


class TrainingRows:
    """Look-up of the leave-one-out features of training rows.

    A feature that is learned from outcomes must not contain the outcome of the row itself, neither
    in `fit_transform` nor when a training row is predicted later. Rows are recognised by the values
    of the columns given; training rows with equal values share the mean of their features.

    Attributes
    ----------
    names_ : columns, the one with the most distinct values first
    index_ : row of `features_` by the values of these columns
    first_values_ : values of the first column, to skip most other rows quickly
    features_ : by name, each feature of the distinct training rows, (distinct rows,)

    Examples
    --------
    >>> rows = TrainingRows()
    >>> _ = rows.fit({"name": ["a", "b"], "age": [4.0, np.nan]}, {"mean": np.array([0.1, 0.2])})
    >>> found = rows.replace({"name": ["b", "b"], "age": [4.0, None]}, {"mean": np.zeros(2)})
    >>> found["mean"].tolist()
    [0.0, 0.2]
    """

    def fit(self, X: Mapping[str, Any], features: Mapping[str, np.ndarray]) -> TrainingRows:
        """Store the features of the rows of X.

        Parameters
        ----------
        X
            Columns of the training rows by name, (n,) each.
        features
            Leave-one-out features of these rows by name, (n,) each.

        Returns
        -------
        TrainingRows
            The fitted object.
        """
        columns = {name: Coded.of(X[name]) for name in X}
        self.names_ = sorted(columns, key=lambda name: -len(columns[name].values))
        keys = self._keys(columns)
        counts = np.bincount(keys.codes)
        self.index_: dict[Hashable, int] = {key: row for row, key in enumerate(keys.values)}
        self.first_values_ = {key[0] for key in keys.values}
        self.features_ = {
            name: np.bincount(keys.codes, values) / counts for name, values in features.items()
        }
        return self

    def replace(self, X: Mapping[str, Any], features: Mapping[str, Numbers]) -> dict[str, Numbers]:
        """Return the features with those of training rows replaced by the stored ones.

        Parameters
        ----------
        X : columns of some rows, (n,) each, or the values of a single row
        features : by name, the features of these rows as `transform` computes them for new rows
        """
        first = coded(X[self.names_[0]])
        if not isinstance(first, Coded):
            row = self.index_.get(tuple(coded(X[name]) for name in self.names_))
            if row is None:
                return dict(features)
            return {name: float(self.features_[name][row]) for name in features}
        known = np.array([value in self.first_values_ for value in first.values], dtype="bool")
        rows = np.flatnonzero(known[first.codes])
        if not len(rows):
            return dict(features)
        keys = self._keys({name: _taken(X[name], rows) for name in self.names_})
        places = np.array([self.index_.get(key, -1) for key in keys.values])[keys.codes]
        rows, places = rows[places >= 0], places[places >= 0]
        replaced: dict[str, Numbers] = {}
        for name, values in features.items():
            replaced[name] = column = np.array(values)
            column[rows] = self.features_[name][places]
        return replaced

    def _keys(self, X: Mapping[str, Any]) -> Coded:
        """Values of each row as a tuple."""
        return joined(lambda *values: values, *(Coded.of(X[name]) for name in self.names_))


def _taken(column: Any, rows: np.ndarray) -> Any:
    """Select rows of a list, an array, a Series or a `Coded`."""
    if isinstance(column, Coded):
        return column.take(rows)
    if isinstance(column, (list, tuple)):
        return [column[row] for row in rows.tolist()]
    return column.take(rows)
