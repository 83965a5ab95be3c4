"""Leave-one-out outcomes of the other rows of a row's groups."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np

from titanic_ml.preprocessing.coded import Coded, Numbers, Value, Values, coded

Groups = Mapping[str, Coded | Values]  # by key, the group of each row


class CompanionResiduals:
    """How the other rows of the same groups fared, against what was to be expected of them.

    For each key and each part of the rows, the residuals (outcome less expected rate) of the other
    rows of the group that belong to the part, summed and divided by their number + `shrinkage`: a
    mean shrunk towards 0, as in Efron and Morris (1977), so that one companion says little, five
    say more, and a stranger's value is 0. The expected rate is that of the rows of the same cell,
    with `shrinkage` more rows at the overall rate.

    In `fit_transform` each row is left out of all that is computed for it: its groups, its cell and
    the overall rate. So its own outcome changes none of its features, as in leave-one-out target
    encoding; `transform` is for other rows and leaves none out.

    Every method takes columns, one value per row: `groups` by key; `part`, the subgroup of a
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
    Of five passengers two shared a ticket; the first lived and the second did not:

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
        y: Sequence[int],
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
        y: Sequence[int],
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

    def _outcome(self, y: Sequence[int]) -> np.ndarray:
        if y is None:
            raise ValueError("CompanionResiduals learns from y, so y can't be None")
        return np.asarray(y, dtype="float64")
