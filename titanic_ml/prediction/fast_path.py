"""Probabilities from column arrays or one row, without building a DataFrame of features.

The fitted scikit-learn Pipeline stays the model. This reads its public fitted attributes, and
gives the same matrix as its `transform`, to the last bit, in a fraction of the time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from sklearn.compose import ColumnTransformer
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import OneHotEncoder

# Imported in functions: scikit-learn, since loading the model has imported it already.


class FastPath:
    """Predicts with a Pipeline of features, encoder and estimator.

    The features need a method `columns`, from a table's columns to columns of features (texts as
    `Coded`, numbers as arrays), and from the values of one row to values. The encoder is a
    ColumnTransformer as `build_preprocessor` makes it.

    Parameters
    ----------
    model : the fitted Pipeline

    Raises
    ------
    TypeError
        The Pipeline has other steps.
    """

    def __init__(self, model: Pipeline) -> None:
        if len(model.steps) != 3 or not callable(getattr(model[0], "columns", None)):
            raise TypeError("expected features with a method `columns`, an encoder, an estimator")
        self.features, self.estimator = model[0], model[2]
        self.encoder = FittedEncoder(model[1])

    def probabilities(self, X: pd.DataFrame | Mapping[str, Sequence[Any]]) -> np.ndarray:
        """Return the probability of class 1 of each row, (n,)."""
        matrix = self.encoder.table(self.features.columns(X))
        return self.estimator.predict_proba(matrix)[:, 1]

    def probability(self, row: Mapping[str, Any]) -> float:
        """Return the probability of class 1 of one row with all columns."""
        matrix = self.encoder.row(self.features.columns(row))[None]
        return float(self.estimator.predict_proba(matrix)[0, 1])


class FittedEncoder:
    """Encodes features as a fitted ColumnTransformer does.

    Parameters
    ----------
    encoder : its parts are a OneHotEncoder for texts, and a StandardScaler or a scaler with
        `center_`, `scale_` and `limit` for numbers, alone or after a SimpleImputer

    Raises
    ------
    TypeError
        It has another part, or one with other parameters.
    """

    def __init__(self, encoder: ColumnTransformer) -> None:
        from sklearn.preprocessing import OneHotEncoder

        self.places: dict[str, dict[Any, int]] = {}  # of texts: the column of each category
        self.others: dict[str, int] = {}  # the column of other categories, -1 for none
        self.numbers: list[str] = []
        self.columns = np.zeros(0, dtype="int64")  # of the numbers
        self.fill = self.mean = self.scale = self.limit = np.zeros(0)
        self.width = max(part.stop for part in encoder.output_indices_.values())
        for name, part, features in encoder.transformers_:
            first = encoder.output_indices_[name].start
            if not len(features):
                continue  # a table without numbers, or without categories
            if isinstance(part, OneHotEncoder):
                self._read_categories(part, list(features), first)
            elif part != "drop":
                self._read_numbers(part, list(features), first)

    def row(self, features: Mapping[str, Any]) -> np.ndarray:
        """Return the encoded features of one row, (columns,)."""
        encoded = np.zeros(self.width)
        for name, places in self.places.items():
            place = places.get(features[name], self.others[name])
            if place >= 0:
                encoded[place] = 1.0
        numbers = np.array([features[name] for name in self.numbers], dtype="float64")
        encoded[self.columns] = self._scaled(numbers)
        return encoded

    def table(self, features: Mapping[str, Any]) -> np.ndarray:
        """Return the encoded features of many rows, (n, columns)."""
        rows = np.arange(len(next(iter(features.values()))))
        encoded = np.zeros((len(rows), self.width))
        for name, places in self.places.items():
            column, other = features[name], self.others[name]
            found = np.array([places.get(value, other) for value in column.values], dtype="int64")
            found = found[column.codes]
            known = found >= 0
            encoded[rows[known], found[known]] = 1.0
        if self.numbers:
            numbers = np.column_stack([features[name] for name in self.numbers])
            encoded[:, self.columns] = self._scaled(numbers)
        return encoded

    def _scaled(self, numbers: np.ndarray) -> np.ndarray:
        z = (np.where(np.isnan(numbers), self.fill, numbers) - self.mean) / self.scale
        return z / np.sqrt(1 + (z / self.limit) ** 2) if self.squashes else z

    @property
    def squashes(self) -> bool:
        """Whether numbers are squashed; limits are infinite if not."""
        return bool(np.isfinite(self.limit).any())

    def _read_categories(self, part: OneHotEncoder, features: list[str], first: int) -> None:
        if part.drop_idx_ is not None or part.sparse_output or part.handle_unknown == "error":
            raise TypeError(f"expected an encoder that ignores unknown categories, found {part}")
        rare = getattr(part, "infrequent_categories_", [None] * len(features))
        for name, categories, infrequent in zip(features, part.categories_, rare, strict=True):
            grouped = set() if infrequent is None else set(infrequent.tolist())
            frequent = [word for word in categories.tolist() if word not in grouped]
            self.places[name] = {word: first + place for place, word in enumerate(frequent)}
            first += len(frequent)
            self.others[name] = first if grouped else -1
            first += bool(grouped)

    def _read_numbers(self, part: Any, features: list[str], first: int) -> None:
        from sklearn.impute import SimpleImputer
        from sklearn.preprocessing import StandardScaler

        *before, scaler = getattr(part, "named_steps", {"": part}).values()
        fill, imputed = np.full(len(features), np.nan), not before
        if len(before) == 1 and isinstance(before[0], SimpleImputer):
            fill, imputed = before[0].statistics_, not before[0].add_indicator
        squashes = hasattr(scaler, "limit") and hasattr(scaler, "center_")
        standard = isinstance(scaler, StandardScaler) and scaler.with_mean and scaler.with_std
        scaled = standard or squashes
        if not (imputed and scaled and len(scaler.scale_) == len(features)):
            raise TypeError(f"expected a SimpleImputer and a StandardScaler, found {part}")
        self.numbers += features
        self.columns = np.append(self.columns, first + np.arange(len(features)))
        self.fill = np.append(self.fill, fill)
        self.mean = np.append(self.mean, scaler.center_ if squashes else scaler.mean_)
        limit = np.full(len(features), scaler.limit if squashes else np.inf)
        self.limit = np.append(self.limit, limit)
        self.scale = np.append(self.scale, scaler.scale_)
