"""Predictions for a stream of rows: part by part, and what is wrong with the rows that get none."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Protocol

import numpy as np
import pandas as pd

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
class Part:
    """What became of some rows.

    Attributes
    ----------
    predictions
        Id, class and probability of each good row, in order; None without any.
    rejected
        The bad rows as they came, each with its number and the reasons; None without any.
    """

    predictions: pd.DataFrame | None
    rejected: pd.DataFrame | None


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

    Attributes
    ----------
    read, predicted, rejected
        How many rows came, and what became of them.
    """

    def __init__(
        self, predictor: Predictor, spec: DatasetSpec, source: str, quarantine: bool = False
    ) -> None:
        self.predictor = predictor
        self.spec = spec
        self.source = source
        self.quarantine = quarantine
        self.read = self.predicted = self.rejected = 0
        self._validator = StreamValidator(spec, source)
        self._faults: list[Fault] = []
        self._faulty = 0

    def predict(self, frame: pd.DataFrame, broken: Mapping[int, str]) -> Part:
        """Predict the next rows.

        Parameters
        ----------
        frame
            The rows; the target is not looked at.
        broken
            By position, what is wrong with a row that could not be read as one.

        Raises
        ------
        InvalidTable
            The columns are at fault.
        """
        numbers = np.arange(len(frame)) + self.read + 1
        self.read += len(frame)
        whole = np.ones(len(frame), dtype="bool")
        whole[list(broken)] = False
        checked = frame[whole] if broken else frame
        parsed, faults = self._validator.check(checked, numbers[whole])
        if faults and not self.quarantine:
            self._keep(faults)
        if self._faulty:
            return Part(None, None)
        if not faults and not broken:
            self.predicted += len(frame)
            dataset = Dataset(parsed[self.spec.id], parsed[self.spec.inputs], None)
            return Part(self._predictions(dataset) if len(frame) else None, None)
        reasons = {int(numbers[place]): why for place, why in broken.items()}
        reasons |= {row: "; ".join(map(_reason, found)) for row, found in faults.items()}
        bad = np.isin(numbers, list(reasons))
        self.predicted += int((~bad).sum())
        self.rejected += len(reasons)
        predictions = None
        if not bad.all():  # the good rows are parsed again: without the bad ones types may differ
            good = Dataset.from_frame(frame[~bad], self.spec, self.source, with_target=False)
            predictions = self._predictions(good)
        return Part(predictions, self._rejected(frame[bad], numbers[bad], reasons))

    def run(
        self,
        batches: Iterable[Batch],
        write: Callable[[pd.DataFrame], None],
        reject: Callable[[pd.DataFrame], None],
        progress: Callable[[int, float | None], None] | None = None,
    ) -> None:
        """Predict all rows.

        Parameters
        ----------
        batches
            The rows in order.
        write, reject
            Called with predictions, and with rejected rows.
        progress
            Called with how many rows have come, and their share in all.

        Raises
        ------
        InvalidTable
            As `predict` and `finish` do; what was written until then must not stand.
        """
        for batch in batches:
            part = self.predict(batch.frame, batch.broken)
            if part.predictions is not None:
                write(part.predictions)
            if part.rejected is not None:
                reject(part.rejected)
            if progress:
                progress(self.read, batch.fraction)
        self.finish()

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

    def _predictions(self, dataset: Dataset) -> pd.DataFrame:
        return self.predictor.predict(dataset, self.spec.target, with_probability=True)

    def _rejected(
        self, frame: pd.DataFrame, numbers: np.ndarray, reasons: Mapping[int, str]
    ) -> pd.DataFrame:
        rejected = frame.copy()
        row, because = REJECTED
        rejected[row] = numbers
        rejected[because] = [reasons[number] for number in numbers.tolist()]
        return rejected


def _reason(fault: Fault) -> str:
    return f"column {fault.column}: found {fault.found}, expected {fault.expected}"
