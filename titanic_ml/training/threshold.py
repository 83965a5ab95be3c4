"""Choose the probability from which on the prediction is 1."""

from __future__ import annotations

import numpy as np

from titanic_ml.evaluation.bootstrap import bootstrap_weights
from titanic_ml.evaluation.metrics import BY_CELLS, Cells, Rows, Weighed

GRID = np.round(np.arange(0.05, 0.951, 0.01), 2)
DRAWS = 100
ERRORS = 2  # a threshold other than 0.5 must gain more than this number of standard errors


def choose_threshold(y: np.ndarray, probability: np.ndarray, metric: str, seed: int) -> float:
    """Return the best threshold for out-of-fold predictions.

    It is 0.5, unless another is better by more than two standard errors of the difference (Bayesian
    bootstrap of rows). One standard error would not do: it ignores that the best of 91 thresholds
    is better by chance, and leaves 0.5 in half of the cases where 0.5 is best
    (`benchmarks/simulations.py`). Among equally good ones the nearest to 0.5 is taken.

    Parameters
    ----------
    y
        The truth, (n,), 0 or 1.
    probability
        Of class 1, (n,), out of fold.
    metric
        Name of the metric to maximise, such as accuracy, balanced_accuracy, f1 or mcc.
    seed
        Governs the bootstrap.

    Examples
    --------
    >>> y = np.repeat([0, 1], 50)
    >>> choose_threshold(y, np.where(y == 1, 0.4, 0.1), "accuracy", seed=0)
    0.4
    """
    score, ones = BY_CELLS[metric], np.asarray(y) == 1
    # Rows of each class at or above each threshold, by their places among the sorted ones.
    tp, fp = (
        kind.sum() - np.searchsorted(np.sort(probability[kind]), GRID) for kind in (ones, ~ones)
    )
    values = score(Cells(tp, fp, ones.sum() - tp, (~ones).sum() - fp))
    best = np.flatnonzero(np.isclose(values, np.max(values)))
    cut = float(min(GRID[best], key=lambda threshold: abs(threshold - 0.5)))
    ours, usual = (Rows(y, probability, probability >= at) for at in (cut, 0.5))

    def gain(weights: np.ndarray) -> np.ndarray:
        return score(Weighed(ours, weights).cells) - score(Weighed(usual, weights).cells)

    drawn = [gain(weights) for weights in bootstrap_weights(len(y), DRAWS, seed)]
    return cut if gain(np.ones(len(y))) > ERRORS * np.std(np.concatenate(drawn)) else 0.5
