"""The only composer: it puts the six stages in order and returns what they return."""

from __future__ import annotations

import logging
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from titanic_ml.config.compose import build, load_settings
from titanic_ml.config.settings import DataSettings
from titanic_ml.dataset.dataset import Dataset
from titanic_ml.dataset.slices import slice_labels
from titanic_ml.dataset.spec import DatasetSpec
from titanic_ml.errors import DataError, PromotionRefused
from titanic_ml.prediction.predictor import Predictor
from titanic_ml.registry.store import ModelStore
from titanic_ml.registry.version import Contents, ModelVersion
from titanic_ml.storage.tables import Table, as_frame, check_output, name_of, write_table

if TYPE_CHECKING:
    from titanic_ml.config.settings import Settings
    from titanic_ml.evaluation.assessment import Assessment
    from titanic_ml.evaluation.explanation import Explanation
    from titanic_ml.evaluation.result import Evaluation
    from titanic_ml.reporting.facts import Facts
    from titanic_ml.reporting.report import Report
    from titanic_ml.results import Comparison, Progress, Training
    from titanic_ml.training.checkpoint import Checkpoint
    from titanic_ml.training.result import Selection
    from titanic_ml.training.trainer import Finished, Trainer


log = logging.getLogger(__name__)
# The stages of a training, as the progress names them.
COMPARING, GROUPED = "comparing candidates", "estimating for unseen groups"
INSPECTING, LEARNING, MEASURING = "inspecting", "learning curve", "measuring"


class TitanicPipeline:
    """Train, evaluate and predict with one set of settings.

    A table is a DataFrame, an Arrow table of any library (pyarrow, polars), a row as a dict or a
    Series, a list of rows, or the URI of a table. Wherever a method takes a `model`, it is the name
    of a version or an alias, looked up once; a version that was loaded is kept, so the next call
    reads no more than where the alias points. Any number of threads may ask one pipeline.

    Parameters
    ----------
    *overrides
        Settings that differ from the defaults, such as ``"seed=7"`` or ``"store.uri=/tmp/models"``.

    Raises
    ------
    SettingsError
        A setting is unknown, missing or wrong.
    """

    def __init__(self, *overrides: str):
        self.settings = load_settings(overrides)
        self.spec = DatasetSpec.from_dict(self.settings.dataset)
        self.store = ModelStore(self.settings.store.uri)
        self._kept: ModelVersion | None = None

    def __repr__(self) -> str:
        s = self.settings
        return (
            f"TitanicPipeline(env={s.env!r}, dataset={self.spec.name!r}, data={s.data.uri!r}, "
            f"store={s.store.uri!r}, seed={s.seed})"
        )

    def train(self, data: Table | None = None, progress: Progress | None = None) -> Training:
        """Choose a model, fit it, measure it, keep it as a version and try to promote it.

        An interrupted training goes on from what it had finished.

        Parameters
        ----------
        data
            A table or its URI, by default the settings' `data.uri`.
        progress
            Called with the work done and all of it, two numbers, and what is being done.

        Raises
        ------
        DataError
            The table can't be read or has faults; then nothing is written.
        """
        # Training's imports are slow and prediction does without them, so they wait until here.
        from titanic_ml.results import Training

        data = self.settings.data.uri if data is None else data
        s = replace(self.settings, data=DataSettings(name_of(data)))
        dataset = self._dataset(data, self.spec)
        finished = self._checkpoint(dataset)
        if finished:
            log.info("going on from %d folds that an interrupted training had done", len(finished))
        selection, assessment = self._choose(self._trainer(), dataset, progress, finished)
        version = self._keep(selection, assessment, dataset, s)
        finished.clear()
        try:
            why, promoted = self.promote(version.name), True
        except PromotionRefused as refusal:
            why, promoted = str(refusal), False
            log.info("%s is not promoted: %s", version.name, why)
        return Training(version.name, version.report, selection, assessment, promoted, why)

    def evaluate(self, data: Table | None = None, model: str = "champion") -> Evaluation:
        """Measure a model version on a table with its target, by slice and against the baselines.

        Parameters
        ----------
        data
            A table. Without one it is what was measured in the training, of each of its rows by
            models that had not seen it, and in grouped folds.
        model
            A version or an alias.

        Raises
        ------
        DataError, ModelError
            The table or the version is at fault.
        """
        from titanic_ml.evaluation.evaluator import Evaluator

        version = self._version(model)
        if data is None:
            return _facts(version).out_of_fold
        dataset = self._dataset(data, version.spec)
        X, y = dataset.labelled
        baselines = {name: Predictor(b).probability(X) for name, b in version.baselines.items()}
        evaluation = Evaluator(
            **asdict(self.settings.evaluation), seed=self.settings.seed
        ).evaluate(
            y.to_numpy(),
            Predictor(version.model).probability(X),
            version.threshold,
            baselines=baselines,
            slices=slice_labels(X, version.spec.slices),
        )
        seen = int(version.seen(dataset).sum())
        return replace(evaluation, seen=seen, version=version.name)

    def explain(
        self, id: int | str, data: Table | None = None, model: str = "champion"
    ) -> Explanation:
        """Tell which features moved the prediction for one row of a table, and by how much.

        Parameters
        ----------
        id
            The row's.
        data
            A table or its URI, by default the settings' `data.uri`; its target is not looked at.
            The rows of the training table are seen as they were in the training.
        model
            A version or an alias.

        Raises
        ------
        DataError, ModelError
            The table or the version is at fault, or there is no such row.
        """
        from titanic_ml.evaluation.explanation import Explainer
        from titanic_ml.evaluation.parts import features_as_trained

        version = self._version(model)
        spec = version.spec
        data = self.settings.data.uri if data is None else data
        dataset = self._dataset(data, spec, with_target=False)
        row = (dataset.ids.astype(str) == str(id)).to_numpy().nonzero()[0]
        if not len(row):
            raise DataError(f"{name_of(data)} has no {spec.id} {id}; name one of its rows")
        features, warning = None, ""
        if version.is_trained_on(dataset):
            truth = version.out_of_fold["y"]
            features = features_as_trained(version.model, dataset.X, truth).iloc[row]
        elif version.seen(dataset)[row].any():
            warning = "the model was trained on this row, so its features may know its outcome"
        manifest = version.manifest
        explainer = Explainer(
            version.model, version.background, manifest.groups, manifest.seed, spec.labels
        )
        found = explainer.explain(dataset.X.iloc[row], f"{spec.id} {id}", spec.target, features)
        return replace(found, warning=warning, version=version.name)

    def report(self, model: str = "champion") -> Report:
        """The facts of a version, the verdict that follows from them, and its figures.

        Parameters
        ----------
        model
            A version or an alias.

        Raises
        ------
        ModelError
            The version is at fault.
        """
        from titanic_ml.reporting.report import Report

        version = self._version(model)
        return Report.of(_facts(version))

    def predict(
        self,
        data: Table,
        model: str = "champion",
        probability: bool = False,
        output: str | Path | None = None,
    ) -> pd.DataFrame:
        """Ids and classes, in the order of the rows; `attrs["version"]` says by which model.

        Parameters
        ----------
        data
            A table or its URI; its target is not looked at.
        model
            A version or an alias.
        probability
            Whether to add a column of that name.
        output
            The URI of a table to write them to as well.

        Raises
        ------
        SettingsError, DataError, ModelError
            The kind of the output is unknown (then nothing is done), or the table or the version is
            at fault, or the output can't be written.
        """
        if output is not None:
            check_output(str(output))
        version = self._version(model)
        dataset = self._dataset(data, version.spec, with_target=False)
        predictor = Predictor(version.model, version.threshold)
        predictions = predictor.predict(dataset, version.spec.target, probability)
        predictions.attrs["version"] = version.name
        if output is not None:
            write_table(predictions, str(output))
        return predictions

    def compare(self, first: str, second: str = "champion") -> Comparison:
        """Put two versions side by side, on all metrics and on the rows that both were scored on.

        Parameters
        ----------
        first, second
            Versions or aliases.

        Raises
        ------
        ModelError
            One of them is at fault.
        """
        from titanic_ml.evaluation.gate import paired_gain
        from titanic_ml.results import Comparison

        a, b = self.store.open(first), self.store.open(second)
        rows, gain = paired_gain(
            a.out_of_fold, b.out_of_fold, self.settings.evaluation.confidence, self.settings.seed
        )
        metrics = a.manifest.metrics, b.manifest.metrics
        return Comparison((a.name, b.name), metrics, rows, gain)

    def promote(self, model: str = "latest", force: bool = False) -> str:
        """Make a version the champion if it is not worse on the rows that both were scored on.

        Each is judged by its out-of-fold probabilities, so neither has seen the rows.

        Parameters
        ----------
        model
            A version or an alias.
        force
            Whether to skip the gate.

        Returns
        -------
        str
            Why it was promoted.

        Raises
        ------
        PromotionRefused
            It is worse by more than the margin, or no rows are shared; the champion stays.
        ModelError
            The version is at fault.
        """
        from titanic_ml.registry.promotion import promote

        return promote(self.store, self._version(model), self.settings.promotion.margin, force)

    def _version(self, model: str) -> ModelVersion:
        """The version of this name or alias; the one that was asked for last is kept."""
        name, kept = self.store.resolve(model), self._kept
        if kept is None or kept.name != name:
            kept = self._kept = self.store.open(name)
        return kept

    def _trainer(self) -> Trainer:
        from titanic_ml.estimator.candidate import Candidate
        from titanic_ml.preprocessing.encoder import build_preprocessor
        from titanic_ml.training.trainer import Trainer

        s = self.settings
        return Trainer(
            build_preprocessor(build(self.spec.features)),
            [Candidate.from_dict(name, build(node)) for name, node in s.estimator.items()],
            **asdict(s.selection),
            seed=s.seed,
            n_jobs=s.n_jobs,
        )

    def _checkpoint(self, dataset: Dataset) -> Checkpoint:
        """Where an interrupted training with this table, code and settings goes on."""
        from titanic_ml.registry.provenance import libraries, source_hash
        from titanic_ml.training.checkpoint import Checkpoint

        s = self.settings
        return Checkpoint.for_run(
            s.scratch,
            data=dataset.fingerprint,
            settings=(s.seed, s.dataset, s.selection, s.estimator),
            libraries=libraries(),
            source=source_hash(),
        )

    def _choose(
        self, trainer: Trainer, dataset: Dataset, progress: Progress | None, finished: Finished
    ) -> tuple[Selection, Assessment]:
        """Select a model and evaluate it. Slices and groups are judged before the work starts."""
        from titanic_ml.evaluation.assessment import Assessor
        from titanic_ml.evaluation.evaluator import Evaluator
        from titanic_ml.evaluation.parts import features_as_trained
        from titanic_ml.results import Steps
        from titanic_ml.training.refit import Refitter

        s, (X, y) = self.settings, dataset.labelled
        slices = slice_labels(X, self.spec.slices)
        groups = build(self.spec.groups)(X) if self.spec.groups else None
        splits = [] if groups is None else trainer.grouped_splits(y, groups)
        # About how long each takes, in units of one fold of the chosen candidate and the baselines.
        work = {COMPARING: 3 * (1 + trainer.repeats * trainer.folds)}
        work |= {GROUPED: len(splits)} if splits else {}
        work |= {INSPECTING: trainer.folds, LEARNING: trainer.folds, MEASURING: trainer.folds}
        steps = Steps(progress, work)

        selection = trainer.train(X, y, steps.of(COMPARING), finished)
        chosen, grouped = selection.chosen, None
        for label, reason in selection.left_out.items():
            log.info("%s is left out: %s", label, reason)
        log.info("%s is chosen, with %s", chosen.label, selection.parameters or "nothing to set")
        if splits:
            grouped = trainer.estimate(chosen, splits, X, y, steps.of(GROUPED), finished)
        assessor = Assessor(
            Evaluator(**asdict(s.evaluation), seed=s.seed),
            dataset,
            features_as_trained(selection.model, X, y),
            self.spec.kinds,
            slices,
        )
        inspection = assessor.inspection()
        folds = selection.folds[: trainer.folds]
        refitter = Refitter(chosen, trainer.preprocessor, folds, s.seed, s.n_jobs)
        inspected = refitter.inspect(inspection, X, y, steps.of(INSPECTING))
        curve = refitter.learning_curve(X, y, steps.of(LEARNING))
        steps.of(MEASURING)(0, 1)
        predictions = selection.out_of_fold, grouped
        assessment = assessor.assess(
            selection.threshold, *predictions, inspection, inspected, curve
        )
        steps.of(MEASURING)(1, 1)
        return selection, assessment

    def _keep(
        self, selection: Selection, assessment: Assessment, dataset: Dataset, settings: Settings
    ) -> ModelVersion:
        """Write down a training as a version of the store."""
        from titanic_ml.reporting.facts import Facts
        from titanic_ml.reporting.report import documents

        facts = Facts.of(selection, assessment, dataset, self.spec, settings)
        out_of_fold = selection.out_of_fold.probability.assign(
            id=dataset.ids, y=dataset.y, row=dataset.row_hashes
        )
        return self.store.save(
            Contents(selection.model, selection.baselines, assessment.background, out_of_fold),
            facts.summary(settings),
            lambda origin: documents(facts.named(origin)),
        )

    def _dataset(self, data: Table, spec: DatasetSpec, with_target: bool = True) -> Dataset:
        """The validated table."""
        dataset = Dataset.from_frame(as_frame(data), spec, name_of(data), with_target)
        log.info("%s: %d rows read and found right", name_of(data), len(dataset))
        return dataset


def _facts(version: ModelVersion) -> Facts:
    from titanic_ml.reporting.facts import Facts

    return Facts.from_json(version.facts)
