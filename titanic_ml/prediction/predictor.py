"""What we predict: classes and probabilities for validated rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from titanic_ml.dataset.dataset import Dataset
from titanic_ml.prediction.plain import PlainModel, plain_model

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

MANY = 5_000  # rows for which it pays to learn how the encoder encodes
KNOWN = 200  # rows of them, of which it is learned
DECIMALS = 9  # of a predicted probability; the noise is a millionth of the last


@dataclass(frozen=True)
class Predictor:
    """A fitted model with its decision threshold.

    Attributes
    ----------
    model
        The fitted Pipeline, from the table's columns to probabilities.
    threshold
        Probability from which on the prediction is 1.
    """

    model: Pipeline
    threshold: float = 0.5
    _plain: list[PlainModel | None] = field(
        default_factory=list, init=False, repr=False, compare=False
    )
    _learning: Any = field(default_factory=Lock, init=False, repr=False, compare=False)

    def probability(self, X: pd.DataFrame) -> np.ndarray:
        """Probability of class 1 for each row, (n,)."""
        if len(X) >= MANY:
            with self._learning:
                if not self._plain:
                    rows = X.head(KNOWN)
                    known = self.model[0].transform(rows)
                    self._plain.append(plain_model(self.model, known, rows))
            if plain := self._plain[0]:
                return plain.probabilities(X)
        return self.model.predict_proba(X)[:, 1]

    def predict(
        self, dataset: Dataset, target: str, with_probability: bool = False
    ) -> pd.DataFrame:
        """The ids and classes, and the probabilities if wished, in the order of the rows.

        They are rounded: the last digits of a matrix product depend on how many rows it has, and a
        row must get the same prediction alone and among any others.

        Parameters
        ----------
        dataset
            The rows; its target is not looked at.
        target
            Name of the column of classes.
        with_probability
            Whether to add a column `probability`.
        """
        probability = self.probability(dataset.X).round(DECIMALS)
        positive = probability >= round(self.threshold, DECIMALS)
        prediction = dataset.ids.to_frame().assign(**{target: positive.astype("int64")})
        return prediction.assign(probability=probability) if with_probability else prediction
