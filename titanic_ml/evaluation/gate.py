"""Which of two versions is better, on rows that neither had seen."""

from __future__ import annotations

import numpy as np
import pandas as pd

from titanic_ml.evaluation.bootstrap import mean_interval
from titanic_ml.evaluation.metrics import row_losses
from titanic_ml.evaluation.result import Estimate


def mean_log_loss(table: pd.DataFrame) -> float:
    """Log loss of out-of-fold probabilities, averaged over the columns `repeat_…`; truth in `y`."""
    return float(row_losses_of(table).mean())


def row_losses_of(table: pd.DataFrame) -> np.ndarray:
    """The mean log loss of each row over the columns `repeat_…`, (n,); truth in `y`."""
    repeats = table.filter(like="repeat_").to_numpy()
    truth = np.repeat(table["y"].to_numpy()[:, None], repeats.shape[1], axis=1)
    return row_losses(truth, repeats).mean(axis=1)


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


def paired_gain(
    first: pd.DataFrame, second: pd.DataFrame, confidence: float = 0.95, seed: int = 0
) -> tuple[int, Estimate | None]:
    """By how much the log loss of the second model is less, row by row where both were scored.

    Parameters
    ----------
    first, second
        As in `compare_out_of_fold`; rows are paired by id and target.
    confidence, seed
        Of the interval by the bootstrap of rows.

    Returns
    -------
    tuple
        How many rows were paired, and the mean gain; None without any.
    """
    keys = ["id", "y"]
    losses = [t[keys].assign(loss=row_losses_of(t)) for t in (first, second)]
    both = losses[0].merge(losses[1], on=keys, suffixes=("_first", "_second"))
    if both.empty:
        return 0, None
    gains = (both["loss_first"] - both["loss_second"]).to_numpy()[:, None]
    value, low, high = (float(end[0]) for end in mean_interval(gains, confidence, seed))
    return len(both), Estimate(value, low, high)


def _known(table: pd.DataFrame, other: pd.DataFrame) -> np.ndarray:
    """Which rows of a table are in another."""
    pairs = (pd.MultiIndex.from_frame(t[["id", "y"]]) for t in (table, other))
    return table["row"].isin(other["row"]).to_numpy() | next(pairs).isin(next(pairs))
