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
class Selection:  # numpydoc ignore=PR02
    """Chosen candidate, and scores of all candidates.

    Parameters
    ----------
    candidates
        The candidates that were compared.
    chosen
        The chosen candidate.
    parameters
        Its hyper-parameters, chosen on all rows.
    threshold
        Its decision threshold, chosen on all rows.
    model
        Pipeline from the table's columns to probabilities, fitted on all rows.
    baselines
        Fitted pipelines of the baselines, by label.
    table
        Scores of the candidates, (candidates, columns), as `model_comparison.compare` returns them,
        with `label`, `chosen_share` and, once estimated, `grouped_log_loss`.
    out_of_fold
        Out-of-fold predictions of the chosen candidate and the baselines.
    folds
        Outer splits, repeat by repeat, with the hyper-parameters and threshold chosen in each.
    stability
        How often resampled rows lead to the same choice.
    left_out
        Candidates that were not compared, each label with the reason.
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
