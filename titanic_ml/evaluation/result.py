"""Out-of-fold predictions, and what an evaluation of predictions says."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

FEWEST = 30  # rows of a slice that may be called the worst


@dataclass(frozen=True)
class Estimate:
    """A metric's value with the ends of its interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f})"

    def to_list(self) -> list[float]:
        """Value, low and high, for JSON."""
        return [self.value, self.low, self.high]


Estimates = dict[str, Estimate]


@dataclass(frozen=True)
class SliceScore:
    """The metrics of the rows of one slice; no `roc_auc` where the rows are of one class."""

    slice: str
    value: str
    rows: int
    positives: int
    estimates: Estimates


@dataclass(frozen=True, repr=False)
class OutOfFold:
    """Answers for each row from models that had not seen it.

    Attributes
    ----------
    probability, answer
        Of class 1, and 0 or 1 at the threshold chosen inside the fold: a column a repeat,
        `repeat_1` and on, rows as in the table.
    baselines
        By label, the probabilities of the baselines, (n, repeats).
    """

    probability: pd.DataFrame
    answer: pd.DataFrame
    baselines: dict[str, np.ndarray]


@dataclass(frozen=True, repr=False)
class Evaluation:
    """How good a model is on some rows.

    Attributes
    ----------
    rows, positives
        How many rows, and how many of class 1.
    threshold
        Probability from which on the answer is 1.
    estimates
        Each metric with its interval.
    confusion
        Rows by truth (first key) and answer (second key), averaged over repetitions.
    baselines, gains
        By label of a baseline, its metrics, and by how much the model is better in each.
    slices
        The metrics within each slice.
    curves
        Points of `roc` and `precision_recall`, and the bins of `calibration`.
    seen
        How many of the rows the model was trained on: if any, the metrics flatter it.
    confidence
        Of all the intervals.
    """

    rows: int
    positives: int
    threshold: float
    estimates: Estimates
    confusion: dict[int, dict[int, float]]
    baselines: dict[str, Estimates] = field(default_factory=dict)
    gains: dict[str, Estimates] = field(default_factory=dict)
    slices: list[SliceScore] = field(default_factory=list)
    curves: dict[str, Any] = field(default_factory=dict)
    seen: int = 0
    confidence: float = 0.95

    @property
    def worst(self) -> SliceScore | None:
        """The slice with the highest log loss among those of at least `FEWEST` rows."""
        large = [score for score in self.slices if score.rows >= FEWEST]
        return max(large, key=lambda score: score.estimates["log_loss"].value, default=None)

    def with_seen(self, seen: int) -> Evaluation:
        """The same with the number of rows that the model was trained on."""
        return replace(self, seen=seen)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON: each metric as [value, low, high]."""
        return {
            "rows": self.rows,
            "positives": self.positives,
            "threshold": self.threshold,
            "confidence": self.confidence,
            "seen": self.seen,
            "estimates": _plain(self.estimates),
            "confusion": {
                str(i): {str(j): n for j, n in row.items()} for i, row in self.confusion.items()
            },
            "baselines": [
                {"label": name, "estimates": _plain(own), "gain": _plain(self.gains[name])}
                for name, own in self.baselines.items()
            ],
            "slices": [
                {**asdict(s), "estimates": {"roc_auc": None} | _plain(s.estimates)}
                for s in self.slices
            ],
            "worst": self.worst and {"slice": self.worst.slice, "value": self.worst.value},
            "curves": self.curves,
        }

    def __repr__(self) -> str:
        rows = f"{self.rows} rows, {self.positives} of class 1, threshold {self.threshold:g}"
        lines = [f"{rows}, with {100 * self.confidence:g}% intervals:"]
        if self.seen:
            lines.append(
                f"  WARNING: the model was trained on {self.seen} of these {self.rows} rows, "
                "so these figures flatter it"
            )
        lines += [f"  {name:<18} {estimate}" for name, estimate in self.estimates.items()]
        for name, gains in self.gains.items():
            lines.append(f"  log loss less than that of {name} by {gains['log_loss']}")
        if self.worst:
            loss = self.worst.estimates["log_loss"]
            where = f"{self.worst.slice} {self.worst.value} ({self.worst.rows} rows)"
            lines.append(f"  worst for {where}: log loss {loss}")
        for truth, answers in self.confusion.items():
            cells = ", ".join(f"{count:g} as {answer}" for answer, count in answers.items())
            lines.append(f"  truly {truth}: answered {cells}")
        return "\n".join(lines)


def in_order(labels: Iterable[str]) -> list[str]:
    """Parts of a table as a person lists them: by the first number in each, then by the letters.

    >>> in_order(["unknown", "60 and over", "9 to 60", "under 9", "9 to 60"])
    ['under 9', '9 to 60', '60 and over', 'unknown']
    """

    def key(label: str) -> tuple[float, bool, str]:
        number = re.search(r"\d+(\.\d+)?", label)
        first = float(number[0]) if number else float("inf")
        return first, not label.startswith("under "), label

    return sorted(set(labels), key=key)


def _plain(estimates: Estimates) -> dict[str, list[float]]:
    return {name: estimate.to_list() for name, estimate in estimates.items()}
