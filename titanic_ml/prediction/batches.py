"""Predictions for a stream of rows: part by part, and what is wrong with the rows that get none."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from typing import Protocol

import numpy as np
import pandas as pd
from joblib import cpu_count

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
class Checked:
    """What the check found of some rows.

    Attributes
    ----------
    good
        The rows to be predicted, in order; None without any.
    rejected
        The bad rows as they came, each with its number and the reasons; None without any.
    """

    good: Dataset | None = None
    rejected: pd.DataFrame | None = None


class BatchPredictor:
    """Predicts the rows of a table part by part.

    Parameters
    ----------
    predictor
        The model.
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
        predictor: Predictor,
        spec: DatasetSpec,
        source: str,
        quarantine: bool = False,
        workers: int | None = None,
    ) -> None:
        self.predictor = predictor
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
        """Predict all rows: one batch after another is read and checked, several are predicted at
        a time, and all is written in the order in which it came.

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
        """
        waiting: deque[tuple[Future[pd.DataFrame | None], Checked, int, float | None]] = deque()

        def hand_over() -> None:
            predicted, checked, done, fraction = waiting.popleft()
            if (predictions := predicted.result()) is not None:
                write(predictions)
            if checked.rejected is not None:
                reject(checked.rejected)
            if progress:
                progress(done, fraction)

        with ThreadPoolExecutor(self.workers) as pool:
            try:
                for batch in batches:
                    checked = self._check(batch.frame, batch.broken)
                    job = pool.submit(self._predict, checked.good)
                    waiting.append((job, checked, self.read, batch.fraction))
                    if len(waiting) > self.workers:
                        hand_over()
                while waiting:
                    hand_over()
            finally:
                pool.shutdown(cancel_futures=True)
        self.finish()

    def _check(self, frame: pd.DataFrame, broken: Mapping[int, str]) -> Checked:
        """Check the next rows. Raises `InvalidTable` if the columns are at fault."""
        numbers = np.arange(len(frame)) + self.read + 1
        self.read += len(frame)
        whole = np.ones(len(frame), dtype="bool")
        whole[list(broken)] = False
        parsed, faults = self._validator.check(frame[whole] if broken else frame, numbers[whole])
        if faults and not self.quarantine:
            self._keep(faults)
        if self._faulty:
            return Checked()
        if not faults and not broken:
            self.predicted += len(frame)
            good = Dataset(parsed[self.spec.id], parsed[self.spec.inputs], None)
            return Checked(good if len(frame) else None)
        reasons = {int(numbers[place]): why for place, why in broken.items()}
        reasons |= {row: "; ".join(map(_reason, found)) for row, found in faults.items()}
        bad = np.isin(numbers, list(reasons))
        self.predicted += int((~bad).sum())
        self.rejected += len(reasons)
        rejected = _rejected(frame[bad], numbers[bad], reasons)
        if bad.all():
            return Checked(None, rejected)
        # The good rows are parsed again: without the bad ones types may differ.
        good = Dataset.from_frame(frame[~bad], self.spec, self.source, with_target=False)
        return Checked(good, rejected)

    def _predict(self, good: Dataset | None) -> pd.DataFrame | None:
        if good is None:
            return None
        return self.predictor.predict(good, self.spec.target, with_probability=True)

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
