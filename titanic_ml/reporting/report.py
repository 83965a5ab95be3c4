"""Report of a version (report.html, one file that opens offline) and its model card.

Both are drawn from a version's facts, so they can be drawn again.
"""

from __future__ import annotations

import functools
import json
import logging
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from titanic_ml.evaluation.result import Estimate, Importance
from titanic_ml.registry.version import FACTS, FIGURES, MODEL_CARD, REPORT
from titanic_ml.reporting.verdict import Verdict, verdict, wholes_and_members
from titanic_ml.reporting.version_report import VersionReport
from titanic_ml.training.workers import in_parallel

if TYPE_CHECKING:
    from titanic_ml.registry.version import ModelVersion

# Imported in functions: matplotlib and Jinja, which only drawing and writing take.

METRIC_WORDS = {
    "log_loss": "Mean negative log likelihood; lower is better. Ranks the candidates.",
    "brier": "Mean squared error of the probability; lower is better.",
    "calibration_error": "Distance between predicted and observed probability; 0 is best.",
    "roc_auc": "Probability that a positive is ranked above a negative; 0.5 is random.",
    "average_precision": "Area under the precision-recall curve; random is the positive share.",
    "accuracy": "Share of correct predictions, at the threshold chosen inside each fold.",
    "balanced_accuracy": "Mean of the recall of both classes.",
    "precision": "Share of positive predictions that are correct.",
    "recall": "Share of positives that are predicted positive.",
    "f1": "Harmonic mean of precision and recall.",
    "mcc": "Correlation of true and predicted class; 0 is random.",
    "brier_reliability": "Part of the Brier score from miscalibration; 0 is best.",
    "brier_resolution": "Part that separating the classes removes; higher is better.",
    "brier_uncertainty": "Part that depends on the share of positives alone.",
}
Drawing: TypeAlias = tuple[Any, ...]  # a function of `plots`, by name, and what it takes
_drawing = threading.Lock()


@dataclass(frozen=True)
class Report:
    """Report of a version.

    Attributes
    ----------
    version
        Name of the version.
    facts
        Settings, choice and measurements of the training.
    verdict
        Sentences that follow from the facts.
    figures
        Figures by name, as SVG.
    """

    version: str
    facts: VersionReport
    verdict: Verdict
    figures: dict[str, str]

    @classmethod
    def of(cls, version: ModelVersion) -> Report:
        """Read the report of a version."""
        facts = VersionReport.from_json(version.facts)
        return cls(version.name, facts, verdict(facts), version.figures)

    def __repr__(self) -> str:
        return f"{self.version}: {self.verdict.headline}"


def documents(facts: VersionReport, n_jobs: int = 1) -> dict[str, bytes]:
    """Return the documents of a version by file name: facts, report, figures and model card.

    Figures are drawn in `n_jobs` processes.
    """
    figures = drawings(facts, n_jobs)
    return {
        FACTS: facts.to_json(),
        FIGURES: json.dumps(figures).encode(),
        REPORT: render_report(facts, figures).encode(),
        MODEL_CARD: render_model_card(facts).encode(),
    }


def render_report(facts: VersionReport, figures: Mapping[str, str]) -> str:
    """Return the report of a version as one HTML file that needs no other."""
    return template("report.html.j2", escaped=True).render(
        facts=facts,
        verdict=verdict(facts),
        drawings=figures,
        words=METRIC_WORDS,
        rows_of_importance=_importance_rows(facts),
        wholes=len(wholes_and_members(facts.importance)[0]),
    )


def render_model_card(facts: VersionReport) -> str:
    """Return the model card of a version in Markdown (Mitchell et al. 2019)."""
    return template("model_card.md.j2", escaped=False).render(
        facts=facts, verdict=verdict(facts), words=METRIC_WORDS
    )


def drawings(facts: VersionReport, n_jobs: int = 1) -> dict[str, str]:
    """Draw the figures of the report as SVG, by name, in `n_jobs` processes."""
    jobs: dict[str, Drawing] = {}
    if facts.dependence:  # what takes longest goes first
        jobs["dependence"] = "dependence", facts.dependence
    jobs |= _of_comparison(facts) | _of_evaluation(facts)
    return dict(zip(jobs, in_parallel(n_jobs, _draw, jobs.values()), strict=True))


def _of_comparison(facts: VersionReport) -> dict[str, Drawing]:
    """Return the drawings of the model beside baselines, and of the candidates."""
    evaluation, candidates = facts.evaluation, facts.candidates
    estimates = {"this model": evaluation.estimates}
    if facts.grouped:
        estimates["this model, unseen groups"] = facts.grouped.estimates
    estimates |= evaluation.baselines
    names = [_short(name) for name in estimates]
    standing = [of["log_loss"] for of in estimates.values()]
    label = f"log loss with {100 * evaluation.confidence:g}% intervals"
    labels = [_short(c.label) for c in candidates]
    compared = [
        Estimate(c.log_loss, c.log_loss - c.standard_error, c.log_loss + c.standard_error)
        for c in candidates
    ]
    chosen = [c.name for c in candidates].index(facts.chosen.name)
    return {
        "standing": ("whiskers", names, standing, label, 0),
        "comparison": ("whiskers", labels, compared, "log loss ± standard error", chosen),
    }


def _of_evaluation(facts: VersionReport) -> dict[str, Drawing]:
    """Return the drawings of the evaluation; what was not measured is left out."""
    evaluation, items = facts.evaluation, _importance_rows(facts)
    slices, worst = evaluation.slices, evaluation.worst
    names = [_short_sum(facts.dataset.labels_of(item.features)) for item in items]
    losses = [item.loss for item in items]
    parted = len(wholes_and_members(facts.importance)[0])
    jobs: dict[str, Drawing] = {
        "importance": ("whiskers", names, losses, "log loss more without it", -1, True, parted),
        "learning_curve": ("learning_curve", facts.learning_curve),
    }
    if curves := evaluation.curves:
        share = evaluation.positives / evaluation.rows
        jobs["roc"] = "roc", curves.roc, evaluation.estimates["roc_auc"].value
        jobs["precision_recall"] = "precision_recall", curves.precision_recall, share
        jobs["calibration"] = "calibration", curves.calibration
    if slices:
        parts = [_short(f"{part.slice} {part.value}") for part in slices]
        marked = slices.index(worst) if worst else -1
        found = [part.estimates["log_loss"] for part in slices]
        jobs["slices"] = "whiskers", parts, found, "log loss", marked
    return jobs


def _draw(function: str, *args: Any) -> str:
    """Call the function of `plots`, which takes long to import, as each process does that draws.

    One at a time, for Matplotlib's settings are those of a process.
    """
    with _drawing, _silent_matplotlib():
        from titanic_ml.reporting import plots

        return getattr(plots, function)(*args)


@contextmanager
def _silent_matplotlib() -> Iterator[None]:
    """Keep to itself where Matplotlib puts its cache if there is no home: it is not asked."""
    logger = logging.getLogger("matplotlib")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)


def _importance_rows(facts: VersionReport, most: int = 20) -> list[Importance]:
    """Groups and features of no group, then the features of groups alone; the first of many."""
    wholes, members = wholes_and_members(facts.importance)
    return (wholes + members)[:most]


def _short(text: str, most: int = 30) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _short_sum(names: list[str], most: int = 30) -> str:
    """Join as many names as there is room for, then the number of the others."""
    for kept in range(len(names), 1, -1):
        more = f" + {len(names) - kept} more" if kept < len(names) else ""
        if len(text := " + ".join(names[:kept]) + more) <= most:
            return text
    more = f" + {len(names) - 1} more" if len(names) > 1 else ""
    return _short(names[0], most - len(more)) + more


@functools.cache
def template(name: str, escaped: bool) -> Any:
    """Return a template of this folder, with the filters that all of them use."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("titanic_ml.reporting"),
        autoescape=escaped,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    gap = "\u00a0" if escaped else " "  # a page keeps "to" at its number where lines are short
    environment.filters["estimate"] = (
        lambda e: f"{e.value:z.3f} ({e.low:z.3f}{gap}to {e.high:z.3f})"
    )
    environment.filters["percent"] = lambda share: f"{100 * share:g}%"
    environment.filters["cell"] = lambda text: " ".join(str(text).split()).replace("|", "\\|")
    environment.filters["name"] = lambda text: str(text).replace("_", " ")
    return environment.get_template(name)
