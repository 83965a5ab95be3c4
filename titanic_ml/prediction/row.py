"""Predict one row, or a few, with the same results as `Predictor` for a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from titanic_ml.dataset.dataset import Dataset
from titanic_ml.dataset.records import RecordReader
from titanic_ml.dataset.spec import ROW, DatasetSpec
from titanic_ml.errors import InvalidTable
from titanic_ml.prediction.predictor import DECIMALS, Predictor

Answer: TypeAlias = tuple[Any, Any, float]  # id, value of the target, probability of class 1


class RowPredictor:
    """Predicts rows that are mappings of columns to values.

    Parameters
    ----------
    predictor : model and threshold
    spec : what the columns may hold; a row on its own needs no id
    """

    def __init__(self, predictor: Predictor, spec: DatasetSpec) -> None:
        self.predictor = predictor
        self.spec = spec
        self.threshold = round(predictor.threshold, DECIMALS)
        self._rows, self._row = RecordReader(spec), RecordReader(spec.with_optional_id())

    def predict(self, row: Mapping[str, Any]) -> Answer:
        """Predict one row. Raises `InvalidTable` with all its faults."""
        return self._answers([self._row.read(row)])[0]

    def predict_each(self, rows: Sequence[Mapping[str, Any]]) -> list[Answer | InvalidTable]:
        """Predict independent rows in one call of the estimator.

        Returns
        -------
        Prediction of each row, or the error with all its faults.
        """
        found: list[Any] = []
        for row in rows:
            try:
                found.append(self._row.read(row))
            except InvalidTable as error:
                found.append(error)
        answers = iter(self._answers([row for row in found if isinstance(row, dict)]))
        return [next(answers) if isinstance(row, dict) else row for row in found]

    def predict_table(self, rows: Sequence[Mapping[str, Any]]) -> list[Answer]:
        """Predict the rows of one table. Raises `InvalidTable` with all faults of all rows."""
        found = self._rows.read_all(rows)
        if self.spec.id == ROW:
            found = [{**row, ROW: number} for number, row in enumerate(found, start=1)]
        return self._answers(found)

    def single(self, row: Mapping[str, Any]) -> Dataset:
        """Return a row as a table of one. Raises `InvalidTable` with all its faults."""
        return self._dataset([self._row.read(row)])

    def _answers(self, rows: Sequence[Mapping[str, Any]]) -> list[Answer]:
        fast = self.predictor.fast_path
        if not rows:
            return []
        if fast is None:
            probabilities = self.predictor.probability(self._dataset(rows).X).tolist()
        elif len(rows) == 1:
            probabilities = [fast.probability(rows[0])]
        else:
            columns = {name: [row[name] for row in rows] for name in self.spec.inputs}
            probabilities = fast.probabilities(columns).tolist()
        return [self._answer(row, p) for row, p in zip(rows, probabilities, strict=True)]

    def _answer(self, row: Mapping[str, Any], probability: float) -> Answer:
        probability = round(probability, DECIMALS)
        answer = self.spec.answers[probability >= self.threshold]
        return row[self.spec.id], answer, probability

    def _dataset(self, rows: Sequence[Mapping[str, Any]]) -> Dataset:
        frame = self._row.frame(rows)
        return Dataset(frame[self.spec.id], frame[self.spec.inputs], None)
