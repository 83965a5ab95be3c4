"""The only composer: it puts the six stages in order and returns what they return."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from copy import copy
from dataclasses import asdict, replace
from datetime import UTC, datetime
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from titanic_ml.config.compose import build, load_settings, settings_like
from titanic_ml.config.settings import DataSettings
from titanic_ml.dataset.dataset import Dataset
from titanic_ml.dataset.slices import slice_labels
from titanic_ml.dataset.spec import DatasetSpec
from titanic_ml.errors import (
    DataError,
    MissingTable,
    ModelError,
    PromotionRefused,
    SettingsError,
)
from titanic_ml.prediction.predictor import DECIMALS, Predictor
from titanic_ml.registry.store import ModelStore
from titanic_ml.registry.version import PROFILE, Contents, Manifest, ModelVersion
from titanic_ml.storage.address import parse
from titanic_ml.storage.files import write_page
from titanic_ml.storage.same_place import STORE, refuse_shared
from titanic_ml.storage.secrets import shown
from titanic_ml.storage.tables import Table, as_frame, name_of, open_table

if TYPE_CHECKING:
    from titanic_ml.config.settings import Settings
    from titanic_ml.evaluation.assessment import Assessment
    from titanic_ml.evaluation.explanation import Explanation
    from titanic_ml.evaluation.result import Evaluation
    from titanic_ml.integrations.tracking import Tracked, Tracking
    from titanic_ml.monitoring.log import PredictionLog
    from titanic_ml.monitoring.logged import Logged
    from titanic_ml.monitoring.performance import Performance
    from titanic_ml.prediction.row import Answer, RowPredictor
    from titanic_ml.prediction.run import Run
    from titanic_ml.reporting.facts import Facts
    from titanic_ml.reporting.report import Report
    from titanic_ml.results import (
        Comparison,
        Monitoring,
        Outcome,
        Overview,
        Predictions,
        Progress,
        TrainedBefore,
        Training,
        Validation,
    )
    from titanic_ml.storage.address import Address
    from titanic_ml.storage.sinks import Schema, Write
    from titanic_ml.storage.sources import Source
    from titanic_ml.training.checkpoint import Checkpoint
    from titanic_ml.training.result import Selection
    from titanic_ml.training.trainer import Finished, Trainer


log = logging.getLogger(__name__)
# What takes a process that trains long to import.
TRAINING = "titanic_ml.training.trainer", "titanic_ml.preprocessing", "sklearn.ensemble"
# The stages of a training, as the progress names them.
COMPARING, GROUPED = "comparing candidates", "estimating for unseen groups"
INSPECTING, MEASURING = "inspecting", "measuring"


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
    config_dir
        A folder of YAML files that are merged over the defaults in `conf/`.
    allow_mismatch
        Whether to load versions that another minor version of scikit-learn made; what they answer
        has a warning.

    Raises
    ------
    SettingsError
        A setting is unknown, missing or wrong.
    """

    def __init__(
        self, *overrides: str, config_dir: str | Path | None = None, allow_mismatch: bool = False
    ):
        self.overrides = overrides
        self.settings = load_settings(overrides, config_dir)
        self.spec = DatasetSpec.from_dict(self.settings.dataset)
        store = self.settings.store
        self.store = ModelStore(store.uri, store.signing_key, allow_mismatch)
        self._kept: ModelVersion | None = None
        self._warmed: tuple[ModelVersion, RowPredictor] | None = None
        self._pattern: Manifest | None = None  # of the version whose training is repeated

    def __repr__(self) -> str:
        s = self.settings
        return (
            f"TitanicPipeline(env={s.env!r}, dataset={self.spec.name!r}, "
            f"data={shown(s.data.uri)!r}, store={shown(s.store.uri)!r}, seed={s.seed})"
        )

    def __getstate__(self) -> dict[str, Any]:
        """Pickled or copied, it takes its settings along and loads a version again."""
        return vars(self) | {"_kept": None, "_warmed": None}

    @property
    def _read(self) -> dict[str, str | None]:
        """What no output may replace, by the names of settings."""
        s = self.settings
        inputs = {"data.uri": s.data.uri, "predictions.input": s.predictions.input}
        return inputs | {"monitoring.log": s.monitoring.log, STORE: s.store.uri}

    @property
    def output(self) -> str:
        """Default output of predictions. Raises `SettingsError` if none is set."""
        if self.settings.predictions.uri is None:
            raise SettingsError(
                "no output: name one (--output), or set predictions.uri to the address of a table"
            )
        return self.settings.predictions.uri

    @property
    def input(self) -> str:
        """Default table to predict. Raises `SettingsError` if none is set."""
        if self.settings.predictions.input is None:
            raise SettingsError(
                "no input: name a table, or set predictions.input to the address of one"
            )
        return self.settings.predictions.input

    def like(self, model: str) -> TitanicPipeline:
        """A pipeline with the settings of a version, which trains the same model again.

        What is overridden here stays so, and what says where store and scratch are. It trains on
        the version's table; unless a table is named, another one than then is refused.

        Parameters
        ----------
        model
            A version or an alias.

        Raises
        ------
        ModelError, SettingsError
            The version is at fault, or its settings are of another version of this package.
        """
        version = self._version(model)
        other = copy(self)
        kept = version.manifest.settings
        if not _can_be_read_again(version.manifest.data.uri):
            kept = {**kept, "data": asdict(self.settings.data)}
        other.settings = settings_like(kept, self.settings, self.overrides)
        other.spec = DatasetSpec.from_dict(other.settings.dataset)
        other._pattern = version.manifest
        return other

    def validate(self, data: Table | None = None, with_target: bool | None = None) -> Validation:
        """Check a table as a training or a prediction does, and tell all faults.

        Parameters
        ----------
        data
            A table or its URI, by default the settings' `data.uri`.
        with_target
            Whether the target must be there and right; None where it is there.

        Raises
        ------
        DataError
            There is no table to check.
        """
        from titanic_ml.dataset.validation import faults_of, has_column
        from titanic_ml.results import Validation

        data = self.settings.data.uri if data is None else data
        with open_table(data, keep_broken=True) as source:
            batches = list(source.batches())
            frames = [batch.frame for batch in batches] or [source.frame()]
        starts = accumulate((len(batch.frame) for batch in batches), initial=0)
        broken = {
            start + place: why
            for start, batch in zip(starts, batches)
            for place, why in batch.broken.items()
        }
        frame = pd.concat(frames, ignore_index=True)
        if with_target is None:
            with_target = has_column(frame, self.spec.target)
        faults = faults_of(frame, broken, self.spec, with_target)
        return Validation(name_of(data), len(frame), with_target, faults)

    def train(
        self,
        data: Table | None = None,
        progress: Progress | None = None,
        *,
        promote: bool = True,
        run_id: str | None = None,
    ) -> Training:
        """Choose a model, fit it, measure it, keep it as a version and try to promote it.

        An interrupted training goes on from what it had finished. Where `tracking.uri` is set,
        MLflow is told of it at the end; if that is away, it is told later (`track`).

        Parameters
        ----------
        data
            A table or its URI, by default the settings' `data.uri`.
        progress
            Called with the work done and all of it, two numbers, and what is being done.
        promote
            Whether it may become the champion now.
        run_id
            By which `train_once` finds it again.

        Raises
        ------
        DataError
            The table can't be read or has faults; then nothing is written.
        ModelError, SettingsError
            The store or the scratch folder can't be written, or MLflow is wished and not installed:
            found before the work starts.
        """
        given, data = data, self.settings.data.uri if data is None else data
        written = {STORE: self.settings.store.uri, "scratch": self.settings.scratch}
        refuse_shared({"input": data}, written)
        dataset, file_sha256 = self._training_table(data)
        if given is None:
            self._check_same_table(dataset)
        # Training's imports are slow and prediction does without them, so they wait until here.
        from titanic_ml.training import workers

        workers.start(self.settings.n_jobs, *TRAINING)
        from titanic_ml.results import Training

        finished = self._ready(dataset)
        selection, assessment = self._choose(self._trainer(), dataset, progress, finished)
        kept = _without_secrets(self.settings, name_of(data))
        version = self._keep(selection, assessment, dataset, kept, run_id, file_sha256)
        outcome = self._announce(version, promote)
        finished.clear()
        return Training(
            version=version.name,
            report=version.report,
            selection=selection,
            assessment=assessment,
            **vars(outcome),
        )

    def train_once(
        self,
        run_id: str,
        data: Table | None = None,
        progress: Progress | None = None,
        *,
        promote: bool = True,
    ) -> Training | TrainedBefore:
        """Train, unless a training of this id has made a version: then finish what it left undone.

        So a scheduler may try again what broke off, whenever that was. Parameters and errors are
        those of `train`.
        """
        from titanic_ml.prediction.run import check_run_id
        from titanic_ml.results import TrainedBefore

        found = self.store.of_run(check_run_id(run_id))
        if found is None:
            return self.train(data, progress, promote=promote, run_id=run_id)
        log.info("%s: made by the training %s before", found.name, run_id)
        history = self.store.champion.history()
        why = next((entry.why for entry in history if entry.version == found.name), "")
        return TrainedBefore(
            version=found.name,
            report=found.report,
            run_id=run_id,
            facts=_facts(found),
            **vars(self._announce(found, promote, why)),
        )

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
        s = self.settings
        evaluation = Evaluator(**asdict(s.evaluation), seed=s.seed, n_jobs=s.n_jobs).evaluate(
            y.to_numpy(),
            Predictor(version.model).probability(X),
            version.threshold,
            baselines=baselines,
            slices=slice_labels(X, version.spec.slices),
        )
        seen = int(version.seen(dataset).sum())
        return replace(evaluation, seen=seen, version=version.name, warning=version.warning)

    def explain(
        self, id: int | str, data: Table | None = None, model: str = "champion"
    ) -> Explanation:
        """Tell which features moved the prediction for one row of a table, and by how much.

        Parameters
        ----------
        id
            The row's.
        data
            A table or its URI, by default the settings' `data.uri`; its target is ignored.
        model
            A version or an alias.

        Raises
        ------
        DataError, ModelError
            The table or the version is at fault, or there is no such row.
        """
        version = self._version(model)
        spec = version.spec
        data = self.settings.data.uri if data is None else data
        dataset = self._dataset(data, spec, with_target=False)
        row = (dataset.ids.astype(str) == str(id)).to_numpy().nonzero()[0]
        if not len(row):
            raise DataError(f"{name_of(data)} has no {spec.id} {id}; name one of its rows")
        return _explained(version, dataset.X.iloc[row], f"{spec.id} {id}")

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

    def overview(self, model: str = "champion") -> Overview:
        """What was written down with a version, for who looks at it: nothing is drawn anew.

        Parameters
        ----------
        model
            A version or an alias.

        Raises
        ------
        ModelError
            The version is at fault.
        """
        from titanic_ml.evaluation.thresholds import confusions
        from titanic_ml.registry.version import REPORT
        from titanic_ml.reporting.report import figures_in
        from titanic_ml.reporting.verdict import verdict
        from titanic_ml.results import Overview

        version = self.store.open(model)
        facts, table = _facts(version), version.out_of_fold
        steps = confusions(table["y"].to_numpy(), table.filter(like="repeat_").to_numpy())
        return Overview(facts, verdict(facts), figures_in(version.read(REPORT).decode()), steps)

    def predict(
        self,
        data: Table,
        model: str = "champion",
        probability: bool = False,
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

        Raises
        ------
        DataError, ModelError
            The table or the version is at fault.
        """
        version = self._version(model)
        dataset = self._dataset(data, version.spec, with_target=False)
        predictor = Predictor(version.model, version.threshold)
        predictions = predictor.predict(dataset, version.spec.target, probability)
        predictions.attrs["version"] = version.name
        if version.warning:
            predictions.attrs["warning"] = version.warning
        return predictions

    def warm(self, model: str = "champion") -> str:
        """Load all that `predict_one` needs of a version, and return its name.

        `predict_one` answers by this version until another is warmed.

        Parameters
        ----------
        model
            A version or an alias.

        Raises
        ------
        ModelError
            The version is at fault.
        """
        from titanic_ml.prediction.row import RowPredictor

        version = self.store.open(self.store.resolve(model))
        predictor = Predictor(version.model, version.threshold)
        self._warmed = version, RowPredictor(predictor, version.spec, version.background)
        return version.name

    def predict_one(self, passenger: Mapping[str, Any]) -> dict[str, Any]:
        """Predict one row, in a fraction of a millisecond beside the estimator's own time.

        The first call loads the champion (`warm` chooses another version, or does it sooner);
        unlike the other methods it looks up no alias after that.

        Parameters
        ----------
        passenger
            The columns of a row with their values. Missing values are None; the id, and columns
            that may be missing, can be left out. The target is ignored.

        Returns
        -------
        dict
            Id (None if the row has none) and class under the names of the table, `probability`
            and `model_version`, equal to those of `predict`.

        Raises
        ------
        InvalidTable
            With all faults of the row.
        ModelError
            There is no champion, or it is at fault.
        """
        version, rows = self._warm()
        return _told(version, rows.predict(passenger))

    def predict_each(self, passengers: Sequence[Mapping[str, Any]]) -> list[dict[str, Any] | None]:
        """Predict some rows that have nothing to do with each other, in one call: of each what
        `predict_one` returns, or None where that must be asked, which takes some milliseconds.
        Most of these rows have a fault.

        Parameters
        ----------
        passengers
            At least one, each as of `predict_one`.

        Raises
        ------
        ModelError
            As `predict_one`.
        """
        version, rows = self._warm()
        found = rows.predict_each(passengers)
        return [None if answer is None else _told(version, answer) for answer in found]

    def predict_rows(self, passengers: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Predict the rows of one table, all or none, by the version that `predict_one` answers by.

        Parameters
        ----------
        passengers
            At least one, each as of `predict_one`.

        Raises
        ------
        InvalidTable, ModelError
            As `predict_one`; the faults are those of all rows.
        """
        version, rows = self._warm()
        made = rows.predict_table(passengers).assign(model_version=version.name)
        columns = (made[name].tolist() for name in made)
        return [dict(zip(made, row)) for row in zip(*columns)]

    def explain_one(self, passenger: Mapping[str, Any]) -> Explanation:
        """Explain the prediction of `predict_one` for a row.

        Parameters
        ----------
        passenger
            As of `predict_one`.

        Raises
        ------
        InvalidTable, ModelError
            As `predict_one`.
        """
        version, rows = self._warm()
        dataset = rows.single(passenger)
        id = dataset.ids.iloc[0]
        subject = "the row" if pd.isna(id) else f"{version.spec.id} {id}"
        return _explained(version, dataset.X, subject)

    def prediction_log(self) -> PredictionLog | None:
        """What keeps answers that are given one by one, not yet started; None if that isn't wished.

        Raises
        ------
        SettingsError, UnwritableTable
            It can't be kept at `monitoring.log`.
        """
        from titanic_ml.monitoring.log import PredictionLog

        uri = self.settings.monitoring.log
        refuse_shared(self._read | {"monitoring.log": None}, {"monitoring.log": uri})
        return None if uri is None else PredictionLog(uri, self.spec)

    def _warm(self) -> tuple[ModelVersion, RowPredictor]:
        if self._warmed is None:
            self.warm()
        assert self._warmed is not None
        return self._warmed

    def predict_into(
        self,
        output: str | Path,
        data: Table,
        model: str = "champion",
        *,
        full: bool = False,
        probability: bool = False,
        rejects: str | Path | None = None,
        run_id: str | None = None,
        batch_rows: int = 3 << 14,
        progress: Callable[[int, float | None], None] | None = None,
    ) -> Predictions:
        """Predict a table of any size into another, batch by batch: all of it, or nothing.

        Where the output is Parquet or a database its rows have the probability, the version, the
        time and the run's id too, and what the same run has left there before is replaced.

        Parameters
        ----------
        output
            The URI of a table.
        data
            A table or its URI; its target is not looked at.
        model
            A version or an alias.
        full, probability
            Whether a CSV gets probability, version and time, or the first of these.
        rejects
            The URI of a table to which bad rows are written whole, with number and reasons, while
            the good ones are predicted. Without it one bad row refuses the table.
        run_id
            The run's id, by default derived from the input's content and the version.
        batch_rows
            How many rows are in memory at most.
        progress
            Called with how many rows were read, and how much of the table (None if unknown).

        Raises
        ------
        SettingsError, DataError, ModelError
            An address is of no known kind (then nothing is done), or the table or the version is
            at fault, or an output can't be written.
        """
        from titanic_ml.prediction.batches import BatchPredictor
        from titanic_ml.prediction.run import prediction_columns
        from titanic_ml.results import Predictions
        from titanic_ml.storage.sinks import check_sink, schema_of

        refuse_shared({"input": data} | self._read, {"output": output, "rejects": rejects})
        address, aside = parse(str(output)), parse(str(rejects)) if rejects else None
        version = self._version(model)
        wishes = {"full": full, "probability": probability}
        schema = schema_of(prediction_columns(version.spec, address.keeps_runs, **wishes))
        check_sink(address, schema)

        def load() -> Predictor:
            return Predictor(version.model, version.threshold)

        with open_table(data, keep_broken=aside is not None) as source:
            run = _run(source, version.name, address, aside, run_id)
            rows = BatchPredictor(load, version.spec, source.name, aside is not None)
            with _writer(address, schema, run) as write, _rejecter(aside, source, run) as reject:
                rows.run(source.batches(batch_rows), write, reject, progress)
        log.info("%s: %d rows read, %d rejected", source.name, rows.read, rows.rejected)
        log.info("%s: %d rows written", address.shown, rows.predicted)
        return Predictions(
            version.name,
            *(rows.read, rows.predicted, rows.rejected),
            address.shown,
            aside.shown if aside else None,
            run.run_id or None,
            version.warning,
        )

    def count(self, table: str | None = None, run_id: str | None = None) -> int:
        """How many rows a table has, such as one into which was predicted.

        Parameters
        ----------
        table
            Its URI, by default the settings' `predictions.uri`.
        run_id
            Of which run; None of all.

        Raises
        ------
        SettingsError, DataError
            It can't be read, or doesn't say of which run a row is.
        """
        from titanic_ml.storage.counting import count_rows

        return count_rows(self.output if table is None else table, run_id)

    def monitor(
        self,
        log: Table | None = None,
        model: str = "champion",
        *,
        since: str | None = None,
        labels: Table | None = None,
        page: str | Path | None = None,
    ) -> Monitoring:
        """Tell whether later rows have moved from those that a version was trained on.

        Parameters
        ----------
        log
            A prediction log or another table, or its URI; by default the settings'
            `monitoring.log`. Where it doesn't say what the version answered, that is computed.
        model
            A version or an alias.
        since
            Look at what was answered from then on: a time, or how long ago, such as ``7d``.
        labels
            A table of ids with their outcomes, or its URI. Where they are known, the version is
            measured again.
        page
            A file into which a report in HTML is written.

        Raises
        ------
        SettingsError
            There is no log, or `since` is no time.
        DataError, ModelError
            A table or the version is at fault.
        """
        from titanic_ml.monitoring.drift import DriftDetector
        from titanic_ml.monitoring.logged import Logged, moment, newest
        from titanic_ml.monitoring.profile import Profile
        from titanic_ml.results import Monitoring

        given, log = log, self.settings.monitoring.log if log is None else log
        if log is None:
            raise SettingsError("no log: name a table, or set monitoring.log")
        read = {"input": log, "labels": labels, "predictions.uri": self.settings.predictions.uri}
        refuse_shared(read | self._read, {"report": page})
        start = None if since is None else moment(since)
        version = self._version(model)
        if PROFILE not in version.manifest.files:
            raise ModelError(f"{version.name} was trained before profiles were kept; train anew")
        try:
            with open_table(log) as source:
                frames = (batch.frame for batch in source.batches())
                found = newest(frames, name_of(log), start)
        except MissingTable as error:
            if given is not None:
                raise
            raise DataError(
                f"{name_of(log)}: no answers yet; a service writes them there every few seconds"
            ) from error
        rows = Logged.of(found, version.spec, name_of(log))
        known, probability = _answers(version, rows)
        s = self.settings.monitoring
        drift = DriftDetector(s.alpha, s.threshold, s.shift).compare(
            Profile.from_dict(version.profile), rows.X, probability[~np.isnan(probability)]
        )
        performance = None
        if labels is not None:
            performance = self._performance(version, rows.ids, probability, labels)
        outcome = Monitoring(
            version=version.name,
            table=name_of(log),
            since=None if start is None else start.isoformat(timespec="seconds"),
            invalid=rows.invalid,
            known=int(known.sum()),
            drift=drift,
            performance=performance,
            volume=rows.volume(),
        )
        if page is not None:
            write_page(Path(page), outcome.to_html())
        return outcome

    def _performance(
        self, version: ModelVersion, ids: pd.Series, probability: np.ndarray, labels: Table
    ) -> Performance:
        """A version on rows to which it gave these probabilities, by outcomes known now."""
        from titanic_ml.evaluation.evaluator import Evaluator
        from titanic_ml.evaluation.gate import row_losses_of
        from titanic_ml.monitoring.logged import truths
        from titanic_ml.monitoring.performance import compared

        known = truths(as_frame(labels), version.spec, name_of(labels))
        y = ids.map(known).to_numpy("float64")
        both = ~(np.isnan(y) | np.isnan(probability))
        y, probability = y[both].astype("int64"), probability[both]
        if len(np.unique(y)) < 2:
            raise DataError(
                f"{name_of(labels)}: {len(y)} outcomes of rows that {version.name} answered, "
                "expected some of both classes"
            )
        s = self.settings
        evaluator = Evaluator(**asdict(s.evaluation), seed=s.seed, n_jobs=s.n_jobs)
        now = evaluator.evaluate(y, probability, version.threshold)
        losses = row_losses_of(version.out_of_fold)
        before = version.manifest.metrics
        return compared(now, y, probability, before, losses, s.monitoring.alpha)

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
        from titanic_ml.evaluation.gate import compare_out_of_fold
        from titanic_ml.results import Comparison

        a, b = self.store.open(first), self.store.open(second)
        found = compare_out_of_fold(
            a.out_of_fold, b.out_of_fold, self.settings.evaluation.confidence, self.settings.seed
        )
        metrics = a.manifest.metrics, b.manifest.metrics
        return Comparison((a.name, b.name), metrics, found.rows, found.gain)

    def promote(self, model: str = "latest", force: bool = False, note: str = "") -> str:
        """Make a version the champion if it is not worse on the rows that both were scored on.

        Each is judged by its out-of-fold probabilities, so neither has seen the rows.

        Parameters
        ----------
        model
            A version or an alias.
        force
            Whether to skip the gate.
        note
            What the history should say besides.

        Returns
        -------
        str
            Why it was promoted.

        Raises
        ------
        PromotionRefused
            It is worse by more than the margin, or no rows are shared; the champion stays.
        ModelError
            A file of the version is damaged, or the champion with which it is compared.
        """
        version = self._version(model)
        why = self._promote(version, force, note)
        self._tell_champion(version.name)
        return why

    def rollback(self, why: str = "") -> str:
        """Make the champion before this one the champion again, and return its name.

        Parameters
        ----------
        why
            What the history should say.

        Raises
        ------
        ModelError
            There was no other, or it is deleted or damaged.
        """
        champion = self.store.rollback(why)
        self._tell_champion(champion)
        return champion

    def track(self, model: str | None = None) -> Tracked:
        """Tell MLflow what it was not told yet, in the order in which it came about.

        Parameters
        ----------
        model
            A version or an alias that is to be told too, and who is the champion; also one that was
            trained when `tracking.uri` was not set. What was told before is not told again.

        Raises
        ------
        SettingsError
            There is no `tracking.uri`, or MLflow is not installed.
        ModelError
            There is no such version.
        """
        tracking = self._tracking()
        if tracking is None:
            raise SettingsError(
                "tracking.uri is null: name an MLflow server, or a file, as in "
                "tracking.uri=sqlite:///mlflow.db"
            )
        if model is not None:
            tracking.add(self.store.open(model).name)
            if champion := self.store.champion.version:
                tracking.add(champion, "champion")
        return tracking.send()

    def _ready(self, dataset: Dataset) -> Checkpoint:
        """Find now what would stop a training at its end; return where it goes on."""
        finished = self._checkpoint(dataset)
        finished.check_writable()
        self.store.check_ready()
        if tracking := self._tracking():
            tracking.check_ready()
        if finished:
            log.info("going on from %d folds that an interrupted training had done", len(finished))
        return finished

    def _announce(self, version: ModelVersion, promote: bool, promoted: str = "") -> Outcome:
        """Try to promote a version that was kept, unless it was `promoted` before and for this
        reason; tell MLflow of it, where that is wished.
        """
        from titanic_ml.results import Outcome

        tracking = self._tracking()
        if tracking:
            tracking.add(version.name)
        crowned, failed, why = bool(promoted), False, promoted or "that was not asked for"
        if promote and not crowned:
            try:
                why, crowned = self._promote(version), True
            except ModelError as error:
                why, failed = str(error), not isinstance(error, PromotionRefused)
                log.info("%s is not promoted: %s", version.name, why)
        if tracking and crowned:
            tracking.add(version.name, "champion")
        told = tracking.send() if tracking else None
        return Outcome(promoted=crowned, why=why, failed=failed, tracked=told)

    def _promote(self, version: ModelVersion, force: bool = False, note: str = "") -> str:
        from titanic_ml.registry.promotion import promote

        return promote(self.store, version, self.settings.promotion.margin, force, note)

    def _tracking(self) -> Tracking | None:
        """What is told to MLflow, where that is wished."""
        settings = self.settings.tracking
        if settings.uri is None:
            return None
        from titanic_ml.integrations.mlflow import MlflowServer, check_installed
        from titanic_ml.integrations.tracking import Tracking

        check_installed()
        server = MlflowServer(settings.uri, settings.name)
        return Tracking(self.store, server, Path(settings.queue))

    def _tell_champion(self, version: str) -> None:
        """Tell MLflow who is the champion now, where that is wished, and what else waits."""
        if tracking := self._tracking():
            tracking.add(version, "champion")
            told = tracking.send()
            if told.pending:
                log.warning("%s", told)

    def _version(self, model: str) -> ModelVersion:
        """The version of this name or alias; the one that was asked for last is kept."""
        name, kept = self.store.resolve(model), self._kept
        if kept is None or kept.name != name:
            kept = self._kept = self.store.open(name)
        return kept

    def _check_same_table(self, dataset: Dataset) -> None:
        """Refuse another table than that of the version whose training is repeated, unless one is
        named.
        """
        pattern = self._pattern
        named = any(word.lstrip("+").startswith("data.uri=") for word in self.overrides)
        if pattern and not named and pattern.data.fingerprint != dataset.fingerprint:
            raise DataError(
                f"{shown(self.settings.data.uri)} is not the table that {pattern.version} was "
                f"trained on ({pattern.data.rows} rows of {pattern.data.uri}); name the table to "
                "train on, or set data.uri"
            )

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
        from titanic_ml.evaluation.parts import split_features
        from titanic_ml.results import Steps
        from titanic_ml.training.refit import Refitter

        s, (X, y) = self.settings, dataset.labelled
        slices = slice_labels(X, self.spec.slices)
        groups = build(self.spec.groups)(X) if self.spec.groups else None
        splits = [] if groups is None else trainer.grouped_splits(y, groups)
        # About how long each takes, in units of one fold of the chosen candidate and the baselines.
        work = {COMPARING: 3 * (1 + trainer.repeats * trainer.folds)}
        work |= {GROUPED: 3 * len(splits)} if splits else {}
        work |= {INSPECTING: 2 * trainer.folds, MEASURING: trainer.folds}
        steps = Steps(progress, work)

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
        features, rest = split_features(selection.model, X)
        assessor = Assessor(
            Evaluator(**asdict(s.evaluation), seed=s.seed, n_jobs=s.n_jobs),
            dataset,
            features,
            rest.predict_proba(features)[:, 1],
            self.spec.kinds,
            slices,
        )
        inspection = assessor.inspection()
        folds = selection.folds[: trainer.folds]
        refitter = Refitter(chosen, trainer.preprocessor, folds, s.seed, s.n_jobs)
        inspected, curve = refitter.refit(inspection, X, y, steps.of(INSPECTING))
        steps.of(MEASURING)(0, 1)
        predictions = selection.out_of_fold, grouped
        assessment = assessor.assess(
            selection.threshold, *predictions, inspection, inspected, curve
        )
        steps.of(MEASURING)(1, 1)
        return selection, assessment

    def _keep(
        self,
        selection: Selection,
        assessment: Assessment,
        dataset: Dataset,
        settings: Settings,
        run_id: str | None,
        file_sha256: str | None,
    ) -> ModelVersion:
        """Save a training as a version of the store."""
        from titanic_ml.monitoring.profile import Profile
        from titanic_ml.reporting.facts import Facts
        from titanic_ml.reporting.report import documents

        profile = Profile.of(dataset.X, self.spec.kinds, selection.out_of_fold.probability)
        kept = {PROFILE: json.dumps(profile.to_dict()).encode()}
        facts = Facts.of(selection, assessment, dataset, self.spec, settings, file_sha256)
        out_of_fold = selection.out_of_fold.probability.assign(
            id=dataset.ids, y=dataset.y, row=dataset.row_hashes
        )
        return self.store.save(
            Contents(selection.model, selection.baselines, assessment.background, out_of_fold),
            facts.summary(settings),
            lambda origin: documents(facts.named(origin), settings.n_jobs) | kept,
            run_id,
        )

    def _training_table(self, data: Table) -> tuple[Dataset, str | None]:
        """The validated training table, and the SHA-256 of its file; None if it is not one file."""
        with open_table(data) as source:
            frame, file_sha256 = source.frame(), source.file_sha256()
        dataset = Dataset.from_frame(frame, self.spec, name_of(data))
        log.info("%s: %d rows read, all valid", name_of(data), len(dataset))
        return dataset, file_sha256

    def _dataset(self, data: Table, spec: DatasetSpec, with_target: bool = True) -> Dataset:
        """The validated table."""
        dataset = Dataset.from_frame(as_frame(data), spec, name_of(data), with_target)
        log.info("%s: %d rows read and found right", name_of(data), len(dataset))
        return dataset


def _told(version: ModelVersion, answer: Answer) -> dict[str, Any]:
    names = (version.spec.id, version.spec.target, "probability", "model_version")
    return dict(zip(names, (*answer, version.name)))


def _run(
    source: Source, version: str, address: Address, aside: Address | None, given: str | None
) -> Run:
    """The run that predicts a table. One that is there already keeps its time."""
    from titanic_ml.prediction.run import Run, check_run_id, derived_id
    from titanic_ml.storage.sinks import time_of_run

    now = datetime.now(UTC).replace(microsecond=0)
    if given is not None:
        return Run(version, now, check_run_id(given))
    if not address.keeps_runs and not (aside and aside.keeps_runs):
        return Run(version, now, "")
    run_id = derived_id(source.fingerprint(), version, "quarantine" if aside else "refuse")
    before = time_of_run(address, run_id) if address.keeps_runs else None
    return Run(version, datetime.fromisoformat(before) if before else now, run_id)


@contextmanager
def _writer(address: Address, schema: Schema, run: Run) -> Iterator[Write]:
    """What writes frames with the run's own columns."""
    from titanic_ml.storage.sinks import open_sink

    with open_sink(address, schema, run.run_id) as write:
        yield lambda frame: write(run.stamped(frame, schema.names))


def _rejecter(aside: Address | None, source: Source, run: Run) -> AbstractContextManager[Write]:
    """What writes rejected rows, where that is wished."""
    from titanic_ml.prediction.batches import REJECTED
    from titanic_ml.prediction.run import RUN_ID
    from titanic_ml.storage.sinks import with_columns

    if aside is None:
        return nullcontext(lambda frame: None)
    more = REJECTED | ({RUN_ID: "text"} if aside.keeps_runs else {})
    return _writer(aside, with_columns(source.schema, more), run)


def _can_be_read_again(uri: str) -> bool:
    """Whether this is a table's whole address: not a frame's name, no password left out."""
    try:
        return "***" not in uri and uri != "-" and bool(parse(uri))
    except SettingsError:
        return False


def _without_secrets(settings: Settings, data: str) -> Settings:
    """The settings as a version keeps them: with the table it learned from, and no secret."""
    store, predictions, tracking = settings.store, settings.predictions, settings.tracking
    log = settings.monitoring.log
    return replace(
        settings,
        data=DataSettings(data),
        store=replace(store, uri=shown(store.uri), signing_key=None),
        predictions=replace(
            predictions,
            input=predictions.input and shown(predictions.input),
            uri=predictions.uri and shown(predictions.uri),
        ),
        tracking=replace(tracking, uri=tracking.uri and shown(tracking.uri)),
        monitoring=replace(settings.monitoring, log=log and shown(log)),
        service=replace(settings.service, api_keys=None),
    )


def _answers(version: ModelVersion, rows: Logged) -> tuple[np.ndarray, np.ndarray]:
    """Which rows a version was trained on, (n,) bool, and its probability of each of the others:
    what it answered, or would; NaN where another version did, and of rows with a fault.
    """
    known = np.isin(rows.dataset.row_hashes, version.out_of_fold["row"])
    probability = rows.probability_by(version.name)
    if probability is None:
        probability = np.full(len(rows.X), np.nan)
        if rows.right.any():
            probability[rows.right] = Predictor(version.model).probability(rows.answerable)
    return known, np.where(known, np.nan, probability)  # of its own rows it knows too much


def _explained(version: ModelVersion, row: pd.DataFrame, subject: str) -> Explanation:
    """Explain the prediction of a version for one row, (1, columns)."""
    from titanic_ml.evaluation.explanation import Explainer

    manifest, spec = version.manifest, version.spec
    explainer = Explainer(
        version.model, version.background, manifest.groups, manifest.seed, spec.labels
    )
    found = explainer.explain(row, subject, spec.target)
    probability = round(found.probability, DECIMALS)  # as predictions are
    return replace(found, probability=probability, version=version.name, warning=version.warning)


def _facts(version: ModelVersion) -> Facts:
    from titanic_ml.reporting.facts import Facts

    return Facts.from_json(version.facts)
