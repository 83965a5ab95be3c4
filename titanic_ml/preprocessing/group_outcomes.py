"""Outcomes of the other rows of a row's groups, without its own outcome."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np

from titanic_ml.preprocessing.coded import Coded, Numbers, Value, Values, coded

Groups = Mapping[str, Coded | Values]  # by key, the group of each row


class CompanionResiduals:
    """Compute the shrunken mean residual of the other rows of the same groups.

    For each key and each part of the rows, the residuals (outcome minus expected rate) of the other
    rows of the group that belong to the part are summed and divided by their number + `shrinkage`:
    a mean drawn towards 0 (Efron and Morris 1977), so that the value without companions is 0. The
    expected rate is that of the rows of the same cell, with `shrinkage` more rows at the overall
    rate.

    There are three ways to compute it. `fit_transform` leaves each row out of all that is computed
    for it: its groups, its cell and the overall rate. `cross_fit` computes the values of each fold
    from the other folds. `transform` is for other rows and leaves none out. A model is fitted on
    values of `cross_fit`: leave-one-out values tell a tree the row's own outcome, since the values
    of a group differ only by it (Prokhorenkova et al. 2018, section 3.2).

    Every method takes columns with one value per row: `groups` by key; `part`, the subgroup of a
    row (women or men), since companions are counted by subgroup; `cell`, rows with a common
    expected rate; the outcome y, 0 or 1. Results are named by key and part: ``ticket_women``.

    Parameters
    ----------
    shrinkage
        In rows, more than 0.

    Attributes
    ----------
    parts_
        The values of `part`, in the order of the features.
    places_
        Row of each group in `totals_`, by key.
    totals_
        By key: the sum of residuals and the number of rows of each part, (groups + 1, parts, 2);
        the last row is a stranger's.

    Examples
    --------
    Of five rows two shared a ticket; the first lived and the second did not:

    >>> tickets, part = {"ticket": list("aabcd")}, np.array(["all"] * 5)
    >>> companions = CompanionResiduals(shrinkage=1)
    >>> found = companions.fit_transform(tickets, part, ["one"] * 5, [1, 0, 1, 0, 0])
    >>> found["ticket_all"].round(2).tolist()
    [-0.12, 0.25, 0.0, 0.0, 0.0]
    """

    def __init__(self, shrinkage: float = 2.0):
        self.shrinkage = shrinkage

    def fit(
        self,
        groups: Groups,
        part: np.ndarray,
        cell: Coded | Values,
        y: Sequence[int] | np.ndarray,
    ) -> CompanionResiduals:
        """Learn the outcomes of the groups. `transform` leaves no row out."""
        outcome, cells = self._outcome(y), Coded.of(cell).codes
        k = self.shrinkage
        rates = (np.bincount(cells, outcome) + k * outcome.mean()) / (np.bincount(cells) + k)
        residual = outcome - rates[cells]
        self.parts_ = np.unique(part).tolist()
        self.places_: dict[str, dict[Hashable, int]] = {}
        self.totals_: dict[str, np.ndarray] = {}
        for key, column in groups.items():
            group = Coded.of(column)
            numbers, most = group.codes, len(group.values)
            totals = np.zeros((most + 1, len(self.parts_), 2))
            for place, name in enumerate(self.parts_):
                member = part == name
                totals[:-1, place, 0] = np.bincount(numbers, residual * member, minlength=most)
                totals[:-1, place, 1] = np.bincount(numbers, member, minlength=most)
            self.places_[key] = {value: row for row, value in enumerate(group.values)}
            self.totals_[key] = totals
        return self

    def fit_transform(
        self,
        groups: Groups,
        part: np.ndarray,
        cell: Coded | Values,
        y: Sequence[int] | np.ndarray,
    ) -> dict[str, np.ndarray]:
        """Learn, and compute the features of the same rows, each left out of its own."""
        self.fit(groups, part, cell, y)
        outcome, cells = self._outcome(y), Coded.of(cell).codes
        # What would be expected of each cell if this row were not there: (n, cells).
        n, k, rows = len(outcome), self.shrinkage, np.arange(len(outcome))
        base = (outcome.sum() - outcome) / max(n - 1, 1)
        sums, counts = np.bincount(cells, outcome), np.bincount(cells)
        expected = (sums + k * base[:, None]) / (counts + k)
        expected[rows, cells] = (sums[cells] - outcome + k * base) / (counts[cells] - 1 + k)
        features = {}
        for key, column in groups.items():
            group = Coded.of(column)
            numbers = group.codes
            for name in self.parts_:
                member = part == name
                table = np.zeros((len(group.values), len(sums)))  # rows by group and cell
                np.add.at(table, (numbers[member], cells[member]), 1.0)
                lived = np.bincount(numbers[member], outcome[member], minlength=len(table))
                others = table.sum(axis=1)[numbers] - member
                residual = lived[numbers] - member * outcome
                residual -= (table[numbers] * expected).sum(axis=1)
                residual += member * expected[rows, cells]
                features[f"{key}_{name}"] = np.where(others > 0, residual / (others + k), 0.0)
        return features

    def cross_fit(
        self,
        groups: Groups,
        part: np.ndarray,
        cell: Coded | Values,
        y: Sequence[int] | np.ndarray,
        folds: np.ndarray,
    ) -> dict[str, np.ndarray]:
        """Compute the features of the rows of each fold, (n,), from the rows of the other folds."""
        coded_groups = {key: Coded.of(column) for key, column in groups.items()}
        outcome, cells = self._outcome(y), Coded.of(cell)
        features: dict[str, np.ndarray] = {}
        for fold in np.unique(folds):
            inside, others = np.flatnonzero(folds == fold), np.flatnonzero(folds != fold)
            if not len(others):
                continue
            rest = {key: group.take(others) for key, group in coded_groups.items()}
            fitted = CompanionResiduals(self.shrinkage)
            fitted.fit(rest, part[others], cells.take(others), outcome[others])
            own = {key: group.take(inside) for key, group in coded_groups.items()}
            for name, values in fitted.transform(own).items():
                features.setdefault(name, np.zeros(len(outcome)))[inside] = values
        return features

    def transform(self, groups: Groups | Mapping[str, Value]) -> dict[str, Numbers]:
        """Compute the features of other rows or of a single one, 0 for those without companions."""
        features: dict[str, Numbers] = {}
        for key, column in groups.items():
            places, totals = self.places_[key], self.totals_[key]
            group = coded(column)
            if not isinstance(group, Coded):
                for name, of_part in zip(self.parts_, totals[places.get(group, -1)].tolist()):
                    features[f"{key}_{name}"] = self._mean(*of_part)
                continue
            rows = [places.get(value, -1) for value in group.values]
            means = self._mean(*totals.take(rows, axis=0).T)  # of each part, (parts, groups)
            for name, mean in zip(self.parts_, means):
                features[f"{key}_{name}"] = mean.take(group.codes)
        return features

    def _mean(self, residual: Any, count: Any) -> Any:
        return residual / (count + self.shrinkage)

    def _outcome(self, y: Sequence[int] | np.ndarray) -> np.ndarray:
        if y is None:
            raise ValueError("CompanionResiduals learns from y, so y can't be None")
        return np.asarray(y, dtype="float64")
