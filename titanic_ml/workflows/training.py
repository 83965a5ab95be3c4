"""Choose a model, fit it, assess it, save it as a version, and announce it."""

from __future__ import annotations

import json
import logging
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from titanic_ml.config.compose import build
from titanic_ml.dataset.dataset import Dataset
from titanic_ml.dataset.slices import slice_labels
from titanic_ml.errors import DataError
from titanic_ml.estimator.candidate import Candidate
from titanic_ml.evaluation.assessment import Assessment, Assessor
from titanic_ml.evaluation.parts import split_features
from titanic_ml.monitoring.profile import Profile
from titanic_ml.prediction.run import check_run_id
from titanic_ml.preprocessing.encoder import build_preprocessor
from titanic_ml.registry.provenance import libraries, source_hash
from titanic_ml.registry.version import PROFILE, Contents, ModelVersion
from titanic_ml.reporting.report import documents
from titanic_ml.reporting.version_report import VersionReport
from titanic_ml.results import Progress, Steps, TrainingResult
from titanic_ml.storage.same_place import STORE, refuse_shared
from titanic_ml.storage.secrets import shown
from titanic_ml.storage.tables import Table, name_of, open_table
from titanic_ml.training.checkpoint import Checkpoint
from titanic_ml.training.refit import Refitter
from titanic_ml.training.result import Selection
from titanic_ml.training.trainer import Trainer
from titanic_ml.workflows.champion import Models
from titanic_ml.workflows.workspace import Workspace, group_labels, validated

if TYPE_CHECKING:
    from titanic_ml.evaluation.result import OutOfFold

log = logging.getLogger(__name__)
# The stages of a training, as the progress names them.
COMPARING, GROUPED = "comparing candidates", "estimating for unseen groups"
INSPECTING, MEASURING = "inspecting", "measuring"


@dataclass(frozen=True)
class Prepared:
    """The checked inputs of a training.

    Attributes
    ----------
    dataset
        The validated table.
    file_sha256
        SHA-256 of its file; None if it is not one file.
    name
        Name of the table.
    trainer
        The candidates with their folds.
    slices
        The slice of each row, by the name of the slicing.
    groups
        Label of each row's group, (n,); None if the dataset names no groups.
    splits
        Grouped folds; empty if the dataset names no groups.
    finished
        Finished folds of an interrupted training.
    steps
        Counts the work.
    """

    dataset: Dataset
    file_sha256: str | None
    name: str
    trainer: Trainer
    slices: dict[str, Any]
    groups: np.ndarray | None
    splits: list[Any]
    finished: Checkpoint
    steps: Steps


class TrainingWorkflow:
    """Trains with the settings of a workspace. An interrupted training continues where it stopped.

    Parameters and errors are those of `TitanicPipeline.train`.
    """

    def __init__(self, workspace: Workspace, progress: Progress | None = None) -> None:
        self.workspace = workspace
        self.settings = workspace.settings
        self.models = Models(workspace)
        self.progress = progress

    def run(
        self, data: Table | None = None, promote: bool = True, run_id: str | None = None
    ) -> TrainingResult:
        """Prepare, choose, assess, save and announce; or finish what a training of this id left."""
        if run_id is not None and (found := self.workspace.store.of_run(check_run_id(run_id))):
            return self._finish(found, run_id, promote)
        prepared = self.prepare(data)
        selection, grouped = self.choose(prepared)
        assessment = self.assess(prepared, selection, grouped)
        version = self.save(prepared, selection, assessment, run_id)
        result = TrainingResult.of(version.name, version.report, selection, assessment)
        result = self.models.announce(version, result, promote)
        prepared.finished.clear()
        return result

    def prepare(self, data: Table | None) -> Prepared:
        """Read and validate the table, and find now what would stop the training at its end."""
        named, data = data is not None, self.settings.data.uri if data is None else data
        written = {STORE: self.settings.store.uri, "scratch": self.settings.scratch}
        refuse_shared({"input": data}, written)
        dataset, file_sha256 = self._table(data)
        if not named:
            self._check_same_table(dataset)
        finished = self._checkpoint(dataset)
        self._check_ready(finished)
        trainer, (X, y) = self._trainer(), dataset.labelled
        slices = slice_labels(X, self.workspace.spec.slices)
        groups = group_labels(self.workspace.spec, X)
        splits = [] if groups is None else trainer.grouped_splits(y, groups)
        # About how long each takes, in units of one fold of the chosen candidate and the baselines.
        work = {COMPARING: 3 * (1 + trainer.repeats * trainer.folds)}
        work |= {GROUPED: 3 * len(splits)} if splits else {}
        work |= {INSPECTING: 2 * trainer.folds, MEASURING: trainer.folds}
        steps = Steps(self.progress, work)
        checked = (trainer, slices, groups, splits, finished, steps)
        return Prepared(dataset, file_sha256, name_of(data), *checked)

    def choose(self, prepared: Prepared) -> tuple[Selection, OutOfFold | None]:
        """Compare the candidates and fit the best; estimate it in grouped folds too."""
        trainer, (X, y) = prepared.trainer, prepared.dataset.labelled
        steps, finished, splits = prepared.steps, prepared.finished, prepared.splits
        selection = trainer.train(X, y, steps.of(COMPARING), finished)
        chosen, grouped = selection.chosen, None
        for label, reason in selection.left_out.items():
            log.info("%s is left out: %s", label, reason)
        log.info("%s is chosen, with %s", chosen.label, selection.parameters or "nothing to set")
        if splits:
            candidates, progressed = selection.candidates, steps.of(GROUPED)
            grouped, losses = trainer.estimate(
                candidates, chosen, splits, X, y, progressed, finished
            )
            table = selection.table.assign(grouped_log_loss=pd.Series(losses))
            selection = replace(selection, table=table)
        return selection, grouped

    def assess(
        self, prepared: Prepared, selection: Selection, grouped: OutOfFold | None
    ) -> Assessment:
        """Measure and inspect the chosen model."""
        trainer, (X, y) = prepared.trainer, prepared.dataset.labelled
        s, steps = self.settings, prepared.steps
        features, rest = split_features(selection.model, X)
        assessor = Assessor(
            self.workspace.evaluator(self.workspace.spec),
            prepared.dataset,
            features,
            rest.predict_proba(features)[:, 1],
            self.workspace.spec.kinds,
            prepared.slices,
            prepared.groups,
        )
        inspection = assessor.inspection()
        folds = selection.folds[: trainer.folds]
        refitter = Refitter(selection.chosen, trainer.preprocessor, folds, s.seed, s.n_jobs)
        inspected, curve = refitter.refit(inspection, X, y, steps.of(INSPECTING))
        steps.of(MEASURING)(0, 1)
        predictions = selection.out_of_fold, grouped
        order = np.concatenate([test for (_, test), _ in folds])
        assessment = assessor.assess(
            selection.threshold, *predictions, inspection, inspected, order, curve
        )
        steps.of(MEASURING)(1, 1)
        return assessment

    def save(
        self,
        prepared: Prepared,
        selection: Selection,
        assessment: Assessment,
        run_id: str | None = None,
    ) -> ModelVersion:
        """Save the model with its documents as a version of the store."""
        dataset, spec = prepared.dataset, self.workspace.spec
        settings = self.workspace.settings_to_keep(prepared.name)
        profile = Profile.of(dataset.profile(spec), selection.out_of_fold.probability)
        kept = {PROFILE: json.dumps(profile.to_dict()).encode()}
        facts = VersionReport.of(
            selection, assessment, dataset, spec, settings, prepared.file_sha256
        )
        out_of_fold = selection.out_of_fold.probability.assign(
            id=dataset.ids, y=dataset.y, row=dataset.row_hashes
        )
        if prepared.groups is not None:
            out_of_fold["group"] = prepared.groups
        return self.workspace.store.save(
            Contents(selection.model, selection.baselines, assessment.background, out_of_fold),
            facts.summary(settings),
            lambda origin: documents(facts.named(origin), settings.n_jobs) | kept,
            run_id,
        )

    def _finish(self, version: ModelVersion, run_id: str, promote: bool) -> TrainingResult:
        """Announce the version that an earlier training of this id has saved."""
        log.info("%s: made by the training %s before", version.name, run_id)
        history = self.workspace.store.champion.history()
        why = next((entry.why for entry in history if entry.version == version.name), "")
        facts = VersionReport.from_json(version.facts)
        result = TrainingResult.repeated(version.name, version.report, facts, run_id)
        result = replace(result, promoted=bool(why), why=why)
        return self.models.announce(version, result, promote)

    def _table(self, data: Table) -> tuple[Dataset, str | None]:
        """Read and validate the training table; return it with the SHA-256 of its file."""
        with open_table(data) as source:
            frame, file_sha256 = source.frame(), source.file_sha256()
        return validated(frame, self.workspace.spec, name_of(data)), file_sha256

    def _check_same_table(self, dataset: Dataset) -> None:
        """Refuse a changed table if a version is trained again, unless a table is named."""
        pattern, overrides = self.workspace.pattern, self.workspace.overrides
        named = any(word.lstrip("+").startswith("data.uri=") for word in overrides)
        if pattern and not named and pattern.data.fingerprint != dataset.fingerprint:
            raise DataError(
                f"{shown(self.settings.data.uri)} is not the table that {pattern.version} was "
                f"trained on ({pattern.data.rows} rows of {pattern.data.uri}); name the table to "
                "train on, or set data.uri"
            )

    def _checkpoint(self, dataset: Dataset) -> Checkpoint:
        """Open the finished folds of an interrupted training with this table, code and settings."""
        s = self.settings
        return Checkpoint.for_run(
            s.scratch,
            data=dataset.fingerprint,
            settings=(s.seed, s.dataset, s.selection, s.estimator),
            libraries=libraries(),
            source=source_hash(),
        )

    def _check_ready(self, finished: Checkpoint) -> None:
        """Raise what would stop the training at its end."""
        finished.check_writable()
        self.workspace.store.check_ready()
        self.workspace.tracking()  # names a missing extra
        if finished:
            log.info("going on from %d folds that an interrupted training had done", len(finished))

    def _trainer(self) -> Trainer:
        s = self.settings
        return Trainer(
            build_preprocessor(build(self.workspace.spec.features)),
            [Candidate.from_dict(name, build(node)) for name, node in s.estimator.items()],
            **asdict(s.selection),
            seed=s.seed,
            n_jobs=s.n_jobs,
        )
