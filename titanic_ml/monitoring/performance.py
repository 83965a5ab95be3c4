"""Whether a model is still as good, once the outcomes of what it answered are known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from titanic_ml.evaluation.metrics import row_losses
from titanic_ml.evaluation.result import Estimate, Estimates, Evaluation

POWER = 0.8  # share of cases in which a difference of the detectable size is found


@dataclass(frozen=True, repr=False)
class Performance:
    """Performance of a model on later rows, compared with its out-of-fold performance.

    Attributes
    ----------
    now
        The metrics of the later rows, with intervals.
    before
        Those of the training, out of fold.
    difference
        Increase of the mean log loss, with its interval.
    p
        Of a difference as large as this by chance, by Welch's t-test (1947): the rows are others,
        so nothing is paired.
    alpha
        Significance level: a smaller `p` is more than chance.
    detectable
        Increase of the log loss that the test finds in 80% of cases.
    """

    now: Evaluation
    before: Estimates
    difference: Estimate
    p: float
    alpha: float
    detectable: float

    @property
    def worse(self) -> bool:
        """Whether it has become worse by more than chance."""
        return self.p < self.alpha and self.difference.value > 0

    @property
    def verdict(self) -> str:
        """One sentence."""
        now, before = self.now.estimates["log_loss"], self.before["log_loss"]
        better = "worse" if self.difference.value > 0 else "better"
        chance = "more than chance" if self.p < self.alpha else "no more than chance may be"
        return (
            f"log loss {now} on {self.now.rows:,} rows whose outcome is known, {before} in the "
            f"training: {better}, by {chance} (p = {self.p:.2g}); an increase of "
            f"{self.detectable:.3f} would be found in 80% of cases"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return values for JSON."""
        return {
            "rows": self.now.rows,
            "metrics": self.now.to_dict()["estimates"],
            "metrics_before": {name: vars(value) for name, value in self.before.items()},
            "difference": vars(self.difference),
            "p": self.p,
            "detectable": self.detectable,
            "worse": self.worse,
            "verdict": self.verdict,
        }


def compared(
    now: Evaluation,
    y: np.ndarray,
    probability: np.ndarray,
    before: Estimates,
    losses_before: np.ndarray,
    alpha: float,
) -> Performance:
    """Compare the performance on later rows with that on the training rows, out of fold.

    Parameters
    ----------
    now
        Evaluation of the later rows.
    y, probability
        True classes and predicted probabilities of the later rows, (n,).
    before
        Out-of-fold metrics of the training.
    losses_before
        Out-of-fold log loss of each training row, (m,).
    alpha
        Significance level, as in `Performance`.

    Returns
    -------
    Performance
        Both metrics, and a test of their difference.
    """
    losses = row_losses(y, probability)
    test = stats.ttest_ind(losses, losses_before, equal_var=False)
    interval = test.confidence_interval(now.confidence)
    mean = float(losses.mean() - losses_before.mean())
    difference = Estimate(mean, float(interval.low), float(interval.high))
    error = np.hypot(stats.sem(losses), stats.sem(losses_before))
    detectable = float(error * (stats.norm.isf(alpha / 2) + stats.norm.isf(1 - POWER)))
    return Performance(now, before, difference, float(test.pvalue), alpha, detectable)
