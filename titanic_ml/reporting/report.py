"""What a version says for itself: report.html, one file that opens offline, and model_card.md.

Both are drawn from plain values, those of `evaluation.json`, so they can be drawn again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from titanic_ml.reporting.verdict import Verdict, verdict, wholes_and_members

Facts = Mapping[str, Any]
METRIC_WORDS = {
    "log_loss": "Mean surprise at the truth; less is better. What candidates are ranked by.",
    "brier": "Mean squared error of the probability; less is better.",
    "calibration_error": "Mean distance between probability and share of positives; 0 is best.",
    "roc_auc": "Share of pairs put in the right order; 0.5 is a coin.",
    "average_precision": "Mean precision over the recall; a coin has the share of positives.",
    "accuracy": "Share of right answers at the threshold.",
    "balanced_accuracy": "Mean of the right answers' share in each class.",
    "precision": "Of the answers 1, the share that is right: truly positive.",
    "recall": "Of the positive rows, the share that is found.",
    "f1": "Harmonic mean of precision and recall.",
    "mcc": "Correlation of truth and answer; 0 is a coin.",
    "brier_reliability": "The part of the Brier score from wrong probabilities; 0 is best.",
    "brier_resolution": "The part that telling rows apart takes off it; more is better.",
    "brier_uncertainty": "The part that the table itself brings; no model changes it.",
}


@dataclass(frozen=True)
class Report:
    """What a version says of itself.

    Attributes
    ----------
    version
        Its name.
    facts
        The plain values of its `evaluation.json`.
    verdict
        The sentences that follow from them.
    figures
        By name, an SVG text each.
    """

    version: str
    facts: Facts
    verdict: Verdict
    figures: dict[str, str]

    @classmethod
    def of(cls, facts: Facts) -> Report:
        """Draw and word the facts of a version."""
        return cls(facts["version"], facts, verdict(facts), drawings(facts))

    def __repr__(self) -> str:
        return f"{self.version}: {self.verdict.headline}"


def render_report(facts: Facts) -> str:
    """The report of a version as one HTML file that needs no other.

    Parameters
    ----------
    facts
        The plain values of `evaluation.json`.
    """
    return _template("report.html.j2", escaped=True).render(
        facts=facts,
        verdict=verdict(facts),
        drawings=drawings(facts),
        words=METRIC_WORDS,
        rows_of_importance=_importance_rows(facts),
        wholes=len(wholes_and_members(facts["importance"])[0]),
    )


def render_model_card(facts: Facts) -> str:
    """The model card of a version in Markdown, with the sections of Mitchell et al. (2019)."""
    return _template("model_card.md.j2", escaped=False).render(
        facts=facts, verdict=verdict(facts), words=METRIC_WORDS
    )


def drawings(facts: Facts) -> dict[str, str]:
    """Every drawing of the report, an SVG text each, by name."""
    from titanic_ml.reporting import plots

    evaluation, candidates = facts["evaluation"], facts["candidates"]
    chosen = [c["name"] for c in candidates].index(facts["chosen"]["name"])
    curves, share = evaluation["curves"], evaluation["positives"] / evaluation["rows"]
    items, slices = _importance_rows(facts), evaluation["slices"]
    worst = evaluation["worst"] or {}
    names = [(s["slice"], s["value"]) for s in slices]
    at = (worst.get("slice"), worst.get("value"))
    compared = [
        (c["log_loss"], *(c["log_loss"] + side * c["standard_error"] for side in (-1, 1)))
        for c in candidates
    ]
    found = {
        "comparison": plots.whiskers(
            [_short(c["label"]) for c in candidates], compared, "log loss ± standard error", chosen
        ),
        "roc": plots.roc(curves["roc"], evaluation["estimates"]["roc_auc"][0]),
        "precision_recall": plots.precision_recall(curves["precision_recall"], share),
        "calibration": plots.calibration(curves["calibration"]),
        "importance": plots.whiskers(
            [_short(" + ".join(i["features"])) for i in items],
            [i["loss"] for i in items],
            "log loss more without it",
            zero=True,
            parted=len(wholes_and_members(facts["importance"])[0]),
        ),
        "learning_curve": plots.learning_curve(facts["learning_curve"]),
    }
    if slices:
        found["slices"] = plots.whiskers(
            [_short(f"{s} {v}") for s, v in names],
            [s["estimates"]["log_loss"] for s in slices],
            "log loss",
            names.index(at) if at in names else -1,
        )
    if facts["dependence"]:
        found["dependence"] = plots.dependence(facts["dependence"])
    return found


def _importance_rows(facts: Facts, most: int = 20) -> list[Mapping[str, Any]]:
    """Groups and features of no group, then the features of groups alone; the first of many."""
    wholes, members = wholes_and_members(facts["importance"])
    return (wholes + members)[:most]


def _short(text: str, most: int = 30) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _template(name: str, escaped: bool) -> Any:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("titanic_ml.reporting"),
        autoescape=escaped,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    gap = "\u00a0" if escaped else " "  # a page keeps "to" at its number where lines are short
    environment.filters["estimate"] = lambda e: f"{e[0]:z.3f} ({e[1]:z.3f}{gap}to {e[2]:z.3f})"
    environment.filters["percent"] = lambda share: f"{100 * share:g}%"
    environment.filters["cell"] = lambda text: " ".join(str(text).split()).replace("|", "\\|")
    environment.filters["name"] = lambda text: str(text).replace("_", " ")
    return environment.get_template(name)
