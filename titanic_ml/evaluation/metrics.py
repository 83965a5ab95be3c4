"""Metrics of probabilities and predictions, with a weight for each row.

They are scikit-learn's metrics for many weightings in one pass, as a bootstrap needs them, without
its input checks; a test compares the two. A metric is a function of `Weighed`, and metrics share
its sums. A metric with a denominator of 0 is 0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from sklearn.metrics import precision_recall_curve, roc_curve

from titanic_ml.evaluation.result import CalibrationBin, Curve

Metric = Callable[[np.ndarray, np.ndarray, np.ndarray, np.ndarray], np.ndarray]
BINS = 10


class Cells(NamedTuple):
    """Weights of rows by prediction and truth: positives and negatives, true and false."""

    tp: np.ndarray
    fp: np.ndarray
    fn: np.ndarray
    tn: np.ndarray


class Rows:
    """Labels and predictions, sorted once by probability for all weightings.

    Parameters
    ----------
    y
        The truth, (n,), 0 or 1.
    p
        The probability of class 1, (n,), or (n, repeats) of repeated cross-validation: then each
        repetition counts alike, and a row has its weight in all of them.
    c
        The predicted class at the threshold, of the shape of `p`.
    """

    def __init__(self, y: np.ndarray, p: np.ndarray, c: np.ndarray):
        self.y = np.asarray(y, dtype="float64")
        self.p = np.asarray(p, dtype="float64").reshape(len(self.y), -1)
        self.c = np.asarray(c, dtype="float64").reshape(self.p.shape)

    def take(self, rows: np.ndarray) -> Rows:
        """Some of the rows."""
        return Rows(self.y[rows], self.p[rows], self.c[rows])

    @cached_property
    def means(self) -> np.ndarray:
        """Target, log loss and squared error of each row, (n, 3), means over repetitions."""
        truth = self.y[:, None]
        losses, errors = row_losses(truth, self.p), (self.p - truth) ** 2
        return np.column_stack([self.y, losses.mean(axis=1), errors.mean(axis=1)])

    @cached_property
    def cells(self) -> np.ndarray:
        """To which of the `Cells` each row belongs, (n, 4), mean over the repetitions."""
        y, c = self.y[:, None], self.c
        kinds = (c * y, c * (1 - y), (1 - c) * y, (1 - c) * (1 - y))
        return np.column_stack([kind.mean(axis=1) for kind in kinds])

    @cached_property
    def rising(self) -> tuple[np.ndarray, np.ndarray]:
        """The probabilities in rising order, (n × repeats,), and the row of each."""
        flat = self.p.ravel(order="F")
        order = np.argsort(flat, kind="stable")
        return flat[order], order % len(self.y)

    @cached_property
    def ties(self) -> np.ndarray:
        """Where a new probability begins in `rising`."""
        return np.flatnonzero(np.diff(self.rising[0], prepend=np.nan) != 0)

    @cached_property
    def bins(self) -> np.ndarray:
        """Where each of at most `BINS` bins begins in `rising`.

        Of equally many rows, but rows of the same probability share a bin: else the order of the
        table would say which of them go together, and a constant probability would look badly
        calibrated.
        """
        rising = self.rising[0]
        places = rising[np.arange(BINS) * len(rising) // BINS]
        return np.unique(np.searchsorted(rising, places))


class Weighed:
    """Sums over rows under each weighting, from which metrics are made; each computed once.

    Parameters
    ----------
    rows
        The rows.
    w
        Their weights, (n,), or (m, n) for m weightings at once: then a metric is (m,).
    """

    def __init__(self, rows: Rows, w: np.ndarray):
        self.rows = rows
        self.w = w
        self.total = w.sum(axis=-1)

    @cached_property
    def means(self) -> np.ndarray:
        """The means of `Rows.means`, (…, 3)."""
        return (self.w @ self.rows.means) / self.total[..., None]

    @property
    def positive(self) -> np.ndarray:
        """The share of class 1."""
        return self.means[..., 0]

    @cached_property
    def cells(self) -> Cells:
        """Each is a sum of its own, so that an empty one is 0 without a rounding error."""
        sums = self.w @ self.rows.cells
        return Cells(*(sums[..., place] for place in range(4)))

    @cached_property
    def sorted(self) -> np.ndarray:
        """The weights in the order of `Rows.rising`."""
        return self.w[..., self.rows.rising[1]]

    @cached_property
    def ranked(self) -> tuple[np.ndarray, np.ndarray]:
        """Cumulated weight of class 1 and of all rows, by rising probability."""
        ones = self.sorted * self.rows.y[self.rows.rising[1]]
        if len(self.rows.ties) == ones.shape[-1]:
            return ones, self.sorted
        starts = self.rows.ties
        return np.add.reduceat(ones, starts, axis=-1), np.add.reduceat(self.sorted, starts, axis=-1)

    @cached_property
    def bias(self) -> np.ndarray:
        """Expected squared distance of a bin's share of class 1 from its probability, by chance.

        The share of class 1 in a bin of k rows has the variance s (1 - s) / (k - 1), also if the
        model is calibrated perfectly (Kumar, Liang and Ma 2019). A row counts once, however many
        repetitions it has.
        """
        weight, _, observed = self.binned
        ends = np.append(self.rows.bins, self.rows.p.size)
        counts = np.diff(ends) / self.rows.p.shape[1]
        variance = observed * (1 - observed) / np.maximum(counts - 1, 1)
        return (weight * variance).sum(axis=-1) / weight.sum(axis=-1)

    @cached_property
    def spread(self) -> np.ndarray:
        """Variance of the share of class 1 in all rows."""
        return self.positive * (1 - self.positive) / max(len(self.rows.y) - 1, 1)

    @cached_property
    def binned(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Weight, mean probability and share of class 1 of each bin."""
        (rising, row), starts = self.rows.rising, self.rows.bins
        weight, predicted, observed = (
            np.add.reduceat(values, starts, axis=-1)
            for values in (self.sorted, self.sorted * rising, self.sorted * self.rows.y[row])
        )
        return weight, _share(predicted, weight), _share(observed, weight)


def row_losses(y: np.ndarray, p: np.ndarray) -> np.ndarray:
    """Compute the log loss of each row, (n,); probabilities of 0 and 1 are clipped."""
    return -np.log(np.clip(np.where(y == 1, p, 1 - p), np.finfo(float).eps, 1))


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """part / whole, 0 where the whole is 0."""
    return np.divide(part, whole, out=np.zeros(np.shape(whole)), where=np.asarray(whole) > 0)


def _roc_auc(r: Weighed) -> np.ndarray:
    """Weight of pairs in order, ties half, over the weight of all pairs of a 1 and a 0."""
    ones, rows = r.ranked
    zeros = rows - ones
    below = np.cumsum(zeros, axis=-1) - zeros / 2
    return _share((ones * below).sum(axis=-1), ones.sum(axis=-1) * zeros.sum(axis=-1))


def _average_precision(r: Weighed) -> np.ndarray:
    """Average the precision over the steps of the recall, without interpolation."""
    ones, rows = (sums[..., ::-1] for sums in r.ranked)
    precision = _share(np.cumsum(ones, axis=-1), np.cumsum(rows, axis=-1))
    return _share((ones * precision).sum(axis=-1), ones.sum(axis=-1))


def _recall(r: Cells) -> np.ndarray:
    return _share(r.tp, r.tp + r.fn)


def _specificity(r: Cells) -> np.ndarray:
    return _share(r.tn, r.tn + r.fp)


def _mcc(r: Cells) -> np.ndarray:
    """Matthews correlation: that of truth and prediction."""
    spread = np.sqrt((r.tp + r.fp) * (r.tp + r.fn) * (r.tn + r.fp) * (r.tn + r.fn))
    return _share(r.tp * r.tn - r.fp * r.fn, spread)


def _calibration_error(r: Weighed) -> np.ndarray:
    """Return the root mean squared distance of probability and outcome in bins, without bias."""
    return np.sqrt(np.maximum(_reliability(r), 0.0))


def _reliability(r: Weighed) -> np.ndarray:
    weight, predicted, observed = r.binned
    squares = (weight * (predicted - observed) ** 2).sum(axis=-1) / weight.sum(axis=-1)
    return squares - r.bias


def _resolution(r: Weighed) -> np.ndarray:
    weight, _, observed = r.binned
    squares = (weight * (observed - np.asarray(r.positive)[..., None]) ** 2).sum(axis=-1)
    return squares / weight.sum(axis=-1) - r.bias + r.spread


def calibration_test(y: np.ndarray, p: np.ndarray) -> float:
    """Return the p-value of the hypothesis that the probabilities are calibrated.

    By the z-test of Spiegelhalter (1986).

    Parameters
    ----------
    y
        True classes, 0 or 1, (n,).
    p
        Predicted probabilities of class 1, (n,).

    Returns
    -------
    float
        Two-sided p-value; 1 if every probability is 0, 0.5 or 1.
    """
    variance = ((1 - 2 * p) ** 2 * p * (1 - p)).sum()
    if variance == 0:
        return 1.0
    return float(2 * NormalDist().cdf(-abs(((y - p) * (1 - 2 * p)).sum()) / variance**0.5))


def _of_cells(metric: Callable[[Cells], np.ndarray]) -> Callable[[Weighed], np.ndarray]:
    return lambda r: metric(r.cells)


BY_CELLS: dict[str, Callable[[Cells], np.ndarray]] = {
    "accuracy": lambda r: _share(r.tp + r.tn, r.tp + r.fp + r.fn + r.tn),
    "balanced_accuracy": lambda r: (_recall(r) + _specificity(r)) / 2,
    "precision": lambda r: _share(r.tp, r.tp + r.fp),
    "recall": _recall,
    "f1": lambda r: _share(2 * r.tp, 2 * r.tp + r.fp + r.fn),
    "mcc": _mcc,
}
# The three last are Murphy's (1973) parts of the Brier score: reliability (0 is best) less
# resolution (more is better) plus uncertainty (the table's, no model changes it), each without its
# bias (Ferro and Fricker 2012), so the first may be a little below 0. In bins they sum to the score
# but for the spread of the probabilities within a bin. The calibration error is the root of the
# first.
OF_WEIGHED: dict[str, Callable[[Weighed], np.ndarray]] = {
    "log_loss": lambda r: r.means[..., 1],
    "brier": lambda r: r.means[..., 2],
    "calibration_error": _calibration_error,
    "roc_auc": _roc_auc,
    "average_precision": _average_precision,
    **{name: _of_cells(metric) for name, metric in BY_CELLS.items()},
    "brier_reliability": _reliability,
    "brier_resolution": _resolution,
    "brier_uncertainty": lambda r: r.positive * (1 - r.positive) + r.spread,
}
# Less is better of these, more of all others; of the uncertainty neither.
LOSSES = {"log_loss", "brier", "calibration_error", "brier_reliability", "brier_uncertainty"}


def measure(rows: Rows, weights: np.ndarray, names: Iterable[str]) -> np.ndarray:
    """Compute metrics under each weighting, (m, metrics); weights are (m, n)."""
    weighed = Weighed(rows, weights)
    return np.stack([OF_WEIGHED[name](weighed) for name in names], axis=-1)


def confusion(y: np.ndarray, p: np.ndarray, c: np.ndarray) -> Cells:
    """Return the number of rows by prediction and truth, as a mean of the repetitions.

    Parameters
    ----------
    y, p, c : as in `Rows`
    """
    return Weighed(Rows(y, p, c), np.ones(len(y))).cells


def _of_arrays(metric: Callable[[Weighed], np.ndarray]) -> Metric:
    return lambda y, p, c, w: metric(Weighed(Rows(y, p, c), w))


# Each of truth, probability, predicted class, (n,), and weights, (n,) or (m, n).
METRICS: dict[str, Metric] = {name: _of_arrays(metric) for name, metric in OF_WEIGHED.items()}


def roc_points(y: np.ndarray, p: np.ndarray) -> Curve:
    """Return the false positive rate `x` and true positive rate `y` at every threshold."""
    false_positives, true_positives, _ = roc_curve(y, p, drop_intermediate=False)
    return Curve(_thinned(false_positives), _thinned(true_positives))


def precision_recall_points(y: np.ndarray, p: np.ndarray) -> Curve:
    """Return recall `x` and precision `y` at every threshold, the highest first."""
    precision, recall, _ = precision_recall_curve(y, p)
    return Curve(_thinned(recall[-2::-1]), _thinned(precision[-2::-1]))


def _thinned(values: np.ndarray, most: int = 200) -> list[float]:
    """Return at most `most` of the values, evenly spaced, with the first and last."""
    kept = np.unique(np.linspace(0, len(values) - 1, most).round().astype(int))
    return [round(float(value), 4) for value in values[kept]]


def calibration_bins(
    y: np.ndarray, p: np.ndarray, confidence: float = 0.95
) -> list[CalibrationBin]:
    """Compute the mean probability and the share of class 1 in bins of equal size, ties together.

    The interval of the share is Wilson's (1927), of this `confidence`.
    """
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    rows, predicted, observed = Weighed(Rows(y, p, p), np.ones(len(y))).binned
    middle = (observed + z**2 / (2 * rows)) / (1 + z**2 / rows)
    half = np.sqrt(observed * (1 - observed) / rows + z**2 / (4 * rows**2)) * z / (1 + z**2 / rows)
    shares = predicted, observed, np.maximum(middle - half, 0), np.minimum(middle + half, 1)
    return [
        CalibrationBin(int(count), *(round(float(share), 4) for share in bin_))
        for count, *bin_ in zip(rows, *shares, strict=True)
    ]
