"""Whether the world has moved: later rows against those of the training, column by column.

Each column is tested twice. Is the difference more than chance? By Pearson's chi-squared
test of the counts where there are few values, by the two-sample Kolmogorov-Smirnov test where there
are many, and by the former of missing values; all corrected together for their number (Holm 1979).
And is it large enough to matter? By the population stability index (Siddiqi 2006), with ten
bins and one more for missing values. A column has drifted where both say so: of many rows any
difference is more than chance, and of few a large one may be chance.

Of the predicted probability the index says too little. What it is compared with is out of fold, of
models that differ a little from the one that answers; and most probabilities lie close together, so
that a step of a hundredth moves a quarter of them into another bin. It has drifted where it has
moved far on average, by Wasserstein's distance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from scipy import stats

from titanic_ml.dataset.profile import ColumnProfile
from titanic_ml.evaluation.multiplicity import holm
from titanic_ml.monitoring.profile import Profile

FEW_VALUES = 20  # distinct values that are counted one by one
BINS = 10  # of a column with more, by its quantiles in the training
FEWEST_EXPECTED = 5  # of a value in the chi-squared test; rarer ones are put together
FEWEST_ROWS = 30  # rows below which no drift is reported
PROBABILITY = "probability"
Counts: TypeAlias = Sequence[float] | np.ndarray


@dataclass(frozen=True)
class ColumnDrift:
    """How far one column has moved.

    Attributes
    ----------
    name
        Name of the column, or ``probability``.
    psi
        Population stability index, less its value by chance: 0 is no difference; from 0.1 it is
        usually called moderate, from 0.25 large.
    p
        Probability of a difference as large by chance, corrected for the number of tests.
    missing_before, missing_now
        The share of missing values.
    unseen
        The share of values that the training did not have, of those there are; 0 for numbers of
        many values.
    moved
        Of the probability, how far it has moved on average (Wasserstein's distance); 0 for others.
    words
        Largest change, as text.
    drifted
        Whether it has.
    """

    name: str
    psi: float
    p: float
    missing_before: float
    missing_now: float
    unseen: float
    moved: float
    words: str
    drifted: bool = False


@dataclass(frozen=True, repr=False)
class Drift:
    """Drift of later rows, compared with the training rows.

    Attributes
    ----------
    rows
        Number of rows.
    columns
        The largest index first.
    alpha, threshold
        A column has drifted where `p` is below the one and `psi` at least the other.
    shift
        Which `moved` must reach instead of `psi`, for the probability to have drifted.
    """

    rows: int
    columns: list[ColumnDrift]
    alpha: float
    threshold: float
    shift: float

    @property
    def drifted(self) -> list[ColumnDrift]:
        """The columns that have moved."""
        return [column for column in self.columns if column.drifted]

    @property
    def verdict(self) -> str:
        """One sentence."""
        if self.rows < FEWEST_ROWS:
            return f"too few rows to tell: {self.rows}, expected at least {FEWEST_ROWS}"
        if not self.drifted:
            return f"no drift in {self.rows:,} rows"
        text = "; ".join(f"{column.name}: {column.words}" for column in self.drifted)
        return f"drift in {self.rows:,} rows: {text}"

    def to_dict(self) -> dict[str, Any]:
        """Return values for JSON."""
        return asdict(self) | {
            "verdict": self.verdict,
            "drifted": [column.name for column in self.drifted],
        }


@dataclass(frozen=True)
class DriftDetector:
    """Compares rows with a profile.

    Attributes
    ----------
    alpha
        The chance of calling anything drift where nothing is, over all columns together.
    threshold
        Smallest population stability index that counts as drift.
    shift
        Smallest distance of the probabilities that counts as drift.
    """

    alpha: float = 0.05
    threshold: float = 0.1
    shift: float = 0.1

    def compare(
        self, profile: Profile, X: pd.DataFrame, probability: np.ndarray | None = None
    ) -> Drift:
        """Compare rows with the profile of the training rows.

        Parameters
        ----------
        profile
            Profile of the training rows.
        X
            Typed columns of the rows, (n, columns); columns without a profile are ignored.
        probability
            Predicted probabilities of rows that were not trained on, (m,); None to leave them out.

        Returns
        -------
        Drift
            Population stability index and test of each column and of the probability.
        """
        pairs = {name: (then, X[name]) for name, then in profile.columns.items() if name in X}
        if probability is not None and len(probability) >= FEWEST_ROWS:
            pairs[PROBABILITY] = profile.probability, pd.Series(probability)
        if len(X) < FEWEST_ROWS:
            return Drift(len(X), [], self.alpha, self.threshold, self.shift)
        found = [
            (_compared(name, then, now), _tests(then, now)) for name, (then, now) in pairs.items()
        ]
        corrected = iter(holm([p for _, tests in found for p in tests]))
        columns = []
        for column, tests in found:
            p = min(next(corrected) for _ in tests)
            far = column.psi >= self.threshold
            if column.name == PROBABILITY:
                far = column.moved >= self.shift
            drifted = p < self.alpha and far
            columns.append(replace(column, p=p, drifted=drifted))
        columns.sort(key=lambda column: (not column.drifted, -column.psi))
        return Drift(len(X), columns, self.alpha, self.threshold, self.shift)


def _compared(name: str, then: ColumnProfile, now: pd.Series) -> ColumnDrift:
    """Compare a column before and after, without the tests."""
    before, counts = _binned(then, now)
    missing = int(now.isna().sum())
    before, counts = np.append(before, then.missing), np.append(counts, missing)
    given, unseen = len(now) - missing, 0.0
    if then.values and _is_counted(then) and given:
        unseen = 1 - float(now.isin(then.values).sum()) / given
    shares = then.missing / max(then.rows, 1), missing / max(len(now), 1)
    words, moved = _words(then, now, shares, unseen), 0.0
    if name == PROBABILITY:
        moved = float(stats.wasserstein_distance(then.values, now, then.counts))
        words = f"by {moved:.2f} on average, {words}"
    return ColumnDrift(name, _psi(before, counts), 1.0, *shares, unseen, moved, words)


def _is_counted(then: ColumnProfile) -> bool:
    """Check whether each value is a bin of its own; otherwise the values are numbers."""
    words = bool(then.values) and isinstance(then.values[0], str)
    return words or len(then.values) <= FEW_VALUES


def _binned(then: ColumnProfile, now: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Count the values in each bin before and after; free texts have no bins."""
    if not then.values:
        given = float(now.notna().sum())
        return np.array([float(then.rows - then.missing)]), np.array([given])
    given = now.dropna()
    if _is_counted(then):
        seen = given.value_counts().reindex(then.values, fill_value=0).to_numpy()
        left_out = then.rows - then.missing - sum(then.counts)
        before = np.array([*then.counts, left_out], dtype="float64")
        return before, np.append(seen, len(given) - seen.sum()).astype("float64")
    values, counts = np.array(then.values, dtype="float64"), np.array(then.counts)
    reached = np.cumsum(counts) / counts.sum()
    ends = np.unique(values[np.searchsorted(reached, np.arange(1, BINS) / BINS)])
    before = np.bincount(np.searchsorted(ends, values), counts, len(ends) + 1)
    numbers = given.to_numpy("float64")
    return before, np.bincount(np.searchsorted(ends, numbers), minlength=len(ends) + 1).astype(
        float
    )


def _psi(before: np.ndarray, now: np.ndarray) -> float:
    """Compute the population stability index, less its value by chance, and at least 0.

    Half a row is added to each bin, so none is empty. Without drift the index of B bins is
    (B - 1) (1 / rows before + 1 / rows now) on average (Yurdakul 2018).
    """
    used = (before + now) > 0
    chance = (used.sum() - 1) * (1 / before.sum() + 1 / now.sum())
    a, b = before[used] + 0.5, now[used] + 0.5
    a, b = a / a.sum(), b / b.sum()
    return max(0.0, float(((a - b) * np.log(a / b)).sum() - chance))


def _tests(then: ColumnProfile, now: pd.Series) -> list[float]:
    """Return the p-values of a column's tests."""
    missing = int(now.isna().sum())
    p_values = [
        _chi_squared([then.missing, then.rows - then.missing], [missing, len(now) - missing])
    ]
    given = now.dropna()
    if not then.values or not len(given):
        return p_values
    if _is_counted(then):
        return [*p_values, _chi_squared(*_binned(then, now))]
    numbers = np.repeat(np.array(then.values, dtype="float64"), then.counts)
    return [
        *p_values,
        float(stats.ks_2samp(numbers, given.to_numpy("float64"), method="asymp").pvalue),
    ]


def _chi_squared(before: Counts, now: Counts) -> float:
    """Return the p-value of equal shares in both; rare values are pooled."""
    table = np.array([before, now], dtype="float64")
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0) / table.sum()
    rare = (expected < FEWEST_EXPECTED).any(axis=0)
    table = np.column_stack([table[:, ~rare], table[:, rare].sum(axis=1)])
    table = table[:, table.sum(axis=0) > 0]
    if table.shape[1] < 2 or (table.sum(axis=1) == 0).any():
        return 1.0
    return float(stats.chi2_contingency(table).pvalue)


def _words(then: ColumnProfile, now: pd.Series, missing: tuple[float, float], unseen: float) -> str:
    """Describe the largest change of a column."""
    changes = []
    if abs(missing[1] - missing[0]) >= 0.02:
        changes.append(f"missing {missing[0]:.0%} before, {missing[1]:.0%} now")
    if unseen >= 0.02:
        changes.append(f"{unseen:.0%} are values that the training did not have")
    given = now.dropna()
    if then.values and len(given):
        changes.append(_counted(then, given) if _is_counted(then) else _middle(then, given))
    return ", ".join(changes) or "unchanged"


def _middle(then: ColumnProfile, given: pd.Series) -> str:
    reached = np.cumsum(then.counts) / sum(then.counts)
    median = then.values[int(np.searchsorted(reached, 0.5))]
    return f"median {then.shown(median)} before, {then.shown(given.median())} now"


def _counted(then: ColumnProfile, given: pd.Series) -> str:
    """Return the value with the largest change of its share."""
    before = pd.Series(then.counts, index=then.values) / sum(then.counts)
    now = given.value_counts(normalize=True).reindex(before.index, fill_value=0.0)
    value = (now - before).abs().idxmax()
    return f"{value} was {before[value]:.0%}, is {now[value]:.0%}"
