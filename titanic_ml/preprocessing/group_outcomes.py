"""How the other rows of a row's groups fared: what the fate of companions tells."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted


class CompanionResiduals(TransformerMixin, BaseEstimator):
    """How the other rows of the same groups fared, against what was to be expected of them.

    For each key and each part of the rows, the residuals (outcome less expected rate) of the other
    rows of the group that belong to the part, summed and divided by their number + `shrinkage`: a
    mean shrunk towards 0, as in Efron and Morris (1977), so that one companion says little, five
    say more, and a stranger's value is 0. The expected rate is that of the rows of the same cell,
    with `shrinkage` more rows at the overall rate.

    In `fit_transform` each row is left out of all that is computed for it: its groups, its cell and
    the overall rate. So its own outcome changes none of its features, as in leave-one-out target
    encoding; `transform` is for other rows and leaves nobody out.

    Parameters
    ----------
    keys
        Columns that name the groups; a feature each and part.
    part
        Column that divides the rows, such as women and men: companions of each part are counted
        apart.
    cell
        Column of the cells in which a common rate is expected.
    shrinkage
        In rows, more than 0.

    Attributes
    ----------
    totals_
        By key: a DataFrame by group, with the sum of residuals and the number of rows of each part.
    parts_
        The values of `part`, in the order of the features.

    Examples
    --------
    Of five passengers two shared a ticket; the first lived and the second did not:

    >>> frame = pd.DataFrame({"ticket": list("aabcd"), "part": "all", "cell": "one"})
    >>> companions = CompanionResiduals(["ticket"], "part", "cell", shrinkage=1)
    >>> companions.fit_transform(frame, [1, 0, 1, 0, 0])["ticket_all"].round(2).tolist()
    [-0.12, 0.25, 0.0, 0.0, 0.0]
    """

    def __init__(
        self, keys: Sequence[str], part: str = "part", cell: str = "cell", shrinkage: float = 2.0
    ):
        self.keys = keys
        self.part = part
        self.cell = cell
        self.shrinkage = shrinkage

    def fit(self, X: pd.DataFrame, y: Sequence[int]) -> CompanionResiduals:
        """Learn how the rows fared; y is (n,), 0 or 1. `transform` then leaves nobody out."""
        self._learn(X, y)
        return self

    def fit_transform(self, X: pd.DataFrame, y: Sequence[int]) -> pd.DataFrame:
        """Learn, and compute the features of the same rows, each left out of its own."""
        outcome, cells, rates = self._learn(X, y)
        # What would be expected of each cell if this row were not there: (n, cells).
        n, k, rows = len(outcome), self.shrinkage, np.arange(len(outcome))
        base = (outcome.sum() - outcome) / max(n - 1, 1)
        sums, counts = np.bincount(cells, outcome), np.bincount(cells)
        expected = (sums + k * base[:, None]) / (counts + k)
        expected[rows, cells] = (sums[cells] - outcome + k * base) / (counts[cells] - 1 + k)
        features = {}
        for key in self.keys:
            groups, _ = pd.factorize(X[key])
            for part in self.parts_:
                member = (X[self.part] == part).to_numpy()
                table = np.zeros((groups.max() + 1, len(rates)))  # rows by group and cell
                np.add.at(table, (groups[member], cells[member]), 1.0)
                lived = np.bincount(groups[member], outcome[member], minlength=len(table))
                others = table.sum(axis=1)[groups] - member
                residual = lived[groups] - member * outcome
                residual -= (table[groups] * expected).sum(axis=1)
                residual += member * expected[rows, cells]
                features[f"{key}_{part}"] = np.where(others > 0, residual / (others + k), 0.0)
        return pd.DataFrame(features, index=X.index)

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """Compute the features of other rows: (n, keys × parts), 0 for those without companions."""
        check_is_fitted(self)
        features = {}
        for key in self.keys:
            found = self.totals_[key].reindex(X[key]).fillna(0.0)
            for part in self.parts_:
                residual, number = found[f"sum_{part}"], found[f"rows_{part}"]
                features[f"{key}_{part}"] = (residual / (number + self.shrinkage)).to_numpy()
        return pd.DataFrame(features, index=X.index)

    def get_feature_names_out(self, input_features: object = None) -> np.ndarray:
        """Names of the features: key and part."""
        check_is_fitted(self)
        names = [f"{key}_{part}" for key in self.keys for part in self.parts_]
        return np.asarray(names, dtype=object)

    def _learn(
        self, X: pd.DataFrame, y: Sequence[int]
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Learn; return the outcomes, the cells as numbers, and the expected rate of each cell."""
        if y is None:
            raise ValueError("CompanionResiduals learns from y, so y can't be None")
        outcome = np.asarray(y, dtype="float64")
        cells, _ = pd.factorize(X[self.cell])
        k = self.shrinkage
        rates = (np.bincount(cells, outcome) + k * outcome.mean()) / (np.bincount(cells) + k)
        residual = outcome - rates[cells]
        self.parts_ = sorted(X[self.part].unique())
        columns = {}
        for part in self.parts_:
            member = (X[self.part] == part).to_numpy()
            columns[f"sum_{part}"] = residual * member
            columns[f"rows_{part}"] = member.astype("float64")
        facts = pd.DataFrame(columns)
        self.totals_ = {key: facts.groupby(X[key].to_numpy()).sum() for key in self.keys}
        return outcome, cells, rates
