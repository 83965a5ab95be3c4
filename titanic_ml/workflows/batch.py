"""Predict a table: into a frame, or batch by batch into another table."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from titanic_ml.errors import SettingsError
from titanic_ml.prediction.batches import REJECTED, BatchPredictor
from titanic_ml.prediction.predictor import Predictor
from titanic_ml.prediction.run import Run, check_run_id, derived_id, prediction_columns
from titanic_ml.results import Predictions
from titanic_ml.storage.address import RUN_ID, Address, parse
from titanic_ml.storage.same_place import refuse_shared
from titanic_ml.storage.sinks import (
    Schema,
    Write,
    check_sink,
    open_sink,
    schema_of,
    time_of_run,
    with_columns,
)
from titanic_ml.storage.sources import Source
from titanic_ml.storage.tables import Table, open_table
from titanic_ml.workflows.workspace import Workspace

log = logging.getLogger(__name__)


def predict_frame(
    workspace: Workspace, data: Table, model: str, probability: bool = False
) -> pd.DataFrame:
    """Predict a table in memory. Parameters and errors are those of `TitanicPipeline.predict`."""
    version = workspace.version(model)
    dataset = workspace.dataset(data, version.spec, with_target=False)
    predictor = Predictor(version.model, version.threshold)
    predictions = predictor.predict(dataset, version.spec, probability)
    predictions.attrs["version"] = version.name
    if version.warning:
        predictions.attrs["warning"] = version.warning
    return predictions


@dataclass(frozen=True, kw_only=True)
class BatchPrediction:
    """One run of predictions. Attributes and errors are those of `TitanicPipeline.predict_into`."""

    workspace: Workspace
    output: str | Path | None = None
    data: Table | None = None
    model: str = "champion"
    full: bool = False
    probability: bool = False
    rejects: str | Path | None = None
    run_id: str | None = None
    batch_rows: int = 3 << 14

    def run(self, progress: Callable[[int, float | None], None] | None = None) -> Predictions:
        """Predict the table into another: all of it, or nothing."""
        output, data = self._output, self._data
        written = {"output": output, "rejects": self.rejects}
        refuse_shared({"input": data} | self.workspace.inputs, written)
        address, aside = parse(str(output)), parse(str(self.rejects)) if self.rejects else None
        version = self.workspace.version(self.model)
        wanted = {"full": self.full, "probability": self.probability}
        schema = schema_of(prediction_columns(version.spec, address.keeps_runs, **wanted))
        check_sink(address, schema)

        def load() -> Predictor:
            return Predictor(version.model, version.threshold)

        with open_table(data, keep_ragged=aside is not None) as source:
            run = self._run(source, version.name, address, aside)
            rows = BatchPredictor(load, version.spec, source.name, aside is not None)
            with _writer(address, schema, run) as write, _rejecter(aside, source, run) as reject:
                rows.run(source.batches(self.batch_rows), write, reject, progress)
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

    @property
    def _data(self) -> Table:
        """The table to predict, by default that of the settings."""
        data = self.workspace.settings.predictions.input if self.data is None else self.data
        if data is None:
            raise SettingsError(
                "no input: name a table, or set predictions.input to the address of one"
            )
        return data

    @property
    def _output(self) -> str | Path:
        """Where to write, by default where the settings say."""
        output = self.workspace.settings.predictions.uri if self.output is None else self.output
        if output is None:
            raise SettingsError(
                "no output: name one (--output), or set predictions.uri to the address of a table"
            )
        return output

    def _run(self, source: Source, version: str, address: Address, aside: Address | None) -> Run:
        """Make the run that predicts a table; a repeated run keeps its time."""
        now = datetime.now(UTC).replace(microsecond=0)
        if self.run_id is not None:
            return Run(version, now, check_run_id(self.run_id))
        if not address.keeps_runs and not (aside and aside.keeps_runs):
            return Run(version, now, "")
        run_id = derived_id(source.fingerprint(), version, "quarantine" if aside else "refuse")
        before = time_of_run(address, run_id) if address.keeps_runs else None
        return Run(version, datetime.fromisoformat(before) if before else now, run_id)


@contextmanager
def _writer(address: Address, schema: Schema, run: Run) -> Iterator[Write]:
    """Writes frames with the run's own columns."""
    with open_sink(address, schema, run.run_id) as write:
        yield lambda frame: write(run.stamped(frame, schema.names))


def _rejecter(aside: Address | None, source: Source, run: Run) -> AbstractContextManager[Write]:
    """Writes rejected rows, where they have an output."""
    if aside is None:
        return nullcontext(lambda frame: None)
    more = REJECTED | ({RUN_ID: "text"} if aside.keeps_runs else {})
    return _writer(aside, with_columns(source.schema, more), run)
