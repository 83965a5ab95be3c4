"""Which candidate is better: statistics on scores from the same overlapping folds."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy import stats

from titanic_ml.evaluation.multiplicity import holm


def compare(scores: pd.DataFrame, test_to_train: float) -> pd.DataFrame:
    """Put the candidates side by side, the one with the least log loss first.

    Parameters
    ----------
    scores
        A row a candidate and fold, folds in the same order for all: `candidate`, `log_loss`,
        `roc_auc`, `accuracy`, `fit_seconds`.
    test_to_train
        Test rows over training rows in a fold.

    Returns
    -------
    DataFrame
        By candidate: the means; `standard_error` of the log loss; `p_value`, the probability that
        a candidate as good as the best falls as far behind it as this one did, corrected for the
        number of candidates (Holm 1979).
    """
    table = scores.groupby("candidate")[["log_loss", "roc_auc", "accuracy", "fit_seconds"]].mean()
    table = table.sort_values("log_loss", kind="stable")
    losses = {name: group.to_numpy() for name, group in scores.groupby("candidate")["log_loss"]}
    for name in table.index:
        behind = losses[name] - losses[table.index[0]]
        table.loc[name, "standard_error"] = corrected_standard_error(losses[name], test_to_train)
        table.loc[name, "p_value"] = corrected_t_test(behind, test_to_train)
    others = table.index[1:]
    table.loc[others, "p_value"] = holm(table.loc[others, "p_value"].tolist())
    return table


def show(table: pd.DataFrame, chosen: str) -> str:
    """Format the comparison as text, one line per candidate.

    Columns `label` and `chosen_share` are needed too; `grouped_log_loss` is optional.
    """
    with_groups = "grouped_log_loss" in table
    columns = ["Candidate", "log loss ± s.e.", *["grouped"] * with_groups]
    columns += ["chosen", "p", "AUC", "accuracy", "fit"]
    widths = ["<22", ">15", *[">8"] * with_groups, ">7", ">7", ">6", ">9", ">8"]
    lines = [" ".join(f"{c:{width}}" for c, width in zip(columns, widths))]
    for name, row in table.iterrows():
        cells = [row.label, f"{row.log_loss:.4f} ± {row.standard_error:.4f}"]
        if with_groups:
            cells.append("" if pd.isna(row.grouped_log_loss) else f"{row.grouped_log_loss:.4f}")
        cells += [f"{row.chosen_share:.0%}"]
        cells += [f"{row.p_value:.3f}" if row.p_value >= 0.001 else "<0.001"]
        cells += [f"{row.roc_auc:.3f}", f"{row.accuracy:.3f}", f"{row.fit_seconds:.3f} s"]
        line = " ".join(f"{cell:{width}}" for cell, width in zip(cells, widths))
        lines.append(line + "  <- chosen" * (name == chosen))
    return "\n".join(lines)


def simplest_within(
    losses: Mapping[str, float], complexity: Mapping[str, int], tolerance: float
) -> str:
    """Return the simplest candidate with a log loss at most `tolerance` above the least.

    The tolerance is what simplicity is worth; that a difference may be chance is no reason to
    overlook it. Among equally complex ones the one with the least log loss.
    """
    least = min(losses.values())
    near = [name for name, loss in losses.items() if loss <= least + tolerance]
    return min(near, key=lambda name: (complexity[name], losses[name]))


def corrected_standard_error(values: np.ndarray, test_to_train: float) -> float:
    """Compute the corrected standard error of a mean over folds.

    Folds share training rows, so the plain standard error is too small (Nadeau and Bengio 2003,
    equation 9).

    Parameters
    ----------
    values
        One value of each fold, (k,).
    test_to_train
        Number of test rows divided by the number of training rows in a fold.

    Returns
    -------
    float
        The standard error.

    Examples
    --------
    >>> round(corrected_standard_error(np.array([1.0, 2.0, 3.0]), 0.5), 4)
    0.9129
    """
    return float(np.sqrt((1 / len(values) + test_to_train) * np.var(values, ddof=1)))


def corrected_t_test(differences: np.ndarray, test_to_train: float) -> float:
    """One-sided p-value of a mean difference above 0 over overlapping folds; 1 if all are 0."""
    error = corrected_standard_error(differences, test_to_train)
    if error == 0:
        return 1.0 if differences.mean() <= 0 else 0.0
    return float(stats.t.sf(differences.mean() / error, df=len(differences) - 1))
