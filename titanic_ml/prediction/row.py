"""One row at a time: the answer of `Predictor`, without a table in between."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from titanic_ml.dataset.dataset import Dataset
from titanic_ml.dataset.row import RowReader
from titanic_ml.dataset.spec import DatasetSpec
from titanic_ml.prediction.plain import PlainModel, plain_model
from titanic_ml.prediction.predictor import DECIMALS, Predictor


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
        self.reader = RowReader(self.spec)
        self.model = plain_model(self.predictor.model, self.known)

    def predict(self, row: Mapping[str, Any]) -> tuple[Any, int, float]:
        """The id, the class and the probability of class 1.

        Raises
        ------
        InvalidTable
            With all faults of the row.
        """
        values = self.reader.read(row) if self.model else None
        if values is None or self.model is None:
            return self._as_table(row)
        probability = round(self.model.probability(values), DECIMALS)
        positive = probability >= round(self.predictor.threshold, DECIMALS)
        return values[self.spec.id], int(positive), probability

    def _as_table(self, row: Mapping[str, Any]) -> tuple[Any, int, float]:
        frame = pd.DataFrame([dict(row)])
        dataset = Dataset.from_frame(frame, self.spec, "the table", with_target=False)
        made = self.predictor.predict(dataset, self.spec.target, with_probability=True)
        id, prediction, probability = (made[name].tolist()[0] for name in made)
        return id, prediction, probability
