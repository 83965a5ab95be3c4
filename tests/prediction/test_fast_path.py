"""The fast path gives what the Pipeline gives."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, StandardScaler

from titanic_ml.prediction.fast_path import FastPath, FittedEncoder
from titanic_ml.preprocessing.coded import Coded

FEATURES = pd.DataFrame(
    {
        "word": [*"abca" * 5, "rare"],
        "other": [*"xyxy" * 5, "x"],
        "x": np.append(np.arange(20.0), np.nan),
        "z": np.linspace(-1, 3, 21) ** 3,
    }
)
ONE_HOT = {"handle_unknown": "infrequent_if_exist", "sparse_output": False}
WORDS = OneHotEncoder(min_frequency=5, **ONE_HOT), ["word", "other"]
NUMBERS = make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), ["x", "z"]
ENCODERS = {
    "numbers first": [("n", *NUMBERS), ("w", *WORDS)],
    "words first": [("w", *WORDS), ("n", *NUMBERS)],
    "no rare category": [("w", OneHotEncoder(**ONE_HOT), ["word"]), ("n", *NUMBERS)],
    "unknown ignored": [
        ("w", OneHotEncoder(handle_unknown="ignore", sparse_output=False), ["word"])
    ],
    "scaler alone": [("n", StandardScaler(), ["z"]), ("d", "drop", ["x"])],
    "two parts of numbers": [("a", StandardScaler(), ["z"]), ("w", *WORDS), ("b", *NUMBERS)],
}
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "word": st.sampled_from(["a", "b", "rare", "never seen"]),
            "other": st.sampled_from(["x", "y", ""]),
            "x": st.floats(-1e6, 1e6) | st.just(np.nan),
            "z": st.floats(-1e6, 1e6),
        }
    ),
    min_size=1,
    max_size=6,
)


FITTED = {name: ColumnTransformer(parts).fit(FEATURES) for name, parts in ENCODERS.items()}


@pytest.mark.parametrize("name", ENCODERS)
@given(rows=ROWS)
def test_an_encoder_gives_the_matrix_of_the_transformer(name, rows):
    fitted, frame = FITTED[name], pd.DataFrame(rows)
    encoder = FittedEncoder(fitted)
    columns = {n: Coded.of(frame[n]) for n in ("word", "other")}
    found = encoder.table(columns | {n: frame[n].to_numpy() for n in ("x", "z")})
    expected = fitted.transform(frame)
    assert np.array_equal(found, expected)
    assert np.array_equal([encoder.row(row) for row in rows], expected)


@pytest.mark.parametrize(
    "parts",
    [
        [("n", make_pipeline(StandardScaler(), StandardScaler()), ["x"])],
        [("n", MinMaxScaler(), ["x"])],
        [("n", StandardScaler(with_mean=False, with_std=False), ["x"])],
        [("n", make_pipeline(SimpleImputer(add_indicator=True), StandardScaler()), ["x"])],
        [("w", OneHotEncoder(drop="first", **ONE_HOT), ["word"])],
        [("w", OneHotEncoder(sparse_output=False), ["word"])],
        [("w", OneHotEncoder(handle_unknown="ignore"), ["word"])],
        [("p", "passthrough", ["x"])],
    ],
    ids=str,
)
def test_an_encoder_of_other_parts_is_refused(parts):
    with pytest.raises(TypeError, match="expected"):
        FittedEncoder(ColumnTransformer(parts).fit(FEATURES))


def test_a_table_and_its_rows_get_the_probabilities_of_the_pipeline(fitted, dataset):
    path, expected = FastPath(fitted), fitted.predict_proba(dataset.X)[:, 1]
    assert np.allclose(path.probabilities(dataset.X), expected, rtol=0, atol=1e-12)
    frame = dataset.X.astype("object")
    rows = frame.where(frame.notna(), None).to_dict("records")[::20]
    found = [path.probability(row) for row in rows]
    assert np.allclose(found, expected[::20], rtol=0, atol=1e-12)


def test_a_pipeline_of_other_steps_is_refused(fitted):
    with pytest.raises(TypeError, match="method `columns`"):
        FastPath(fitted[1:])
