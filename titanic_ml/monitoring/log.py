"""Log of a service's predictions, written in the background."""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, NamedTuple, TypeAlias

import pandas as pd
import pyarrow

from titanic_ml.dataset.columns import check
from titanic_ml.dataset.normalise import iso_date
from titanic_ml.dataset.spec import TRUTH, DatasetSpec
from titanic_ml.errors import SettingsError, TitanicError
from titanic_ml.storage.address import PREDICTED_AT, RUN_ID, FileAddress, parse
from titanic_ml.storage.sinks import check_sink, open_sink, schema_of

log = logging.getLogger(__name__)
SECONDS = 5.0  # between two batches
MOST_ROWS = 100_000  # in memory
BATCH_ROWS = 50_000
PART_ROWS = 250  # put into columns in one go, in less than a millisecond
PAUSE = 0.002  # seconds after each
TICK = 0.2  # seconds between two looks at what waits
ANSWER = {"probability": "number", "model_version": "text", PREDICTED_AT: "time"}


LogRecord: TypeAlias = tuple[Mapping[str, Any], Mapping[str, Any], int]  # row, answer, time


class Served(NamedTuple):
    """Rows that were answered at one moment, in seconds since 1970."""

    time: int
    rows: Sequence[Mapping[str, Any]]
    answers: Sequence[Mapping[str, Any]]


def spec_of_log(spec: DatasetSpec) -> DatasetSpec:
    """Return the specification of a log: ids may repeat or be missing."""
    columns = {name: replace(column, unique=False) for name, column in spec.columns.items()}
    return replace(spec, columns=columns).with_optional_id()


class PredictionLog:
    """Writes rows with their predictions to a table.

    Rows are queued in memory, and a thread writes them in a batch every few seconds, whole or not
    at all. A batch that can't be written is tried again; rows for which the queue has no room are
    dropped and counted.

    Parameters
    ----------
    uri
        Address of a folder, for one Parquet file a batch, or of a table of a database.
    spec
        Specification of the rows. The prediction is in the target's column.
    seconds
        Seconds between two batches.
    most
        Number of rows that wait in memory.

    Attributes
    ----------
    written, dropped
        Numbers of rows that were written, and that were lost.
    why
        Fault of the table as a sentence; empty if there is none.

    Raises
    ------
    SettingsError, UnwritableTable
        It can't be such a table, or can't be written to.
    """

    def __init__(
        self, uri: str, spec: DatasetSpec, seconds: float = SECONDS, most: int = MOST_ROWS
    ) -> None:
        address = parse(uri)
        if isinstance(address, FileAddress) and not address.many:
            raise SettingsError(
                f"monitoring.log is {address.shown}, expected a folder, whose name ends in a "
                "slash, or a table of a database"
            )
        self.address = address
        self.spec = spec_of_log(spec)
        kinds: dict[str, str] = {n: spec.columns[n].kind for n in (spec.id, *spec.inputs)}
        self.schema = schema_of({**kinds, spec.target: spec.answer_kind, **ANSWER, RUN_ID: "text"})
        self.seconds = seconds
        self.most = most
        self.written = self.dropped = 0
        self.why = ""
        self._waiting: deque[Served] = deque()
        self._rows = 0
        self._lock = threading.Lock()
        self._parts: list[pyarrow.RecordBatch] = []  # of the next batch
        self._batch: tuple[str, pyarrow.RecordBatch] | None = None  # what is being written
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="prediction log", daemon=True)
        check_sink(self.address, self.schema)

    def add(self, rows: Sequence[Mapping[str, Any]], answers: Sequence[Mapping[str, Any]]) -> None:
        """Queue rows with their predictions, without waiting; it never raises.

        Parameters
        ----------
        rows
            Valid rows of the requests.
        answers
            Results of `predict_one`.
        """
        with self._lock:
            if self._rows + len(rows) > self.most:
                self.dropped += len(rows)
                return
            self._rows += len(rows)
            self._waiting.append(Served(int(time.time()), rows, answers))

    def start(self) -> None:
        """Write from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Write what waits, if the table takes it, and end."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        ending, due = False, time.monotonic() + self.seconds
        while not ending:
            ending = self._stop.wait(TICK)
            self._guarded(self._put_into_columns)
            full = self._rows >= BATCH_ROWS and not self.why
            if ending or full or time.monotonic() >= due:
                self._guarded(self._write)
                due = time.monotonic() + self.seconds
        with self._lock:
            lost = self._rows
            self.dropped += lost
        if lost:
            log.warning("the prediction log ends, and %d rows are lost", lost)

    def _guarded(self, step: Callable[[], None]) -> None:
        """Take a step; whatever comes of it, requests are answered all the same."""
        try:
            step()
        except TitanicError as error:
            if self.why != str(error):
                log.warning("the prediction log waits, and tries again: %s", error)
            self.why = str(error)
        except Exception:
            log.exception("the prediction log goes on without what it was about to write")
            self._parts, self._batch = [], None
            with self._lock:
                lost = self._rows - sum(len(served.rows) for served in self._waiting)
            self._count(lost=lost)

    def _put_into_columns(self) -> None:
        """Convert waiting rows to columns, a few at a time, so that requests wait only briefly."""
        left = len(self._waiting)  # what comes meanwhile is for the next time
        while left:
            part: list[LogRecord] = []
            while left and len(part) < PART_ROWS:
                served = self._waiting.popleft()
                left -= 1
                part += [(*both, served.time) for both in zip(served.rows, served.answers)]
            made = self._columns(part)
            self._parts.append(made)
            self._count(lost=len(part) - len(made))
            time.sleep(PAUSE)

    def _write(self) -> None:
        """Write what is in columns. A batch that could not be written is the same one again."""
        while self._batch or self._parts:
            if self._batch is None:
                name = f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:8]}"
                rows = pyarrow.concat_batches(self._parts)
                self._batch = name, rows.append_column(RUN_ID, pyarrow.repeat(name, len(rows)))
                self._parts = []
            name, rows = self._batch
            if len(rows):
                with open_sink(self.address, self.schema, name) as write:
                    write(rows)
            self._batch, self.why = None, ""
            self._count(written=len(rows))

    def _count(self, written: int = 0, lost: int = 0) -> None:
        """Be done with rows."""
        with self._lock:
            self._rows -= written + lost
            self.written += written
            self.dropped += lost

    def _columns(self, part: Sequence[LogRecord]) -> pyarrow.RecordBatch:
        """Make a frame of logged rows, without the name of their batch."""
        rows, answers, times = zip(*part)
        target = self.spec.target
        names = [name for name in self.spec.columns if name != target]
        columns = {name: [row.get(name) for row in rows] for name in names}
        for key in (target, "probability", "model_version"):
            columns[key] = [answer[key] for answer in answers]
        columns[PREDICTED_AT] = list(times)
        try:
            return self._arrow(columns)
        except pyarrow.ArrowException:  # a number as a text, or what else a table may hold
            frame = pd.DataFrame({name: columns.pop(name) for name in names})
            typed, faults = check(frame, self.spec, with_target=False)
            for name, values in {**self._as_given(typed), **columns}.items():
                typed[name] = values
            typed = typed.drop(index=[fault.row - 1 for fault in faults])
            return self._arrow({name: typed[name].to_list() for name in typed})

    def _as_given(self, typed: pd.DataFrame) -> dict[str, list[Any]]:
        """Return the columns of truth values and dates as a request gives them."""
        reads: dict[str, Callable[[Any], Any]] = {"date": iso_date}
        reads["bool"] = lambda word: word == TRUTH[1]
        kinds = {name: self.spec.columns[name].kind for name in typed}
        return {
            name: [None if pd.isna(value) else reads[kind](value) for value in typed[name]]
            for name, kind in kinds.items()
            if kind in reads
        }

    def _arrow(self, columns: Mapping[str, Sequence[Any]]) -> pyarrow.RecordBatch:
        fields = [field for field in self.schema if field.name != RUN_ID]
        arrays = [pyarrow.array(columns[f.name], f.type, from_pandas=True) for f in fields]
        return pyarrow.RecordBatch.from_arrays(arrays, schema=pyarrow.schema(fields))
