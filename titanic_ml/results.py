"""What a training gives, and what it writes down about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from titanic_ml.evaluation.assessment import Assessment
    from titanic_ml.evaluation.result import Evaluation
    from titanic_ml.training.result import Selection


@dataclass(frozen=True, repr=False)
class Training:
    """What one training gave: a version in the store, the comparison of the candidates with the
    fitted model, what was measured of it, and whether it became the champion, and why.
    """

    version: str
    selection: Selection
    assessment: Assessment
    promoted: bool
    why: str

    @property
    def evaluation(self) -> Evaluation:
        """The metrics out of fold, of rows of the same kind."""
        return self.assessment.evaluation

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        estimates, grouped = self.evaluation.estimates, self.assessment.grouped
        return {
            "version": self.version,
            "estimator": self.selection.chosen.name,
            "parameters": self.selection.parameters,
            "threshold": self.selection.threshold,
            "metrics": {name: asdict(estimate) for name, estimate in estimates.items()},
            "grouped": grouped and grouped.to_dict()["estimates"],
            "beats_baselines": self.evaluation.beats_baselines,
            "left_out": self.selection.left_out,
            "promoted": self.promoted,
            "why": self.why,
        }

    def __repr__(self) -> str:
        outcome = "is the new champion" if self.promoted else "did not become the champion"
        parts = [
            repr(self.selection),
            f"Out of fold, each row by models that had not seen it: {self.evaluation}",
        ]
        if grouped := self.assessment.grouped:
            some = ("log_loss", "roc_auc", "accuracy")
            words = ", ".join(f"{name} {grouped.estimates[name]}" for name in some)
            parts.append(
                f"In grouped folds, each row by models that had not seen its group: {words}"
            )
        parts.append(f"{self.version} {outcome}: {self.why}")
        if not self.evaluation.beats_baselines:
            rivals = [label for label, beaten in self.evaluation.beaten.items() if not beaten]
            parts.append(
                f"WARNING: it does not clearly beat {' and '.join(rivals)}, so it should not be "
                "relied on"
            )
        return "\n\n".join(parts)


class Steps:
    """One count of steps over several stages of work, for whoever shows the progress."""

    def __init__(self, show: Callable[[int, int], None] | None, total: int):
        self.show = show
        self.total = total
        self.before = 0

    def __call__(self, done: int, total: int) -> None:
        """Tell how many steps of this stage are done; the next stage counts on after the last."""
        if self.show:
            self.show(self.before + done, self.total)
        if done == total:
            self.before += total
