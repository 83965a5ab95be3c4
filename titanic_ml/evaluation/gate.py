"""Compare two versions on the same rows, out of fold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from titanic_ml.evaluation.bootstrap import mean_interval
from titanic_ml.evaluation.metrics import row_losses
from titanic_ml.evaluation.result import Estimate


@dataclass(frozen=True)
class PairedComparison:
    """Two models on the rows that both were scored on without having seen them.

    Attributes
    ----------
    rows
        Number of shared rows.
    ours, theirs
        Log loss of the first and of the second model on these rows; NaN without any.
    gain
        Log loss of the first model minus that of the second, with its interval; None without rows.
    """

    rows: int
    ours: float
    theirs: float
    gain: Estimate | None


def mean_log_loss(table: pd.DataFrame) -> float:
    """Average the out-of-fold log loss over the columns `repeat_…`; `y` has the true class."""
    return float(row_losses_of(table).mean())


def row_losses_of(table: pd.DataFrame) -> np.ndarray:
    """Average each row's log loss over the columns `repeat_…`, (n,); `y` is the true class."""
    repeats = table.filter(like="repeat_").to_numpy()
    truth = np.repeat(table["y"].to_numpy()[:, None], repeats.shape[1], axis=1)
    return row_losses(truth, repeats).mean(axis=1)


def compare_out_of_fold(
    first: pd.DataFrame, second: pd.DataFrame, confidence: float = 0.95, seed: int = 0
) -> PairedComparison:
    """Compare two models row by row.

    Rows are paired one to one: first those with equal columns and target, then those with equal id
    and target, where a column has been corrected.

    Parameters
    ----------
    first, second
        Tables of out-of-fold probabilities: `id`, `y`, `row` (hash of the columns), `repeat_1` …,
        and `group`, if the dataset names groups.
    confidence
        Confidence of the bootstrap interval of the paired difference.
    seed
        Seed of the bootstrap.

    Returns
    -------
    PairedComparison
        Number of paired rows, log loss of both models on them, and the difference.
    """
    ours, theirs = _paired(first, second)
    if not len(ours):
        return PairedComparison(0, np.nan, np.nan, None)
    losses = row_losses_of(first)[ours], row_losses_of(second)[theirs]
    gains = (losses[0] - losses[1])[:, None]
    groups = first["group"].to_numpy()[ours] if "group" in first else None
    value, low, high = (float(end[0]) for end in mean_interval(gains, confidence, seed, groups))
    means = [float(loss.mean()) for loss in losses]
    return PairedComparison(len(ours), means[0], means[1], Estimate(value, low, high))


def _paired(first: pd.DataFrame, second: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Positions of the same rows in both tables, (k,) each."""
    left, right = (t.assign(place=np.arange(len(t))) for t in (first, second))
    found = []
    for key in ("row", "id"):
        keys = [key, "y"]
        a, b = (t[[*keys, "place"]].assign(nth=t.groupby(keys).cumcount()) for t in (left, right))
        both = a.merge(b, on=[*keys, "nth"], suffixes=("_first", "_second"))
        found.append(both[["place_first", "place_second"]].to_numpy())
        left = left[~left["place"].isin(both["place_first"])]
        right = right[~right["place"].isin(both["place_second"])]
    pairs = np.concatenate(found).astype("int64")
    pairs = pairs[np.argsort(pairs[:, 0], kind="stable")]
    return pairs[:, 0], pairs[:, 1]
