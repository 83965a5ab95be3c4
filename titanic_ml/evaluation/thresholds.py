"""Confusion matrices at other decision thresholds."""

from __future__ import annotations

import numpy as np

from titanic_ml.evaluation.metrics import confusion

STEPS = 100


def confusions(y: np.ndarray, probability: np.ndarray) -> list[dict[str, float]]:
    """Return the confusion matrix at each threshold from 0 to 1, in hundredths.

    Parameters
    ----------
    y : (n,) array of 0 and 1
    probability : (n, repeats) array, predicted probability of class 1

    Returns
    -------
    For each threshold: itself, and the numbers of rows `true_1`, `false_1`, `false_0` and `true_0`,
    as a mean of the repeats. Rows with at least this probability are predicted 1.
    """
    names = ("true_1", "false_1", "false_0", "true_0")
    found = []
    for threshold in np.arange(STEPS + 1) / STEPS:
        counts = confusion(y, probability, probability >= threshold)
        numbers = {name: round(float(n), 2) for name, n in zip(names, counts, strict=True)}
        found.append({"threshold": float(threshold), **numbers})
    return found
