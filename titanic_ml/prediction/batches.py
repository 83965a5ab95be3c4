"""Predictions for a stream of rows: part by part, and what is wrong with the rows that get none."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import chain
from typing import Protocol

import numpy as np
import pandas as pd
from joblib import cpu_count
from threadpoolctl import ThreadpoolController, threadpool_limits

from titanic_ml.dataset.dataset import Dataset
from titanic_ml.dataset.faults import NO_ROWS
from titanic_ml.dataset.spec import ROW, DatasetSpec
from titanic_ml.dataset.stream import StreamValidator
from titanic_ml.errors import Fault, InvalidTable
from titanic_ml.prediction.predictor import Predictor

KEPT_FAULTS = 10_000  # of a refused table; the rest are counted
REJECTED = {"rejected_row": "integer", "rejected_because": "text"}  # columns of a rejected row


class Batch(Protocol):
    """Consecutive rows of a table, as a source of tables yields them."""

    @property
    def frame(self) -> pd.DataFrame:
        """The rows; the target is ignored."""

    @property
    def faults(self) -> Sequence[Fault]:
        """Faulty rows that could not be read."""

    @property
    def fraction(self) -> float | None:
        """Share of the table that has been read with these rows; None if unknown."""


@dataclass(frozen=True)
class CheckedBatch:
    """Validated and predicted rows, before the check for values that an earlier batch has.

    Attributes
    ----------
    frame
        The rows as they were read; None if no row can be set aside.
    fraction
        As in the batch.
    numbers
        Number of each row in the table, (n,).
    faults
        Faults of each invalid row, by row number.
    keys
        Columns of unique values of the rows that could be read.
    predictions
        Id, class and probability of the rows without a fault, in order; None without any.
    """

    frame: pd.DataFrame | None
    fraction: float | None
    numbers: np.ndarray
    faults: Mapping[int, list[Fault]]
    keys: pd.DataFrame
    predictions: pd.DataFrame | None


@dataclass(frozen=True)
class Loaded:
    """A model and its native libraries, limited to one thread each: batches use all cores."""

    predictor: Predictor
    libraries: ThreadpoolController


class BatchPredictor:
    """Predicts the rows of a table part by part.

    Parameters
    ----------
    load
        Gives the model; called once, in a thread, while the first rows are read and checked.
    spec
        Specification of the columns.
    source
        Name of the table in messages.
    quarantine
        Whether bad rows are set aside; if not, one refuses the table, and from then on rows are
        only checked.
    workers
        Number of batches that are predicted at a time, one in each thread; by default one a core.

    Attributes
    ----------
    read, predicted, rejected
        Numbers of rows read, predicted and rejected.
    """

    def __init__(
        self,
        load: Callable[[], Predictor],
        spec: DatasetSpec,
        source: str,
        quarantine: bool = False,
        workers: int | None = None,
    ) -> None:
        self.load = load
        self.spec = spec
        self.source = source
        self.quarantine = quarantine
        self.workers = cpu_count() if workers is None else workers
        self.read = self.predicted = self.rejected = 0
        self._validator = StreamValidator(spec, source)
        self._faults: list[Fault] = []
        self._faulty = 0

    def run(
        self,
        batches: Iterable[Batch],
        write: Callable[[pd.DataFrame], None],
        reject: Callable[[pd.DataFrame], None],
        progress: Callable[[int, float | None], None] | None = None,
    ) -> None:
        """Predict all rows.

        Batches are read one by one, validated and predicted concurrently, and written in order.

        Parameters
        ----------
        batches
            The rows in order.
        write, reject
            Called with predictions, and with rejected rows.
        progress
            Called with how many rows are done, and their share in all.

        Raises
        ------
        InvalidTable
            As `finish`, or the columns are at fault; what was written until then must not stand.
        ModelError
            The model can't be loaded.
        """
        with (
            threadpool_limits(1),  # for BLAS it is the process's
            ThreadPoolExecutor(1) as loader,
            ThreadPoolExecutor(self.workers) as pool,
        ):
            model = loader.submit(lambda: Loaded(self.load(), ThreadpoolController()))
            try:
                for batch in self._checked_batches(batches, pool, model):
                    predictions, rejected = self._settle(batch)
                    if predictions is not None:
                        write(predictions)
                    if rejected is not None:
                        reject(rejected)
                    if progress:
                        progress(self.read, batch.fraction)
                model.result()  # of no rows too it is said that it can't be loaded
            finally:
                pool.shutdown(cancel_futures=True)
        self.finish()

    def _checked_batches(
        self, batches: Iterable[Batch], pool: ThreadPoolExecutor, model: Future[Loaded]
    ) -> Iterator[CheckedBatch]:
        """Yield each batch checked and predicted, in order, while the next ones are worked on."""
        waiting: deque[Future[CheckedBatch]] = deque()
        first = 1
        for batch in batches:
            waiting.append(pool.submit(self._checked, batch, first, model))
            first += len(batch.frame)
            if len(waiting) > self.workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()

    def _checked(self, batch: Batch, first: int, model: Future[Loaded]) -> CheckedBatch:
        """Check and predict some rows; batches may be checked concurrently.

        Raises `InvalidTable` if the columns are at fault.
        """
        frame = batch.frame
        parsed, faults = self._validator.part(frame, first, batch.faults)
        numbers = np.arange(len(frame)) + first
        good = ~np.isin(numbers, list(faults))
        predictions = None
        if good.any() and not self._faulty and (self.quarantine or not faults):
            if good.all():
                dataset = Dataset(parsed[self.spec.id], parsed[self.spec.inputs], None)
            else:  # the good rows are parsed again: without the bad ones types may differ
                dataset = Dataset.from_frame(frame[good], self.spec, self.source, with_target=False)
                if self.spec.id == ROW:
                    dataset = replace(dataset, ids=pd.Series(numbers[good], name=ROW))
            loaded = model.result()
            with loaded.libraries.limit(limits=1):  # for OpenMP it is a thread's own
                predictions = loaded.predictor.predict(dataset, self.spec, True)
        keys, kept = self._validator.keys(parsed), frame if self.quarantine else None
        return CheckedBatch(kept, batch.fraction, numbers, faults, keys, predictions)

    def _settle(self, batch: CheckedBatch) -> tuple[pd.DataFrame | None, pd.DataFrame | None]:
        """Count the next rows; return the predictions of the good ones, and the rejected rows."""
        faults = self._validator.again(batch.keys, batch.faults)
        self.read += len(batch.numbers)
        if faults and not self.quarantine:
            self._keep(faults)
        if self._faulty:
            return None, None
        self.rejected += len(faults)
        self.predicted += len(batch.numbers) - len(faults)
        if not faults or batch.frame is None:
            return batch.predictions, None
        bad, predictions = np.isin(batch.numbers, list(faults)), batch.predictions
        if predictions is not None:
            good = ~np.isin(batch.numbers, list(batch.faults))
            predictions = predictions[~bad[good]] if not bad.all() else None
        return predictions, _rejected(batch.frame[bad], batch.numbers[bad], faults)

    def finish(self) -> None:
        """Say that all rows have come.

        Raises
        ------
        InvalidTable
            There was none, or one was bad and should not have been.
        """
        if self._faulty:
            raise InvalidTable(self.source, self._faults, self._faulty)
        if not self.read:
            raise InvalidTable(self.source, [NO_ROWS])

    def _keep(self, faults: Mapping[int, list[Fault]]) -> None:
        found = list(chain.from_iterable(faults.values()))
        self._faulty += len(found)
        self._faults += found[: KEPT_FAULTS - len(self._faults)]


def _rejected(
    frame: pd.DataFrame, numbers: np.ndarray, faults: Mapping[int, list[Fault]]
) -> pd.DataFrame:
    rejected = frame.copy()
    row, because = REJECTED
    rejected[row] = numbers
    rejected[because] = [
        "; ".join(str(replace(fault, row=0)) for fault in faults[number])
        for number in numbers.tolist()
    ]
    return rejected
