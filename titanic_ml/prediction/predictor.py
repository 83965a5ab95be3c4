"""Predict classes and probabilities of validated rows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from titanic_ml.dataset.dataset import Dataset
from titanic_ml.dataset.spec import DatasetSpec
from titanic_ml.prediction.fast_path import FastPath

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

DECIMALS = 9  # of a predicted probability; the noise is a millionth of the last


@dataclass(frozen=True)
class Predictor:  # numpydoc ignore=PR02
    """A fitted model with its decision threshold.

    Parameters
    ----------
    model
        Fitted pipeline from the table's columns to probabilities.
    threshold
        Rows with at least this probability are predicted as class 1.
    """

    model: Pipeline
    threshold: float = 0.5

    @cached_property
    def fast_path(self) -> FastPath | None:
        """Fast path of the model; None if its steps are of other kinds."""
        try:
            return FastPath(self.model)
        except TypeError:
            return None

    def probability(self, X: pd.DataFrame) -> np.ndarray:
        """Predict the probability of class 1.

        Parameters
        ----------
        X
            Columns of the table, (n, columns).

        Returns
        -------
        ndarray
            Probabilities, (n,).
        """
        if self.fast_path:
            return self.fast_path.probabilities(X)
        return self.model.predict_proba(X)[:, 1]

    def predict(
        self, dataset: Dataset, spec: DatasetSpec, with_probability: bool = False
    ) -> pd.DataFrame:
        """Predict the class of each row.

        Probabilities are rounded to nine decimals: the last digits of a matrix product depend on
        its number of rows, and a row must get the same prediction alone and in a batch.

        Parameters
        ----------
        dataset
            The rows; their target is ignored.
        spec
            Specification of the table, for the name and the values of the target.
        with_probability
            Whether to add a column `probability`.

        Returns
        -------
        DataFrame
            Id and class in the order of the rows, (n, 2), or (n, 3) with the probability.
        """
        probability = self.probability(dataset.X).round(DECIMALS)
        positive = probability >= round(self.threshold, DECIMALS)
        answers = pd.Series(list(spec.answers)).take(positive.astype("int64")).array
        prediction = dataset.ids.to_frame()
        prediction[spec.target] = answers
        return prediction.assign(probability=probability) if with_probability else prediction
