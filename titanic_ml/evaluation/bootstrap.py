"""The Bayesian bootstrap (Rubin 1981): rows are reweighted, so no resample lacks a class.

Rows of a group (a travelling party) are not independent. With groups, a group has one weight for
all of its rows, as in the cluster bootstrap (Field and Welsh 2007).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from threadpoolctl import threadpool_limits

AT_ONCE = 1_000_000  # values held in memory
RESAMPLES = 500


def bootstrap_weights(
    rows: int, resamples: int, seed: int, values: int = 1, groups: np.ndarray | None = None
) -> Iterator[np.ndarray]:
    """Yield bootstrap weights, (m, rows) at a time, `resamples` in all.

    The same seed gives the same weights, however many are held in memory at once: the fewer, the
    more `values` a row has. `groups` are the labels of the rows' groups, (rows,).
    """
    random = np.random.default_rng(seed)
    codes = None if groups is None else np.unique(groups, return_inverse=True)[1]
    units = rows if codes is None else int(codes.max()) + 1
    step = max(1, AT_ONCE // (rows * values))
    for start in range(0, resamples, step):
        weights = random.standard_exponential((min(step, resamples - start), units))
        yield weights if codes is None else weights[:, codes]


def mean_interval(
    values: np.ndarray, confidence: float, seed: int, groups: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Compute the mean of each column with its percentile interval.

    Parameters
    ----------
    values
        Observations, (rows, columns).
    confidence
        Confidence of the interval, such as 0.95.
    seed
        Seed of the bootstrap.
    groups
        Labels of the rows' groups, (rows,); None if the rows are independent.

    Returns
    -------
    mean, low, high : ndarray
        Means and ends of the intervals, (columns,) each.
    """
    with threadpool_limits(1):  # the last bit of a product depends on how many threads share it
        means = np.concatenate(
            [
                weights @ values / weights.sum(axis=1, keepdims=True)
                for weights in bootstrap_weights(len(values), RESAMPLES, seed, 1, groups)
            ]
        )
    tail = (1 - confidence) / 2
    low, high = np.quantile(means, [tail, 1 - tail], axis=0)
    return values.mean(axis=0), low, high
