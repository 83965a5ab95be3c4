"""Predictions for a stream of rows: part by part, and what is wrong with the rows that get none."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from typing import Protocol

import numpy as np
import pandas as pd
from joblib import cpu_count
from threadpoolctl import ThreadpoolController, threadpool_limits

from titanic_ml.dataset.dataset import Dataset
from titanic_ml.dataset.spec import DatasetSpec
from titanic_ml.dataset.stream import StreamValidator
from titanic_ml.dataset.validation import NO_ROWS
from titanic_ml.errors import Fault, InvalidTable
from titanic_ml.prediction.predictor import Predictor

KEPT_FAULTS = 10_000  # of a refused table; the rest are counted
REJECTED = {"rejected_row": "integer", "rejected_because": "text"}  # columns of a rejected row


class Batch(Protocol):
    """Rows that come one after another, as a source of tables gives them."""

    @property
    def frame(self) -> pd.DataFrame:
        """The rows; the target is not looked at."""

    @property
    def broken(self) -> Mapping[int, str]:
        """By position, what is wrong with a row that could not be read as one."""

    @property
    def fraction(self) -> float | None:
        """The share of all rows that has come with these; None if it isn't known."""


@dataclass(frozen=True)
class Answered:
    """What is said of some rows before it is known which rows came before them.

    Attributes
    ----------
    frame
        The rows as they came; None where none of them can be set aside.
    broken, fraction
        As of the batch.
    numbers
        The number of each row in the table, (n,).
    good
        Which rows have no fault, (n,) bool.
    keys, faults
        The columns of the rows that could be read in which no value may come again, and the faults
        of each row that has any.
    predictions
        Id, class and probability of the good rows, in order; None without any.
    """

    frame: pd.DataFrame | None
    broken: Mapping[int, str]
    fraction: float | None
    numbers: np.ndarray
    good: np.ndarray
    keys: pd.DataFrame
    faults: Mapping[int, list[Fault]]
    predictions: pd.DataFrame | None


@dataclass(frozen=True)
class Loaded:
    """A model, and the libraries that it calls, of which each is held to one thread: there is a
    thread for each core already.
    """

    predictor: Predictor
    libraries: ThreadpoolController


class BatchPredictor:
    """Predicts the rows of a table part by part.

    Parameters
    ----------
    load
        Gives the model; called once, in a thread, while the first rows are read and checked.
    spec
        What the columns may hold.
    source
        What to call the table in a message.
    quarantine
        Whether bad rows are set aside; if not, one refuses the table, and from then on rows are
        only checked.
    workers
        How many batches are predicted at a time, each in a thread; by default one a core.

    Attributes
    ----------
    read, predicted, rejected
        How many rows came, and what became of them.
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
        """Predict all rows: one batch after another is read, several are checked and predicted at a
        time, and all is written in the order in which it came.

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
                for answered in self._answers(batches, pool, model):
                    predictions, rejected = self._settle(answered)
                    if predictions is not None:
                        write(predictions)
                    if rejected is not None:
                        reject(rejected)
                    if progress:
                        progress(self.read, answered.fraction)
                model.result()  # of no rows too it is said that it can't be loaded
            finally:
                pool.shutdown(cancel_futures=True)
        self.finish()

    def _answers(
        self, batches: Iterable[Batch], pool: ThreadPoolExecutor, model: Future[Loaded]
    ) -> Iterator[Answered]:
        """What is said of each batch, in their order, while the next ones are worked on."""
        waiting: deque[Future[Answered]] = deque()
        begun = 0
        for batch in batches:
            waiting.append(pool.submit(self._answer, batch, begun, model))
            begun += len(batch.frame)
            if len(waiting) > self.workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()

    def _answer(self, batch: Batch, before: int, model: Future[Loaded]) -> Answered:
        """Check and predict some rows, before which there are so many. It may be done at any time.

        Raises `InvalidTable` if the columns are at fault.
        """
        frame, broken = batch.frame, batch.broken
        numbers = np.arange(len(frame)) + before + 1
        whole = np.ones(len(frame), dtype="bool")
        whole[list(broken)] = False
        rows = frame[whole] if broken else frame
        parsed, faults = self._validator.part(rows, numbers[whole])
        good = whole & ~np.isin(numbers, list(faults))
        predictions = None
        if good.any() and not self._faulty and (self.quarantine or not faults):
            if good.all():
                dataset = Dataset(parsed[self.spec.id], parsed[self.spec.inputs], None)
            else:  # the good rows are parsed again: without the bad ones types may differ
                dataset = Dataset.from_frame(frame[good], self.spec, self.source, with_target=False)
            loaded = model.result()
            with loaded.libraries.limit(limits=1):  # for OpenMP it is a thread's own
                predictions = loaded.predictor.predict(dataset, self.spec.target, True)
        keys = self._validator.keys(parsed)
        kept = frame if self.quarantine else None
        return Answered(kept, broken, batch.fraction, numbers, good, keys, faults, predictions)

    def _settle(self, answered: Answered) -> tuple[pd.DataFrame | None, pd.DataFrame | None]:
        """Count the next rows; the predictions of those that stay good, and the bad ones."""
        numbers, good, predictions = answered.numbers, answered.good, answered.predictions
        whole = np.ones(len(numbers), dtype="bool")
        whole[list(answered.broken)] = False
        faults = self._validator.again(answered.keys, numbers[whole], answered.faults)
        self.read += len(numbers)
        if faults and not self.quarantine:
            self._keep(faults)
        if self._faulty:
            return None, None
        reasons = {int(numbers[place]): why for place, why in answered.broken.items()}
        reasons |= {row: "; ".join(map(_reason, found)) for row, found in faults.items()}
        self.rejected += len(reasons)
        self.predicted += len(numbers) - len(reasons)
        if not reasons or answered.frame is None:
            return predictions, None
        bad = np.isin(numbers, list(reasons))
        if predictions is not None:
            predictions = predictions[~bad[good]] if not bad.all() else None
        return predictions, _rejected(answered.frame[bad], numbers[bad], reasons)

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


def _rejected(frame: pd.DataFrame, numbers: np.ndarray, reasons: Mapping[int, str]) -> pd.DataFrame:
    rejected = frame.copy()
    row, because = REJECTED
    rejected[row] = numbers
    rejected[because] = [reasons[number] for number in numbers.tolist()]
    return rejected


def _reason(fault: Fault) -> str:
    return f"column {fault.column}: found {fault.found}, expected {fault.expected}"
