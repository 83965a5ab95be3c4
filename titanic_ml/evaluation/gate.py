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

    A row is the same if its id and target are, or all of its columns.

    Parameters
    ----------
    challenger, champion
        Tables of out-of-fold probabilities: `id`, `y`, `row` (a hash of the columns), `repeat_1` …

    Returns
    -------
    tuple
        How many rows they share, and the log loss of each on those; NaN without shared rows.
    """
    ours, theirs = challenger[_known(challenger, champion)], champion[_known(champion, challenger)]
    if not len(ours):
        return 0, np.nan, np.nan
    return len(ours), mean_log_loss(ours), mean_log_loss(theirs)


def _known(table: pd.DataFrame, other: pd.DataFrame) -> np.ndarray:
    """Which rows of a table are in another."""
    pairs = (pd.MultiIndex.from_frame(t[["id", "y"]]) for t in (table, other))
    return table["row"].isin(other["row"]).to_numpy() | next(pairs).isin(next(pairs))
