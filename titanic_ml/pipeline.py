"""The only composer: it puts the six stages in order and returns what they return."""

from __future__ import annotations

import io
import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from titanic_ml.config.compose import build, load_settings
from titanic_ml.config.settings import DataSettings
from titanic_ml.dataset.dataset import Dataset
from titanic_ml.dataset.schema import Schema
from titanic_ml.errors import DataError, PromotionRefused
from titanic_ml.prediction.predictor import Predictor
from titanic_ml.registry.store import ModelStore, dumped
from titanic_ml.storage.tables import parquet, read_table

Table = pd.DataFrame | str | Path

if TYPE_CHECKING:
    from titanic_ml.config.settings import Settings
    from titanic_ml.evaluation.assessment import Assessment
    from titanic_ml.evaluation.explanation import Explanation
    from titanic_ml.evaluation.result import Evaluation
    from titanic_ml.reporting.report import Report
    from titanic_ml.results import Training
    from titanic_ml.training.checkpoint import Checkpoint
    from titanic_ml.training.result import Selection
    from titanic_ml.training.trainer import Finished, Progress, Trainer


class TitanicPipeline:
    """Train, evaluate and predict with one set of settings.

    Parameters
    ----------
    *overrides
        Settings that differ from the defaults, such as ``"seed=7"`` or ``"store.uri=/tmp/models"``.

    Raises `SettingsError` if a setting is unknown, missing or wrong.
    """

    def __init__(self, *overrides: str):
        self.settings = load_settings(overrides)
        self.store = ModelStore(self.settings.store.uri)

    def __repr__(self) -> str:
        s = self.settings
        return (
            f"TitanicPipeline(env={s.env!r}, dataset={s.dataset['name']!r}, data={s.data.uri!r}, "
            f"store={s.store.uri!r}, seed={s.seed})"
        )

    def train(self, data: Table | None = None, progress: Progress | None = None) -> Training:
        """Choose a model, fit it, measure it, keep it as a version and try to promote it.

        `data` is a table or its URI, by default the settings' `data.uri`; `progress` is called with
        the number of steps done and of all. An interrupted training goes on from what it had
        finished. Raises `DataError` if the table can't be read or has faults; then nothing is
        written.
        """
        # Training's imports are slow and prediction does without them, so they wait until here.
        from titanic_ml.estimator.candidate import Candidate
        from titanic_ml.preprocessing.encoder import build_preprocessor
        from titanic_ml.results import Training
        from titanic_ml.training.trainer import Trainer

        s = self.settings
        if data is not None:
            s = replace(s, data=DataSettings(_name(data)))
        dataset = self._dataset(data, s.dataset)
        trainer = Trainer(
            build_preprocessor(build(s.dataset["features"])),
            [Candidate.from_dict(name, build(node)) for name, node in s.estimator.items()],
            **asdict(s.selection),
            seed=s.seed,
            n_jobs=s.n_jobs,
        )
        finished = self._checkpoint(dataset)
        selection, assessment = self._choose(trainer, dataset, progress, finished)
        version = self._keep(selection, assessment, dataset, s)
        finished.clear()
        try:
            return Training(version, selection, assessment, True, self.promote(version))
        except PromotionRefused as refusal:
            return Training(version, selection, assessment, False, str(refusal))

    def evaluate(self, data: Table | None = None, model: str = "champion") -> Evaluation:
        """Measure a model version on a table with its target, by slice and against the baselines.

        `data` is a table or its URI, by default the settings' `data.uri`; `model` is a version or
        an alias. Raises `DataError` or `ModelError` if either is at fault.
        """
        from titanic_ml.dataset.slices import slice_labels
        from titanic_ml.evaluation.evaluator import Evaluator

        pipeline, manifest = self.store.load(model)
        baselines, _ = self.store.load(model, "baselines.joblib")
        settings = manifest["settings"]["dataset"]
        dataset = self._dataset(data, settings)
        evaluation = Evaluator(
            **asdict(self.settings.evaluation), seed=self.settings.seed
        ).evaluate(
            dataset.y.to_numpy(),
            Predictor(pipeline).probability(dataset.X),
            manifest["threshold"],
            baselines={name: Predictor(b).probability(dataset.X) for name, b in baselines.items()},
            slices=slice_labels(dataset.X, settings.get("slices") or {}),
        )
        return evaluation.with_seen(int(self._seen(model, dataset).sum()))

    def explain(
        self, id: int | str, data: Table | None = None, model: str = "champion"
    ) -> Explanation:
        """Tell which facts moved the answer for one row of a table, and by how much.

        `id` is the row's; `data` and `model` as in `evaluate`, but no target is needed. The rows of
        the table of the training are seen as they were there. Raises `DataError` without the row.
        """
        from titanic_ml.evaluation.assessment import features_as_trained
        from titanic_ml.evaluation.explanation import Explainer

        pipeline, manifest = self.store.load(model)
        settings = manifest["settings"]["dataset"]
        dataset = self._dataset(data, settings, with_target=None)
        row = (dataset.ids.astype(str) == str(id)).to_numpy().nonzero()[0]
        if not len(row):
            name = _name(self.settings.data.uri if data is None else data)
            raise DataError(f"{name} has no {settings['id']} {id}; name one of its rows")
        features, warning = None, ""
        if dataset.fingerprint == manifest["data"]["sha256"]:
            features = features_as_trained(pipeline, dataset.X, dataset.y).iloc[row]
        elif self._seen(model, dataset)[row].any():
            warning = "the model was trained on this row, so its features may know its outcome"
        background = pd.read_parquet(io.BytesIO(self.store.read(model, "background.parquet")))
        explainer = Explainer(pipeline, background, manifest["groups"], manifest["seed"])
        subject = f"{settings['id']} {id}"
        found = explainer.explain(dataset.X.iloc[row], subject, settings["target"], features)
        return replace(found, warning=warning)

    def report(self, model: str = "champion") -> Report:
        """The facts of a version, the verdict that follows from them, and its figures.

        `model` is a version or an alias. Raises `ModelError` if it is at fault.
        """
        from titanic_ml.reporting.report import Report

        return Report.of(json.loads(self.store.read(model, "evaluation.json")))

    def predict(
        self, data: Table, model: str = "champion", probability: bool = False
    ) -> pd.DataFrame:
        """Ids and classes, in the order of the rows.

        `data` is a table or its URI, its target not looked at; `model` a version or an alias;
        `probability` adds that column. Raises `DataError` or `ModelError` if either is at fault.
        """
        pipeline, manifest = self.store.load(model)
        settings = manifest["settings"]["dataset"]
        dataset = self._dataset(data, settings, with_target=False)
        predictor = Predictor(pipeline, manifest["threshold"])
        return predictor.predict(dataset, settings["target"], probability)

    def promote(self, model: str = "latest", force: bool = False) -> str:
        """Make a version the champion if it is not worse on the rows that both were scored on.

        Each is judged by its out-of-fold probabilities, so neither has seen the rows. Returns why.
        Raises `PromotionRefused` if it is worse by more than the margin, or no rows are shared.
        """
        from titanic_ml.registry.promotion import promote

        return promote(self.store, self.store.resolve(model), self.settings.promotion.margin, force)

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
        from titanic_ml.dataset.slices import slice_labels
        from titanic_ml.evaluation.assessment import Assessor, features_as_trained
        from titanic_ml.evaluation.evaluator import Evaluator
        from titanic_ml.results import Steps
        from titanic_ml.training.refit import Refitter

        s, X, y = self.settings, dataset.X, dataset.y
        slices = slice_labels(X, s.dataset.get("slices") or {})
        groups = build(s.dataset["groups"])(X) if s.dataset.get("groups") else None
        splits = [] if groups is None else trainer.grouped_splits(y, groups)
        # All rows, the outer folds, the grouped ones, then the inspection and the learning curve.
        steps = Steps(progress, 1 + trainer.repeats * trainer.folds + len(splits) + 2)

        selection = trainer.train(X, y, steps, finished)
        chosen, grouped = selection.chosen, None
        if splits:
            grouped = trainer.estimate(chosen, splits, X, y, steps, finished)
        assessor = Assessor(
            Evaluator(**asdict(s.evaluation), seed=s.seed),
            dataset,
            features_as_trained(selection.model, X, y),
            {name: column.kind for name, column in Schema.from_dict(s.dataset).columns.items()},
            slices,
        )
        inspection = assessor.inspection()
        folds = selection.folds[: trainer.folds]
        refitter = Refitter(chosen, trainer.preprocessor, folds, s.seed, s.n_jobs)
        inspected = refitter.inspect(inspection, X, y)
        steps(1, 2)
        curve = refitter.learning_curve(X, y)
        steps(2, 2)
        predictions = selection.out_of_fold, grouped
        return selection, assessor.assess(
            selection.threshold, *predictions, inspection, inspected, curve
        )

    def _keep(
        self, selection: Selection, assessment: Assessment, dataset: Dataset, settings: Settings
    ) -> str:
        """Write down a training as a version of the store; return its name."""
        from titanic_ml.reporting.record import Record

        record = Record.of(selection, assessment, dataset, settings)
        out_of_fold = selection.out_of_fold.probability.assign(row=dataset.row_hashes, y=dataset.y)
        return self.store.save(
            selection.model,
            {
                "baselines.joblib": dumped(selection.baselines),
                "background.parquet": parquet(assessment.background),
                "out_of_fold.parquet": parquet(out_of_fold),
            },
            record.manifest,
            parent=self.store.alias("champion").version,
            documents=record.documents,
        )

    def _seen(self, model: str, dataset: Dataset) -> pd.Series:
        """Whether the version was trained on each row."""
        from titanic_ml.registry.promotion import out_of_fold

        return pd.Series(dataset.row_hashes).isin(out_of_fold(self.store, model)["row"])

    def _dataset(
        self, data: Table | None, settings: dict, with_target: bool | None = True
    ) -> Dataset:
        """The validated table; its target as it comes if `with_target` is None."""
        data = self.settings.data.uri if data is None else data
        frame = data if isinstance(data, pd.DataFrame) else read_table(str(data))
        if with_target is None:
            with_target = settings["target"] in frame
        return Dataset.from_frame(frame, Schema.from_dict(settings), _name(data), with_target)


def _name(data: Table) -> str:
    if isinstance(data, pd.DataFrame):
        return "the table"
    return {"-": "standard input"}.get(str(data), str(data))
