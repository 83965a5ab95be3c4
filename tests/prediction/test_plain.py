"""Plain columns get what the Pipeline's own tables get."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, PolynomialFeatures, StandardScaler

from titanic_ml.errors import ModelError
from titanic_ml.prediction import plain
from titanic_ml.prediction.plain import LearnedEncoder, PlainModel, plain_model
from titanic_ml.preprocessing.coded import Coded
from titanic_ml.preprocessing.titanic import TitanicFeatures

FEATURES = pd.DataFrame(
    {"word": list("abca"), "x": [1.0, 2.0, 4.0, 3.0], "z": [0.0, 1.0, 0.0, 5.0]}
)
ASKED = pd.DataFrame({"word": ["c", "never seen"], "x": [7.5, -2.0], "z": [0.1, 3.0]})


class Lists(TitanicFeatures):
    """Features whose plain columns are not as they should be."""

    def columns(self, X):
        found = super().columns(X)
        return {
            name: list(column) if isinstance(column, Coded) else column
            for name, column in found.items()
        }


class Wrong(TitanicFeatures):
    """Features whose plain columns are other than their tables."""

    def transform(self, X):
        return super().transform(X).assign(age=30.0)


def encoder(*numbers: object) -> ColumnTransformer:
    parts = [("words", OneHotEncoder(handle_unknown="ignore", sparse_output=False), ["word"])]
    return ColumnTransformer([*parts, *(("n", n, ["x", "z"]) for n in numbers)]).fit(FEATURES)


def test_an_encoder_is_learned_by_asking_also_of_a_text_that_it_has_not_seen():
    fitted = encoder(StandardScaler())
    learned = LearnedEncoder(fitted, FEATURES)
    found = [learned.row(row) for row in ASKED.to_dict("records")]
    assert np.array_equal(found, fitted.transform(ASKED))
    assert set(learned.added["word"]) == {"a", "b", "c", "never seen"}


@pytest.mark.parametrize("asked", [ASKED, FEATURES, ASKED.head(1), ASKED.head(0)])
def test_it_encodes_tables(asked):
    fitted = encoder(StandardScaler())
    columns = {name: asked[name].to_numpy() for name in ("x", "z")}
    found = LearnedEncoder(fitted, FEATURES).table(columns | {"word": Coded.of(asked["word"])})
    expected = fitted.transform(asked) if len(asked) else np.zeros((0, 5))
    assert np.array_equal(found, expected)


@pytest.mark.parametrize("largest", [1 << 62, 7])
def test_distinct_rows_are_numbered_also_where_codes_make_a_large_number(monkeypatch, largest):
    monkeypatch.setattr(plain, "LARGEST", largest)
    words = np.random.default_rng(0).choice(list("abc"), (200, 4))
    codes, first = plain._distinct([Coded.of(column) for column in words.T], len(words))
    assert np.array_equal(words[first][codes], words)
    assert len(first) == len(np.unique(words, axis=0)) and (codes[first] == range(len(first))).all()


def test_a_number_has_its_column_also_where_no_feature_is_a_word():
    numbers = FEATURES[["x", "z"]]
    fitted = ColumnTransformer([("n", StandardScaler(), ["x", "z"])]).fit(numbers)
    found = LearnedEncoder(fitted, numbers).table({n: numbers[n].to_numpy() for n in numbers})
    assert np.array_equal(found, fitted.transform(numbers))


def test_an_encoder_of_another_kind_is_refused():
    with pytest.raises(ModelError, match="isn't made of one-hot columns and scaled numbers"):
        LearnedEncoder(encoder(make_pipeline(StandardScaler(), PolynomialFeatures(2))), FEATURES)
    with pytest.raises(ModelError, match="scales no numbers"):
        LearnedEncoder(encoder(), FEATURES)


def test_a_large_table_gets_the_probabilities_of_the_pipeline(fitted, dataset):
    X = pd.concat([dataset.X.sample(4_000, replace=True, random_state=n) for n in range(2)])
    found = PlainModel(fitted, fitted[0].transform(dataset.X.head(50)))
    assert np.allclose(found.probabilities(X), fitted.predict_proba(X)[:, 1], rtol=0, atol=1e-12)


def changed(fitted, features):
    return type(fitted)([("features", features), *fitted.steps[1:]])


def test_a_model_of_another_kind_is_none(fitted, dataset):
    rows = dataset.X.head(100)
    known = fitted[0].transform(rows)
    assert plain_model(fitted, known, rows)
    assert plain_model(fitted[1:], known) is None
    for kind in (Lists, Wrong):
        other = changed(fitted, kind().fit(dataset.X, dataset.y))
        assert plain_model(other, known, rows) is None
