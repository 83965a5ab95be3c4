"""Result of a selection: the chosen candidate and the comparison."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd
from sklearn.pipeline import Pipeline

from titanic_ml.dataset.splits import Split
from titanic_ml.evaluation.result import OutOfFold, Stability
from titanic_ml.training.fold import Choice
from titanic_ml.training.model_comparison import show

if TYPE_CHECKING:
    from titanic_ml.estimator.candidate import Candidate


@dataclass(frozen=True, repr=False)
class Selection:
    """Chosen candidate, and scores of all candidates.

    Attributes
    ----------
    candidates
        All that were compared.
    chosen, parameters, threshold
        The candidate that won, with what was chosen for it on all rows.
    model
        The fitted Pipeline, from the table's columns to probabilities.
    baselines
        By label, the fitted Pipelines of the baselines.
    table
        The candidates side by side, as `model_comparison.compare` returns them, with `label` and
        `chosen_share`; `grouped_log_loss` too once that is estimated.
    out_of_fold
        The chosen candidate's and the baselines' predictions for rows not seen.
    stability
        How stable the choice is.
    left_out
        By label, why a candidate was not compared: it could not learn from so few rows.
    folds
        The outer splits, repeat by repeat, with what was chosen in each for the candidate.
    """

    candidates: Sequence[Candidate]
    chosen: Candidate
    parameters: dict[str, Any]
    threshold: float
    model: Pipeline
    baselines: dict[str, Pipeline]
    table: pd.DataFrame
    out_of_fold: OutOfFold
    folds: list[tuple[Split, Choice]]
    stability: Stability
    left_out: dict[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        settings = ", ".join(f"{name} {value}" for name, value in self.parameters.items())
        chosen = f"Chosen: {self.chosen.label}{f' with {settings}' if settings else ''}"
        lines = [show(self.table, self.chosen.name)]
        lines += [f"Left out: {label}. {reason}" for label, reason in self.left_out.items()]
        return "\n".join([*lines, f"{chosen}, threshold {self.threshold:g}"])
