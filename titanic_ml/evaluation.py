"""How good: metrics with intervals, and the comparison of two models on the same rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd


def _mean(rows: np.ndarray, w: np.ndarray) -> float:
    return float(rows @ w / w.sum())


def _log_loss(y: np.ndarray, p: np.ndarray, c: np.ndarray, w: np.ndarray) -> float:
    return _mean(-np.log(np.clip(np.where(y == 1, p, 1 - p), np.finfo(float).eps, 1)), w)


def _roc_auc(y: np.ndarray, p: np.ndarray, c: np.ndarray, w: np.ndarray) -> float:
    """Weight of pairs in order, ties half, over the weight of all pairs of a 1 and a 0."""
    order = np.argsort(p, kind="stable")
    starts = np.flatnonzero(np.diff(p[order], prepend=-np.inf))
    ones = np.add.reduceat((w * y)[order], starts)
    zeros = np.add.reduceat((w * (1 - y))[order], starts)
    return float(ones @ (np.cumsum(zeros) - zeros / 2) / (ones.sum() * zeros.sum()))


def _f1(y: np.ndarray, p: np.ndarray, c: np.ndarray, w: np.ndarray) -> float:
    return float(2 * (w @ (c * y)) / (w @ c + w @ y))


# Each takes the truth, the probability, the class at the threshold and the weights of the rows,
# (n,) each. They are scikit-learn's metrics without its checks, which would make a bootstrap
# many times slower; a test holds the two together.
METRICS: dict[str, Callable[[np.ndarray, np.ndarray, np.ndarray, np.ndarray], float]] = {
    "log_loss": _log_loss,
    "brier": lambda y, p, c, w: _mean((p - y) ** 2, w),
    "roc_auc": _roc_auc,
    "accuracy": lambda y, p, c, w: _mean(y == c, w),
    "precision": lambda y, p, c, w: _mean(y, w * c) if c.any() else 0.0,
    "recall": lambda y, p, c, w: _mean(c, w * y),
    "f1": _f1,
}


@dataclass(frozen=True)
class Estimate:
    """A metric's value with the ends of its interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f})"


@dataclass(frozen=True, repr=False)
class Evaluation:
    """How good a model is on some rows.

    Attributes
    ----------
    rows, positives
        How many rows, and how many of class 1.
    threshold
        Probability from which on the answer is 1.
    estimates
        Each metric with its interval.
    confusion
        Rows by truth (first key) and answer (second key), averaged over repetitions.
    seen
        How many of the rows the model was trained on: if any, the metrics flatter it.
    """

    rows: int
    positives: int
    threshold: float
    estimates: dict[str, Estimate]
    confusion: dict[int, dict[int, float]]
    seen: int = 0

    def with_seen(self, seen: int) -> Evaluation:
        """The same with the number of rows that the model was trained on."""
        return replace(self, seen=seen)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON: each metric as [value, low, high]."""
        values = {name: [e.value, e.low, e.high] for name, e in self.estimates.items()}
        return {**vars(self), "estimates": values}

    def __repr__(self) -> str:
        lines = [f"{self.rows} rows, {self.positives} of class 1, threshold {self.threshold:g}:"]
        if self.seen:
            lines.append(
                f"  WARNING: the model was trained on {self.seen} of these {self.rows} rows, "
                "so these figures flatter it"
            )
        lines += [f"  {name:<10} {estimate}" for name, estimate in self.estimates.items()]
        for truth, answers in self.confusion.items():
            cells = ", ".join(f"{count:g} as {answer}" for answer, count in answers.items())
            lines.append(f"  truly {truth}: answered {cells}")
        return "\n".join(lines)


@dataclass(frozen=True)
class Evaluator:
    """Measures probabilities against the truth.

    Attributes
    ----------
    resamples
        Number of bootstrap resamples behind each interval.
    confidence
        Of the intervals, such as 0.95.
    seed
        Governs the bootstrap.
    """

    resamples: int = 500
    confidence: float = 0.95
    seed: int = 0

    def evaluate(
        self, y: np.ndarray, probability: np.ndarray, threshold: float = 0.5
    ) -> Evaluation:
        """Measure with intervals by the Bayesian bootstrap of rows (Rubin 1981).

        It reweights the rows instead of drawing them, so that no resample lacks a class.

        Parameters
        ----------
        y
            The truth, (n,), 0 or 1, both present.
        probability
            Of class 1, (n,), or (n, repeats) from repeated cross-validation: then each repetition
            counts alike, and a row keeps its weight in all of them.
        threshold
            Probability from which on the answer is 1.
        """
        truth = np.asarray(y)
        columns = np.asarray(probability, dtype="float64").reshape(len(truth), -1)
        repeats = columns.shape[1]
        flat, tiled = columns.ravel(order="F"), np.tile(truth, repeats)
        answer = (flat >= threshold).astype(int)

        def measure(weights: np.ndarray) -> list[float]:
            tiled_weights = np.tile(weights, repeats)
            return [metric(tiled, flat, answer, tiled_weights) for metric in METRICS.values()]

        values = measure(np.ones(len(truth)))
        random = np.random.default_rng(self.seed)
        draws = np.array(
            [measure(random.standard_exponential(len(truth))) for _ in range(self.resamples)]
        )
        tail = (1 - self.confidence) / 2
        low, high = np.quantile(draws, [tail, 1 - tail], axis=0)
        estimates = {
            name: Estimate(float(value), float(start), float(end))
            for name, value, start, end in zip(METRICS, values, low, high, strict=True)
        }
        confusion = {
            i: {j: round(float(((tiled == i) & (answer == j)).sum() / repeats), 2) for j in (0, 1)}
            for i in (0, 1)
        }
        return Evaluation(len(truth), int(truth.sum()), threshold, estimates, confusion)


def mean_log_loss(table: pd.DataFrame) -> float:
    """Log loss of out-of-fold probabilities, averaged over the columns `repeat_…`; truth in `y`."""
    repeats = table.filter(like="repeat_").to_numpy()
    y, p = np.tile(table["y"].to_numpy(), repeats.shape[1]), repeats.ravel(order="F")
    return _log_loss(y, p, y, np.ones(len(p)))


def compare_out_of_fold(
    challenger: pd.DataFrame, champion: pd.DataFrame
) -> tuple[int, float, float]:
    """Compare two models on the rows that both were scored on without having seen them.

    Parameters
    ----------
    challenger, champion
        Tables of out-of-fold probabilities: `row` (a hash), `y`, `repeat_1`, `repeat_2` …

    Returns
    -------
    tuple
        How many rows they share, and the log loss of each on those; NaN without shared rows.
    """
    shared = np.intersect1d(challenger["row"], champion["row"])
    if not len(shared):
        return 0, np.nan, np.nan
    losses = [mean_log_loss(t[t["row"].isin(shared)]) for t in (challenger, champion)]
    return len(shared), *losses
