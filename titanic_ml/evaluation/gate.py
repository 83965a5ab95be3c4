"""Which of two versions is better, on rows that neither had seen."""

from __future__ import annotations

import numpy as np
import pandas as pd

from titanic_ml.evaluation.metrics import row_losses


def mean_log_loss(table: pd.DataFrame) -> float:
    """Log loss of out-of-fold probabilities, averaged over the columns `repeat_…`; truth in `y`."""
    repeats = table.filter(like="repeat_").to_numpy()
    return float(row_losses(np.tile(table["y"], repeats.shape[1]), repeats.ravel(order="F")).mean())


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
    ours, theirs = (mean_log_loss(t[t["row"].isin(shared)]) for t in (challenger, champion))
    return len(shared), ours, theirs
