"""The only composer: it puts the six modules in order and returns what they return."""

from __future__ import annotations

import io
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from titanic_ml.config import build, load_settings
from titanic_ml.dataset import Dataset, Schema
from titanic_ml.errors import DataError, PromotionRefused
from titanic_ml.model_store import ModelStore, dumped
from titanic_ml.prediction import Predictor
from titanic_ml.settings import DataSettings
from titanic_ml.tables import read_table

Table = pd.DataFrame | str | Path

if TYPE_CHECKING:
    from titanic_ml.explanation import Explanation
    from titanic_ml.results import Training
    from titanic_ml.scores import Evaluation
    from titanic_ml.training import Progress


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
        from titanic_ml.assessment import Parts, assess
        from titanic_ml.checkpoint import Checkpoint
        from titanic_ml.estimator import Candidate
        from titanic_ml.preprocessing import build_preprocessor
        from titanic_ml.record import Record
        from titanic_ml.results import Steps, Training, parquet
        from titanic_ml.training import Trainer

        s = self.settings
        if data is not None:
            s = replace(s, data=DataSettings(_name(data)))
        dataset = self._dataset(data, s.dataset)
        candidates = [Candidate.from_dict(name, build(node)) for name, node in s.estimator.items()]
        preprocessor = build_preprocessor(build(s.dataset["features"]))
        trainer = Trainer(
            preprocessor, candidates, **asdict(s.selection), seed=s.seed, n_jobs=s.n_jobs
        )
        decisive = s.seed, s.dataset, s.selection, s.estimator
        finished = Checkpoint.for_run(s.scratch, data=dataset.fingerprint, settings=decisive)
        parts = Parts.of(trainer, dataset, s)
        steps = Steps(progress, parts.steps(trainer))
        selection = trainer.train(dataset.X, dataset.y, steps, finished)
        assessment = assess(trainer, selection, dataset, parts, s, steps, finished)
        record = Record.of(selection, assessment, dataset, s)
        out_of_fold = selection.out_of_fold.probability.assign(row=dataset.row_hashes, y=dataset.y)
        version = self.store.save(
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
        from titanic_ml.evaluation import Evaluator
        from titanic_ml.slices import slice_labels

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
        from titanic_ml.assessment import features_as_trained
        from titanic_ml.explanation import Explainer

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
        from titanic_ml.promotion import promote

        return promote(self.store, self.store.resolve(model), self.settings.promotion.margin, force)

    def _seen(self, model: str, dataset: Dataset) -> pd.Series:
        """Whether the version was trained on each row."""
        from titanic_ml.promotion import out_of_fold

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
