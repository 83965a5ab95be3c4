"""What another threshold would have done."""

from __future__ import annotations

import numpy as np

STEPS = 100


def confusions(y: np.ndarray, probability: np.ndarray) -> list[dict[str, float]]:
    """The confusion at each threshold from 0 to 1, in hundredths.

    Parameters
    ----------
    y
        The truth, (n,), 0 or 1.
    probability
        Of class 1, (n, repeats).

    Returns
    -------
    list
        Of each threshold: itself, and how many rows are `true_1`, `false_1`, `false_0` and `true_0`
        when what has at least this probability is 1, as a mean of the repeats.
    """
    found = []
    for step in range(STEPS + 1):
        threshold = step / STEPS
        ones = (probability >= threshold).mean(axis=1)
        true_1, said_1, positives = float(ones @ y), float(ones.sum()), float(y.sum())
        counts = {"true_1": true_1, "false_1": said_1 - true_1, "false_0": positives - true_1}
        counts["true_0"] = len(y) - sum(counts.values())
        found.append({"threshold": threshold, **{k: round(v, 2) for k, v in counts.items()}})
    return found
