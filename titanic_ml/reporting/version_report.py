"""Facts of a version, from which all its documents are written."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from titanic_ml.evaluation.result import (
    Dependence,
    Estimate,
    Evaluation,
    Importance,
    LearningPoint,
    Stability,
)
from titanic_ml.registry.version import Origin, Summary, TrainingTable

if TYPE_CHECKING:
    from titanic_ml.config.settings import Settings
    from titanic_ml.dataset.dataset import Dataset
    from titanic_ml.dataset.spec import DatasetSpec
    from titanic_ml.evaluation.assessment import Assessment
    from titanic_ml.training.result import Selection

# Imported in functions: pydantic, which only reading them takes.


@dataclass(frozen=True)
class ColumnFacts:
    """A column for people: its kind and meaning, and the profile of its values."""

    kind: str
    about: str
    missing: int
    quantiles: list[float] | list[str] | None = None
    distinct: int | None = None
    commonest: dict[str, int] | None = None


@dataclass(frozen=True)
class DatasetFacts:
    """The training table: origin, content, meaning, and labels of the features made from it.

    `fingerprint` and `file_sha256` are those of `registry.version.TrainingTable`.
    """

    name: str
    target: str
    uri: str
    fingerprint: str
    rows: int
    positives: int
    columns: dict[str, ColumnFacts]
    about: str
    intended_use: str
    not_for: Sequence[str]
    ethics: str
    labels: dict[str, str] = field(default_factory=dict)
    file_sha256: str | None = None
    positive: str = "1"
    negative: str = "0"

    def labels_of(self, features: Sequence[str]) -> list[str]:
        """Return the labels of features."""
        return [self.labels.get(name, name) for name in features]


@dataclass(frozen=True)
class ChosenFacts:
    """The candidate that was chosen, and what was chosen for it."""

    name: str
    label: str
    parameters: dict[str, Any]
    threshold: float


@dataclass(frozen=True)
class ProcedureFacts:
    """How it was chosen: the settings of the selection."""

    repeats: int
    folds: int
    inner_folds: int
    tolerance: float
    threshold_metric: str


@dataclass(frozen=True)
class CandidateFacts:
    """A candidate's means over the outer folds, and how it compares with the best.

    Attributes
    ----------
    accuracy
        At a threshold of one half.
    chosen_share
        Share of resamples that choose it.
    grouped_log_loss
        Mean over grouped folds; None without groups or where it can't learn in all of them.
    """

    name: str
    label: str
    log_loss: float
    roc_auc: float
    accuracy: float
    fit_seconds: float
    standard_error: float
    p_value: float
    chosen_share: float
    complexity: int
    baseline: bool
    grouped_log_loss: float | None = None


@dataclass(frozen=True, repr=False)
class VersionReport:
    """All facts of a version.

    Attributes
    ----------
    origin
        Name and origin of the version; None before it is saved.
    seed
        Seed of the training.
    dataset, chosen, procedure, candidates
        Training table, selected candidate, procedure, and all candidates, the best first.
    left_out
        Candidates that were not compared, each label with the reason.
    stability
        How often resampled rows lead to the same choice.
    evaluation, grouped
        Out-of-fold metrics in stratified and in grouped folds; None without groups.
    grouped_gap
        Increase of the log loss in grouped folds; None without groups.
    importance, dependence, learning_curve, groups
        As in `evaluation.assessment.Assessment`.
    """

    origin: Origin | None
    seed: int
    dataset: DatasetFacts
    chosen: ChosenFacts
    procedure: ProcedureFacts
    candidates: list[CandidateFacts]
    left_out: dict[str, str]
    stability: Stability
    evaluation: Evaluation
    grouped: Evaluation | None
    importance: list[Importance]
    dependence: list[Dependence]
    learning_curve: list[LearningPoint]
    groups: list[list[str]]
    grouped_gap: Estimate | None = None

    @classmethod
    def of(
        cls,
        selection: Selection,
        assessment: Assessment,
        dataset: Dataset,
        spec: DatasetSpec,
        settings: Settings,
        file_sha256: str | None = None,
    ) -> VersionReport:
        """Collect the facts of a training; `file_sha256` is that of the table's file, if any."""
        chosen = selection.chosen
        known = {candidate.name: candidate for candidate in selection.candidates}
        candidates = [
            CandidateFacts(
                name=str(name),
                **row,
                complexity=known[str(name)].complexity,
                baseline=known[str(name)].baseline,
            )
            for name, row in selection.table.replace({np.nan: None}).to_dict("index").items()
        ]
        return cls(
            None,
            settings.seed,
            _dataset_facts(dataset, spec, settings.data.uri, file_sha256),
            ChosenFacts(chosen.name, chosen.label, selection.parameters, selection.threshold),
            ProcedureFacts(**asdict(settings.selection)),
            candidates,
            selection.left_out,
            selection.stability,
            assessment.evaluation,
            assessment.grouped,
            assessment.importance,
            assessment.dependence,
            assessment.learning_curve,
            assessment.groups,
            assessment.grouped_gap,
        )

    @property
    def out_of_fold(self) -> Evaluation:
        """The evaluation, with the metrics in grouped folds beside it."""
        return replace(self.evaluation, grouped=self.grouped.estimates if self.grouped else None)

    def named(self, origin: Origin) -> VersionReport:
        """Return a copy with the origin of the saved version."""
        name = origin.version
        grouped = self.grouped and replace(self.grouped, version=name)
        evaluation = replace(self.evaluation, version=name)
        return replace(self, origin=origin, evaluation=evaluation, grouped=grouped)

    def summary(self, settings: Settings) -> Summary:
        """Return the summary for the manifest, without the times of the fits."""
        data, chosen = self.dataset, self.chosen
        candidates = {c.name: asdict(c) for c in self.candidates}
        for scores in candidates.values():
            del scores["name"], scores["fit_seconds"]
        profile = {name: asdict(column) for name, column in data.columns.items()}
        for column in profile.values():
            del column["kind"], column["about"]
        return Summary(
            estimator=chosen.name,
            parameters=chosen.parameters,
            threshold=chosen.threshold,
            metrics=self.evaluation.estimates,
            grouped=self.grouped.estimates if self.grouped else None,
            candidates=candidates,
            groups=self.groups,
            data=TrainingTable(data.uri, data.fingerprint, data.rows, profile, data.file_sha256),
            seed=self.seed,
            settings=asdict(settings),
        )

    def to_json(self) -> bytes:
        """Return the facts as JSON; keys are the names of the attributes."""
        return json.dumps(asdict(self), indent=1, default=str).encode()

    @classmethod
    def from_json(cls, text: bytes) -> VersionReport:
        """Read what `to_json` wrote. Raises `ValueError` if it is something else."""
        from pydantic import TypeAdapter

        return TypeAdapter(cls).validate_json(text)


def _dataset_facts(
    dataset: Dataset, spec: DatasetSpec, uri: str, file_sha256: str | None
) -> DatasetFacts:
    columns = {
        name: ColumnFacts(spec.columns[name].kind, spec.columns[name].about, **profile.summary)
        for name, profile in dataset.profile(spec).items()
    }
    return DatasetFacts(
        spec.name,
        spec.target,
        uri,
        dataset.fingerprint,
        len(dataset),
        dataset.positives,
        columns,
        spec.about,
        spec.intended_use,
        spec.not_for,
        spec.ethics,
        dict(spec.labels),
        file_sha256,
        *(str(answer) for answer in spec.answers[::-1]),
    )
