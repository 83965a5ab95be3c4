"""Out-of-fold predictions, and results of an evaluation."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

IN_A_LINE = ("log_loss", "roc_auc", "accuracy")
FEWEST = 30  # rows of a slice that may be called the worst


@dataclass(frozen=True)
class Estimate:
    """A metric's value with the ends of its interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:z.3f} ({self.low:z.3f} to {self.high:z.3f})"


Estimates = dict[str, Estimate]


def difference(gain: Estimate, digits: int = 3) -> str:
    """Describe by how much a loss is lower, with the interval, in words for either sign.

    >>> difference(Estimate(0.037, 0.01, 0.06)), difference(Estimate(-0.037, -0.06, -0.01))
    ('lower by 0.037 (0.010 to 0.060)', 'higher by 0.037 (0.010 to 0.060)')
    """
    ends = gain.value, gain.low, gain.high
    word = "lower"
    if gain.value < 0:
        word, ends = "higher", (-gain.value, -gain.high, -gain.low)
    value, low, high = (f"{end:z.{digits}f}" for end in ends)
    return f"{word} by {value} ({low} to {high})"


@dataclass(frozen=True)
class Curve:
    """Points of a curve, in order."""

    x: list[float]
    y: list[float]


@dataclass(frozen=True)
class CalibrationBin:
    """Rows of similar probability: mean prediction, and observed share of class 1 with interval."""

    rows: int
    predicted: float
    observed: float
    low: float
    high: float


@dataclass(frozen=True)
class Curves:
    """The curves of an evaluation."""

    roc: Curve
    precision_recall: Curve
    calibration: list[CalibrationBin]


@dataclass(frozen=True)
class Importance:
    """Increase of the log loss without these features, alone or as a group.

    `p` is the probability of an increase as large by chance, corrected for the number of items.
    """

    features: list[str]
    loss: Estimate
    p: float | None = None


@dataclass(frozen=True)
class DependencePoint:
    """The mean probability where a column has this value, with the ends of its interval."""

    value: int | float | str
    probability: float
    low: float
    high: float


@dataclass(frozen=True)
class Dependence:
    """The partial dependence of the predictions on a column of this kind."""

    column: str
    kind: str
    points: list[DependencePoint]


@dataclass(frozen=True)
class LearningPoint:
    """Mean log loss on training and test rows by number of training rows.

    The standard error is that of the test loss, over folds.
    """

    rows: int
    train: float
    test: float
    standard_error: float


@dataclass(frozen=True)
class SliceScore:
    """The metrics of the rows of one slice; no `roc_auc` where the rows are of one class."""

    slice: str
    value: str
    rows: int
    positives: int
    estimates: Estimates


@dataclass(frozen=True)
class Stability:
    """How stable the choice of a candidate is.

    Attributes
    ----------
    shares
        Share of resamples that choose a candidate, by candidate.
    own
        Log loss of the chosen candidate, out of fold.
    nested
        Estimated log loss of the procedure "choose the best candidate", out of fold.
    resamples
        Number of resamples.
    """

    shares: dict[str, float]
    own: float
    nested: float
    resamples: int

    @property
    def optimism(self) -> float:
        """Optimism of the chosen candidate's log loss due to the choice."""
        return self.nested - self.own


@dataclass(frozen=True, repr=False)
class OutOfFold:
    """Predictions for each row by models that had not seen it.

    Attributes
    ----------
    probability
        Probabilities of class 1, (n, repeats), columns `repeat_1` and on.
    prediction
        Classes, 0 or 1, at the threshold chosen inside the fold, (n, repeats).
    baselines
        Probabilities of the baselines by label, (n, repeats).
    """

    probability: pd.DataFrame
    prediction: pd.DataFrame
    baselines: dict[str, np.ndarray]


@dataclass(frozen=True, repr=False)
class Evaluation:
    """Metrics of a model on some rows.

    Attributes
    ----------
    rows, positives
        Number of rows, and number of rows of class 1.
    threshold
        Smallest probability that is predicted as class 1.
    estimates
        Metrics with their intervals, by name.
    confusion
        Number of rows by true class (first key) and class at `threshold` (second key), averaged
        over repeats.
    baselines, gains
        Metrics of each baseline by its label, and differences in favour of the model.
    slices
        Metrics within each slice.
    curves
        ROC curve, precision-recall curve and calibration.
    seen
        Number of rows that the model was trained on; if there are any, the metrics are too
        optimistic.
    confidence
        Confidence of all intervals, such as 0.95.
    version
        Name of the version; empty before it is saved.
    out_of_fold
        Whether the predictions are out of fold, in a cross-validation.
    nested_confusion
        If so, like `confusion`, but at the threshold that was chosen inside each fold. It and the
        metrics that need a threshold estimate the whole procedure, the choice of a threshold
        included; `confusion` is that of the one threshold which the version uses.
    grouped
        Metrics in grouped folds, if `out_of_fold` and the dataset names groups.
    warning
        Other warning about the evaluation; empty without one.
    calibration_p
        Probability of a deviation as large if the probabilities were calibrated (Spiegelhalter
        1986); None if it was not computed.
    worst_p
        Probability of a slice as bad as the worst one by chance; None without slices.
    target, answers
        Name of the target and its values for class 0 and class 1, for people.
    """

    rows: int
    positives: int
    threshold: float
    estimates: Estimates
    confusion: dict[int, dict[int, float]]
    baselines: dict[str, Estimates] = field(default_factory=dict)
    gains: dict[str, Estimates] = field(default_factory=dict)
    slices: list[SliceScore] = field(default_factory=list)
    curves: Curves | None = None
    seen: int = 0
    confidence: float = 0.95
    version: str = ""
    out_of_fold: bool = False
    grouped: Estimates | None = None
    warning: str = ""
    nested_confusion: dict[int, dict[int, float]] | None = None
    calibration_p: float | None = None
    worst_p: float | None = None
    target: str = "class"
    answers: tuple[str, str] = ("0", "1")

    @property
    def worst(self) -> SliceScore | None:
        """The slice with the highest log loss among those of at least `FEWEST` rows."""
        large = [score for score in self.slices if score.rows >= FEWEST]
        return max(large, key=lambda score: score.estimates["log_loss"].value, default=None)

    @property
    def beaten(self) -> dict[str, bool]:
        """Whether the whole interval of the gain in log loss is above 0, by baseline."""
        return {name: gain["log_loss"].low > 0 for name, gain in self.gains.items()}

    @property
    def beats_baselines(self) -> bool:
        """Whether the model is better than every baseline beyond chance."""
        return all(self.beaten.values())

    def to_dict(self) -> dict[str, Any]:
        """Return values for JSON; keys are the names of the attributes."""
        return asdict(self)

    def __repr__(self) -> str:
        positives = f"{self.positives} with {self.target} {self.answers[1]}"
        rows = f"{self.rows} rows, {positives}, threshold {self.threshold:g}"
        how = "Out-of-fold metrics: " * self.out_of_fold
        lines = [f"WARNING: {self.warning}"] if self.warning else []
        lines.append(f"{how}{rows}, with {100 * self.confidence:g}% intervals:")
        if self.seen:
            lines.append(
                f"  WARNING: the model was trained on {self.seen} of these {self.rows} rows, "
                "so these metrics are too optimistic"
            )
        lines += [f"  {name:<18} {estimate}" for name, estimate in self.estimates.items()]
        for name, gains in self.gains.items():
            lines.append(f"  log loss against {name}: {difference(gains['log_loss'])}")
        if self.worst:
            loss = self.worst.estimates["log_loss"]
            where = f"{self.worst.slice} {self.worst.value} ({self.worst.rows} rows)"
            lines.append(f"  worst slice: {where}: log loss {loss}")
        lines.append(f"  confusion matrix at threshold {self.threshold:g}:")
        lines += [f"    {line}" for line in self._confusion_lines(self.confusion)]
        if self.nested_confusion:
            lines.append(
                "  confusion matrix at the thresholds chosen inside the folds, which estimates the "
                "whole procedure, like accuracy to mcc:"
            )
            lines += [f"    {line}" for line in self._confusion_lines(self.nested_confusion)]
        if self.grouped:
            some = ", ".join(f"{name} {self.grouped[name]}" for name in IN_A_LINE)
            lines += [
                "",
                f"In grouped folds, where no group is split between training and test: {some}",
            ]
        return "\n".join(lines)

    def _confusion_lines(self, confusion: dict[int, dict[int, float]]) -> list[str]:
        """Format one line for each true class."""
        return [
            f"true {self.answers[truth]}: "
            + ", ".join(f"{count:g} predicted {self.answers[c]}" for c, count in row.items())
            for truth, row in confusion.items()
        ]


def in_order(labels: Iterable[str]) -> list[str]:
    """Sort labels of slices by their first number, then alphabetically.

    >>> in_order(["unknown", "60 and over", "9 to 60", "under 9", "9 to 60"])
    ['under 9', '9 to 60', '60 and over', 'unknown']
    """

    def key(label: str) -> tuple[float, bool, str]:
        number = re.search(r"\d+(\.\d+)?", label)
        first = float(number[0]) if number else float("inf")
        return first, not label.startswith("under "), label

    return sorted(set(labels), key=key)
