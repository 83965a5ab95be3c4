"""One row at a time: the answer of `Predictor`, without a table in between."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import pandas as pd

from titanic_ml.dataset.dataset import Dataset
from titanic_ml.dataset.row import RowReader
from titanic_ml.dataset.spec import DatasetSpec
from titanic_ml.prediction.plain import PlainModel, plain_model
from titanic_ml.prediction.predictor import DECIMALS, Predictor

Answer: TypeAlias = tuple[Any, int, float]  # id, class, probability of class 1


@dataclass
class RowPredictor:
    """Answers one row at a time, as `Predictor` answers a table.

    Attributes
    ----------
    predictor
        The fitted Pipeline with its threshold. Features, encoder and estimator are its steps, and
        its features can be computed of plain columns; else each row goes the way of a table.
    spec
        What the columns may hold.
    known
        Features of some training rows.
    """

    predictor: Predictor
    spec: DatasetSpec
    known: pd.DataFrame
    model: PlainModel | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self.loose = self.spec.with_optional_id()  # a row on its own needs no id
        self.reader = RowReader(self.loose)
        self.threshold = round(self.predictor.threshold, DECIMALS)
        self.model = plain_model(self.predictor.model, self.known)

    def predict(self, row: Mapping[str, Any]) -> Answer:
        """The id, the class and the probability of class 1.

        Raises
        ------
        InvalidTable
            With all faults of the row.
        """
        values = self.reader.read(row) if self.model else None
        if values is None or self.model is None:
            return self._as_table(row)
        return self._answer(values, self.model.probability_of(values))

    def predict_each(self, rows: Sequence[Mapping[str, Any]]) -> list[Answer | None]:
        """The same of several rows that have nothing to do with each other, by one question to the
        estimator; None for each that `predict` must be asked about, which takes longer: most of
        these have a fault.
        """
        values = [self.reader.read(row) if self.model else None for row in rows]
        plain = [value for value in values if value is not None]
        found = iter(self.model.probabilities_of(plain) if self.model else ())
        return [None if value is None else self._answer(value, next(found)) for value in values]

    def _answer(self, values: Mapping[str, Any], probability: float) -> Answer:
        probability, id = round(probability, DECIMALS), values[self.spec.id]
        return id if id == id else None, int(probability >= self.threshold), probability

    def predict_table(self, rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
        """The same of many rows, as a table of id, class and probability.

        Raises
        ------
        InvalidTable
            With all faults of all rows.
        """
        return self.predictor.predict(self.dataset(rows), self.spec.target, with_probability=True)

    def dataset(self, rows: Sequence[Mapping[str, Any]]) -> Dataset:
        """Validate rows of one table. Raises `InvalidTable` with all faults of all rows."""
        return self._dataset(rows, self.spec)

    def single(self, row: Mapping[str, Any]) -> Dataset:
        """Validate a row on its own, which needs no id. Raises `InvalidTable`."""
        return self._dataset([row], self.loose)

    def _dataset(self, rows: Sequence[Mapping[str, Any]], spec: DatasetSpec) -> Dataset:
        # Objects, since pandas 3.0 can't look for the type of a number with hundreds of digits.
        frame = pd.DataFrame([self.reader.filled(row) for row in rows], dtype=object)
        return Dataset.from_frame(frame, spec, "the table", with_target=False)

    def _as_table(self, row: Mapping[str, Any]) -> Answer:
        made = self.predictor.predict(self.single(row), self.spec.target, with_probability=True)
        id, prediction, probability = (made[name].tolist()[0] for name in made)
        return id if id == id else None, prediction, probability
