"""One row at a time: the answer of `Predictor`, without a table in between."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from titanic_ml.dataset.dataset import Dataset
from titanic_ml.dataset.row import RowReader
from titanic_ml.dataset.spec import DatasetSpec
from titanic_ml.errors import ModelError
from titanic_ml.prediction.predictor import DECIMALS, Predictor

if TYPE_CHECKING:
    from sklearn.compose import ColumnTransformer

KEPT = 1_000  # texts of a feature whose columns are remembered


class RowEncoder:
    """What a fitted encoder makes of the features of one row, learned by asking it.

    Every text adds its columns to those of an example row; a text is asked of when it first comes.
    Every number has a column of its own, scaled as the encoder's scaler says: to the last bit, for
    a tree may have its threshold there.

    Parameters
    ----------
    encoder
        Fitted, a ColumnTransformer from a DataFrame of features to a matrix of float64, whose
        numbers go through one StandardScaler.
    known
        Features of some rows, by which it is checked that this encoder is of that kind.

    Raises
    ------
    ModelError
        It is not.
    """

    def __init__(self, encoder: ColumnTransformer, known: pd.DataFrame) -> None:
        self.encoder = encoder
        self.numbers, self.mean, self.scale = _scaling(encoder)
        self.words = [name for name in known if name not in self.numbers]
        self.example = known.head(1).reset_index(drop=True)
        self.base = self._ask(self.example)
        moved = {name: self.example[name] + 1.0 for name in self.numbers}
        changed = [self._ask(self.example.assign(**{n: moved[n]})) != self.base for n in moved]
        self.places = np.array([columns.argmax() for columns in changed])
        self.added: dict[str, dict[str, np.ndarray]] = {name: {} for name in self.words}
        rows = [self.encode(row) for row in known.to_dict("records")]
        if not np.array_equal(rows, encoder.transform(known)):
            raise ModelError("the encoder isn't made of one-hot columns and scaled numbers")

    def encode(self, features: Mapping[str, Any]) -> np.ndarray:
        """The columns of the features of one row, (columns,)."""
        found = self.base.copy()
        for name in self.words:
            word = features[name]
            added = self.added[name].get(word)
            found += self._learn(name, word) if added is None else added
        numbers = np.array([features[name] for name in self.numbers], dtype="float64")
        found[self.places] = (numbers - self.mean) / self.scale
        return found

    def _learn(self, name: str, word: str) -> np.ndarray:
        asked = self.example.assign(**{name: pd.Series([word], dtype=self.example[name].dtype)})
        added = self._ask(asked) - self.base
        if len(self.added[name]) < KEPT:
            self.added[name][word] = added
        return added

    def _ask(self, features: pd.DataFrame) -> np.ndarray:
        return np.asarray(self.encoder.transform(features), dtype="float64")[0]


def _scaling(encoder: ColumnTransformer) -> tuple[list[str], np.ndarray, np.ndarray]:
    """The numbers of an encoder, with their means and scales. Raises `ModelError` without any."""
    for _, part, names in encoder.transformers_:
        for step in getattr(part, "named_steps", {"": part}).values():
            if hasattr(step, "mean_") and hasattr(step, "scale_"):
                return list(names), step.mean_, step.scale_
    raise ModelError("the encoder scales no numbers")


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
    encoder: RowEncoder | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self.reader = RowReader(self.spec)
        self.steps = [step for _, step in self.predictor.model.steps]
        if len(self.steps) == 3 and hasattr(self.steps[0], "columns"):
            try:
                self.encoder = RowEncoder(self.steps[1], self.known)
            except (ModelError, AttributeError, TypeError, ValueError):
                self.encoder = None

    def predict(self, row: Mapping[str, Any]) -> tuple[Any, int, float]:
        """The id, the class and the probability of class 1.

        Raises
        ------
        InvalidTable
            With all faults of the row.
        """
        values = self.reader.read(row) if self.encoder else None
        if values is None or self.encoder is None:
            return self._as_table(row)
        found = self.steps[0].columns({name: [value] for name, value in values.items()})
        features = {name: column[0] for name, column in found.items()}
        matrix = self.encoder.encode(features)[None, :]
        probability = round(float(self.steps[2].predict_proba(matrix)[0, 1]), DECIMALS)
        positive = probability >= round(self.predictor.threshold, DECIMALS)
        return values[self.spec.id], int(positive), probability

    def _as_table(self, row: Mapping[str, Any]) -> tuple[Any, int, float]:
        frame = pd.DataFrame([dict(row)])
        dataset = Dataset.from_frame(frame, self.spec, "the table", with_target=False)
        made = self.predictor.predict(dataset, self.spec.target, with_probability=True)
        id, prediction, probability = (made[name].tolist()[0] for name in made)
        return id, prediction, probability
