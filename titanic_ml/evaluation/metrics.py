"""Metrics of probabilities and predictions, with a weight for each row.

Each takes the truth y, the probability p of class 1, the predicted class c at the threshold, (n,)
each, and the weights w of the rows, (n,) or (m, n) for m weightings at once; it returns a number or
(m,).
They are scikit-learn's metrics without its checks and for many weightings in one pass, which is
what a bootstrap needs; a test holds the two together. A metric that divides by nothing is 0.
"""

from __future__ import annotations

from collections.abc import Callable
from statistics import NormalDist

import numpy as np

from titanic_ml.evaluation.result import CalibrationBin, Curve

Metric = Callable[[np.ndarray, np.ndarray, np.ndarray, np.ndarray], np.ndarray]
BINS = 10


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """part / whole, 0 where the whole is 0."""
    return np.divide(part, whole, out=np.zeros(np.shape(whole)), where=np.asarray(whole) > 0)


def _mean(rows: np.ndarray, w: np.ndarray) -> np.ndarray:
    return w @ rows / w.sum(axis=-1)


def _log_loss(y: np.ndarray, p: np.ndarray, c: np.ndarray, w: np.ndarray) -> np.ndarray:
    return _mean(row_losses(y, p), w)


def row_losses(y: np.ndarray, p: np.ndarray) -> np.ndarray:
    """Log loss of each row, (n,); a probability of 0 or 1 is taken as just short of it."""
    return -np.log(np.clip(np.where(y == 1, p, 1 - p), np.finfo(float).eps, 1))


def _sorted_sums(values: np.ndarray, p: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Sums of the values in the order given, over rows of the same probability."""
    starts = np.flatnonzero(np.diff(p[order], prepend=np.nan) != 0)
    return np.add.reduceat(values[..., order], starts, axis=-1)


def _roc_auc(y: np.ndarray, p: np.ndarray, c: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Weight of pairs in order, ties half, over the weight of all pairs of a 1 and a 0."""
    order = np.argsort(p, kind="stable")
    ones, zeros = (_sorted_sums(w * truth, p, order) for truth in (y, 1 - y))
    below = np.cumsum(zeros, axis=-1) - zeros / 2
    return _share((ones * below).sum(axis=-1), ones.sum(axis=-1) * zeros.sum(axis=-1))


def _average_precision(y: np.ndarray, p: np.ndarray, c: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Mean of the precision over the recall, step by step, without interpolation."""
    order = np.argsort(-p, kind="stable")
    ones, rows = (_sorted_sums(values, p, order) for values in (w * y, w))
    precision = _share(np.cumsum(ones, axis=-1), np.cumsum(rows, axis=-1))
    return _share((ones * precision).sum(axis=-1), ones.sum(axis=-1))


def _precision(y: np.ndarray, p: np.ndarray, c: np.ndarray, w: np.ndarray) -> np.ndarray:
    return _share(w @ (c * y), w @ c)


def _recall(y: np.ndarray, p: np.ndarray, c: np.ndarray, w: np.ndarray) -> np.ndarray:
    return _share(w @ (c * y), w @ y)


def _specificity(y: np.ndarray, p: np.ndarray, c: np.ndarray, w: np.ndarray) -> np.ndarray:
    return _recall(1 - y, p, 1 - c, w)


def _mcc(y: np.ndarray, p: np.ndarray, c: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Matthews correlation: that of truth and prediction."""
    cells = (c * y, (1 - c) * (1 - y), c * (1 - y), (1 - c) * y)
    tp, tn, fp, fn = (w @ cell for cell in cells)  # an empty cell is 0 without a rounding error
    spread = np.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn))
    return _share(tp * tn - fp * fn, spread)


def _binned(
    y: np.ndarray, p: np.ndarray, w: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Weight, mean probability and share of class 1 of each of at most `BINS` bins.

    Of equally many rows, but rows of the same probability share a bin: else the order of the table
    would say which of them go together, and a constant probability would look badly calibrated.
    """
    order = np.argsort(p, kind="stable")
    rising = p[order]
    starts = np.unique(np.searchsorted(rising, rising[np.arange(BINS) * len(p) // BINS]))
    weight, predicted, observed = (
        np.add.reduceat((w * values)[..., order], starts, axis=-1) for values in (1.0 + 0 * y, p, y)
    )
    return weight, _share(predicted, weight), _share(observed, weight)


def _calibration_error(y: np.ndarray, p: np.ndarray, c: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Mean distance of probability and truth in bins of equally many rows (Naeini et al. 2015)."""
    weight, predicted, observed = _binned(y, p, w)
    return (weight * np.abs(predicted - observed)).sum(axis=-1) / weight.sum(axis=-1)


def _reliability(y: np.ndarray, p: np.ndarray, c: np.ndarray, w: np.ndarray) -> np.ndarray:
    weight, predicted, observed = _binned(y, p, w)
    return (weight * (predicted - observed) ** 2).sum(axis=-1) / weight.sum(axis=-1)


def _resolution(y: np.ndarray, p: np.ndarray, c: np.ndarray, w: np.ndarray) -> np.ndarray:
    weight, _, observed = _binned(y, p, w)
    base = np.asarray(_mean(y, w))[..., None]
    return (weight * (observed - base) ** 2).sum(axis=-1) / weight.sum(axis=-1)


# The three last are Murphy's (1973) parts of the Brier score: reliability (0 is best) less
# resolution (more is better) plus uncertainty (the table's, no model changes it). In bins they sum
# to the score but for the spread of the probabilities within a bin.
METRICS: dict[str, Metric] = {
    "log_loss": _log_loss,
    "brier": lambda y, p, c, w: _mean((p - y) ** 2, w),
    "calibration_error": _calibration_error,
    "roc_auc": _roc_auc,
    "average_precision": _average_precision,
    "accuracy": lambda y, p, c, w: _mean(y == c, w),
    "balanced_accuracy": lambda *a: (_recall(*a) + _specificity(*a)) / 2,
    "precision": _precision,
    "recall": _recall,
    "f1": lambda y, p, c, w: _share(2 * (w @ (c * y)), w @ c + w @ y),
    "mcc": _mcc,
    "brier_reliability": _reliability,
    "brier_resolution": _resolution,
    "brier_uncertainty": lambda y, p, c, w: _mean(y, w) * (1 - _mean(y, w)),
}
# Less is better of these, more of all others; of the uncertainty neither.
LOSSES = {"log_loss", "brier", "calibration_error", "brier_reliability", "brier_uncertainty"}


def roc_curve(y: np.ndarray, p: np.ndarray) -> Curve:
    """False positive rate `x` and true positive rate `y` at every threshold, from 0 to 1."""
    positives, negatives = _above(y, p), _above(1 - y, p)
    return Curve(
        _thinned(negatives / max(negatives[-1], 1)), _thinned(positives / max(positives[-1], 1))
    )


def precision_recall_curve(y: np.ndarray, p: np.ndarray) -> Curve:
    """Recall `x` and precision `y` at every threshold, from the highest probability on."""
    positives, rows = _above(y, p)[1:], _above(np.ones(len(y)), p)[1:]
    return Curve(_thinned(positives / max(positives[-1], 1)), _thinned(positives / rows))


def _above(values: np.ndarray, p: np.ndarray) -> np.ndarray:
    """Sums of the values at or above each threshold, the highest first, after a 0."""
    return np.cumsum(np.append(0.0, _sorted_sums(values, p, np.argsort(-p, kind="stable"))))


def _thinned(values: np.ndarray, most: int = 200) -> list[float]:
    """At most so many of the values, evenly spaced, the first and last among them."""
    kept = np.unique(np.linspace(0, len(values) - 1, most).round().astype(int))
    return [round(float(value), 4) for value in values[kept]]


def calibration_bins(
    y: np.ndarray, p: np.ndarray, confidence: float = 0.95
) -> list[CalibrationBin]:
    """Mean probability and share of class 1 in bins of equally many rows, ties together.

    The interval of the share is Wilson's (1927), of this `confidence`.
    """
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    rows, predicted, observed = _binned(y, p, np.ones(len(y)))
    middle = (observed + z**2 / (2 * rows)) / (1 + z**2 / rows)
    half = np.sqrt(observed * (1 - observed) / rows + z**2 / (4 * rows**2)) * z / (1 + z**2 / rows)
    shares = predicted, observed, np.maximum(middle - half, 0), np.minimum(middle + half, 1)
    return [
        CalibrationBin(int(count), *(round(float(share), 4) for share in bin_))
        for count, *bin_ in zip(rows, *shares, strict=True)
    ]
