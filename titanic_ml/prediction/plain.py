"""A fitted model on plain columns: many rows or one, without scikit-learn's tables in between."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from titanic_ml.errors import ModelError

if TYPE_CHECKING:
    from sklearn.compose import ColumnTransformer
    from sklearn.pipeline import Pipeline

KEPT = 1_000  # texts of a feature, and texts of a row, whose columns are remembered
LARGEST = 1 << 62  # number that several codes make together


def plain_model(
    model: Pipeline, known: pd.DataFrame, rows: pd.DataFrame | None = None
) -> PlainModel | None:
    """A model on plain columns; None if it is of another kind.

    Parameters
    ----------
    model, known
        As of the class.
    rows
        Some rows of a table, on which it must agree with the model.
    """
    if len(model.steps) != 3 or not callable(getattr(model[0], "columns", None)):
        return None
    try:
        made = PlainModel(model, known)
        if rows is None or np.allclose(made.probabilities(rows), model.predict_proba(rows)[:, 1]):
            return made
    except (ModelError, AttributeError, KeyError, TypeError, ValueError):  # as others' steps raise
        pass
    return None


class PlainModel:
    """The probabilities of a fitted model, to the last bit, of plain columns.

    Features, encoder and estimator are the steps of its Pipeline. The features have a method
    `columns`, from a table's columns to columns of features: texts as distinct `values` and the
    `codes` of the rows, numbers as an array; and from a row's values to values. The encoder is
    learned by asking it.

    Parameters
    ----------
    model
        The fitted Pipeline.
    known
        Features of some rows, from which the encoder is learned.

    Raises
    ------
    ModelError
        The encoder is of another kind.
    """

    def __init__(self, model: Pipeline, known: pd.DataFrame) -> None:
        self.features, encoder, self.estimator = (step for _, step in model.steps)
        self.encoder = LearnedEncoder(encoder, known)

    def probabilities(self, X: pd.DataFrame) -> np.ndarray:
        """Probability of class 1 for each row, (n,)."""
        matrix = self.encoder.table(self.features.columns(X))
        return self.estimator.predict_proba(matrix)[:, 1]

    def probability_of(self, row: Mapping[str, Any]) -> float:
        """The same of one row with all columns."""
        matrix = self.encoder.row(self.features.columns(row))[None]
        return float(self.estimator.predict_proba(matrix)[0, 1])

    def probabilities_of(self, rows: Sequence[Mapping[str, Any]]) -> list[float]:
        """The same of few rows, by one question to the estimator."""
        if len(rows) < 2:
            return [self.probability_of(row) for row in rows]
        found = self.features.columns({name: [row[name] for row in rows] for name in rows[0]})
        return self.estimator.predict_proba(self.encoder.table(found))[:, 1].tolist()


class LearnedEncoder:
    """What a fitted encoder makes of features, learned by asking it.

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
        self.added: dict[str, dict[str, np.ndarray]] = {name: {} for name in self.words}
        self.rows: dict[tuple[str, ...], np.ndarray] = {}  # of texts that came together
        words = {name: known[name].unique().tolist() for name in self.words}
        changes: list[dict[str, Any]] = [{}]
        changes += [{name: self.example[name].iloc[0] + 1.0} for name in self.numbers]
        changes += [{name: word} for name in self.words for word in words[name]]
        made = self._ask(changes, known)  # in one question: asking takes longer than answering
        (self.base,), moved, *added, expected = np.split(
            made, np.cumsum([1, len(self.numbers), *map(len, words.values())])
        )
        self.places = (moved != self.base).argmax(axis=1)
        for name, columns in zip(self.words, added):
            self._keep(name, words[name], columns - self.base)
        if not np.array_equal([self.row(row) for row in known.to_dict("records")], expected):
            raise ModelError("the encoder isn't made of one-hot columns and scaled numbers")

    def row(self, features: Mapping[str, Any]) -> np.ndarray:
        """The columns of the features of one row, (columns,)."""
        words = tuple(map(features.__getitem__, self.words))
        found = self.rows.get(words)
        found = self._of_words(words) if found is None else found.copy()
        numbers = np.array(list(map(features.__getitem__, self.numbers)), dtype="float64")
        found[self.places] = (numbers - self.mean) / self.scale
        return found

    def _of_words(self, words: tuple[str, ...]) -> np.ndarray:
        """The columns of an example row with these texts."""
        found = self.base.copy()
        for name, word in zip(self.words, words):
            added = self.added[name].get(word)
            found += self._learn(name, [word])[0] if added is None else added
        if len(self.rows) < KEPT:
            self.rows[words] = found.copy()
        return found

    def table(self, features: Mapping[str, Any]) -> np.ndarray:
        """The columns of the features of many rows, (n, columns): `row` of each."""
        words = [features[name] for name in self.words]
        codes, first = _distinct(words, len(features[self.numbers[0]]))
        found = np.repeat(self.base[None, :], len(first), axis=0)
        for name, column in zip(self.words, words):
            known = self.added[name]
            if any(value not in known for value in column.values):
                added = self._learn(name, column.values)
            else:
                added = np.array([known[value] for value in column.values])
            found += added.reshape(len(added), len(self.base))[column.codes[first]]
        found = found.take(codes, axis=0)
        for place, name, mean, scale in zip(self.places, self.numbers, self.mean, self.scale):
            found[:, place] = (features[name] - mean) / scale
        return found

    def _learn(self, name: str, words: Sequence[str]) -> np.ndarray:
        """What each of some texts adds, (texts, columns)."""
        added = self._ask([{name: word} for word in words]) - self.base
        self._keep(name, words, added)
        return added

    def _keep(self, name: str, words: Sequence[str], added: np.ndarray) -> None:
        room = KEPT - len(self.added[name])
        self.added[name] |= dict(list(zip(words, added))[:room])

    def _ask(self, changes: list[dict[str, Any]], rows: pd.DataFrame | None = None) -> np.ndarray:
        """What the encoder makes of the example with each of some changes, and of some rows.

        (changes + rows, columns).
        """
        example = self.example.iloc[0].to_dict()
        asked = pd.DataFrame([example | change for change in changes])
        asked = pd.concat([asked.astype(self.example.dtypes), rows], ignore_index=True)
        return np.asarray(self.encoder.transform(asked), dtype="float64")


def _distinct(columns: Sequence[Any], rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Number the distinct rows of coded columns: the number of each row, and where each first is.

    The second is of the rows that have those numbers.
    """
    mixed, size = np.zeros(rows, dtype="int64"), 1
    for column in columns:
        if size * len(column.values) > LARGEST:
            mixed, distinct = pd.factorize(mixed)
            size = len(distinct)
        mixed = mixed * len(column.values) + column.codes
        size *= len(column.values)
    codes, distinct = pd.factorize(mixed)
    first = np.zeros(len(distinct), dtype="int64")
    first[codes[::-1]] = np.arange(rows)[::-1]
    return codes, first


def _scaling(encoder: ColumnTransformer) -> tuple[list[str], np.ndarray, np.ndarray]:
    """The numbers of an encoder, with their means and scales. Raises `ModelError` without any."""
    for _, part, names in encoder.transformers_:
        for step in getattr(part, "named_steps", {"": part}).values():
            if hasattr(step, "mean_") and hasattr(step, "scale_"):
                return list(names), step.mean_, step.scale_
    raise ModelError("the encoder scales no numbers")
