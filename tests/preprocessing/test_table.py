import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline

from titanic_ml.prediction.fast_path import FastPath
from titanic_ml.preprocessing.encoder import build_preprocessor
from titanic_ml.preprocessing.table import TableFeatures, group_by

SPEC = {
    "age": {"kind": "number"},
    "visits": {"kind": "integer"},
    "home": {"kind": "category"},
    "paid": {"kind": "bool"},
    "since": {"kind": "date"},
    "note": {"kind": "text"},
    "y": {"kind": "integer", "allowed": [0, 1]},
}
VALUES = {
    "age": st.none() | st.floats(-1e6, 1e6),
    "visits": st.none() | st.integers(0, 9),
    "home": st.sampled_from([None, "own", "rent", "rare", "never seen"]),
    "paid": st.sampled_from([None, "true", "false"]),
    "since": st.none() | st.integers(-40_000, 40_000).map(float),
    "note": st.sampled_from([None, "x"]),
}


def table(rows=200, seed=0):
    random = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "age": random.normal(40, 10, rows),
            "visits": random.integers(0, 5, rows),
            "home": random.choice(["own", "rent"], rows),
            "paid": random.choice(["true", "false"], rows),
            "since": random.integers(19_000, 20_000, rows).astype("float64"),
            "note": "free text",
        }
    )
    frame.loc[::7, "age"] = np.nan
    frame.loc[:4, "home"] = "rare"
    frame.loc[5:7, "since"] = np.nan
    return frame.astype({"home": "str", "paid": "str", "note": "str"})


@pytest.fixture(scope="module")
def model():
    X = table()
    y = (X["visits"] + (X["home"] == "own") > 2).astype("int64")
    steps = build_preprocessor(TableFeatures(SPEC, gaps=["age"])).fit(X, y).steps
    matrix = Pipeline(steps).transform(X)
    return Pipeline([*steps, ("estimator", LogisticRegression().fit(matrix, y))])


def test_features_are_named_by_the_specification():
    X = table()
    features = TableFeatures(SPEC, gaps=["age"]).fit(X)
    names = ["age", "age missing", "visits", "since"]
    names += ["since year", "since month", "since weekday", "home", "paid"]
    assert list(features.transform(X)) == names == features.get_feature_names_out().tolist()
    complete = table().assign(age=1.0, home="own")
    assert list(TableFeatures(SPEC, gaps=["age"]).fit_transform(complete)) == names


def test_rare_and_unseen_words_are_other_and_missing_ones_unknown():
    X = table()
    features = TableFeatures(SPEC).fit(X)
    row = X.head(1).assign(home="never seen")
    assert features.transform(row)["home"].tolist() == ["other"]
    assert features.transform(X)["home"].tolist()[:5] == ["other"] * 5
    assert features.transform(row.assign(home=None))["home"].tolist() == ["unknown"]
    words = [f"w{number % 50}" for number in range(1000)]
    many = TableFeatures(SPEC, max_words=20).fit(pd.DataFrame({"home": words}))
    assert len(many.words_["home"]) == 20


def test_a_date_has_a_year_a_month_and_a_weekday():
    X = table().assign(since=19_782.0)  # 2024-02-29, a Thursday
    X.loc[0, "since"] = np.nan
    found = TableFeatures(SPEC).fit_transform(X)[["since", "since year", "since month"]]
    assert found.loc[1].tolist() == [19_782.0, 2024.0, "Feb"]
    assert found.loc[0].tolist() == [19_782.0, 2024.0, "unknown"]
    assert TableFeatures(SPEC).fit_transform(X)["since weekday"].tolist()[:2] == ["unknown", "Thu"]


def test_a_column_of_gaps_only_is_constant():
    X = table().assign(age=np.nan, home=None)
    found = TableFeatures(SPEC, gaps=["age"]).fit_transform(X)
    assert found["age"].eq(0.0).all() and found["age missing"].eq(1.0).all()
    assert set(found["home"]) == {"unknown"}


@given(st.fixed_dictionaries(VALUES))
def test_a_row_has_the_features_and_probability_that_it_has_in_a_table(model, row):
    types = {"age": "float64", "visits": "float64", "since": "float64"}
    frame = pd.DataFrame([row, row])[list(VALUES)].astype(
        types | dict.fromkeys(["home", "paid", "note"], "str")
    )
    made = model[0].transform(frame).iloc[0].to_dict()
    assert made == model[0].columns(row)
    fast = FastPath(model)
    expected = model.predict_proba(frame)[0, 1]
    assert fast.probability(row) == pytest.approx(expected, abs=1e-12)
    assert fast.probabilities(frame)[0] == pytest.approx(expected, abs=1e-12)
    assert (fast.encoder.table(model[0].columns(frame)) == model[:-1].transform(frame)).all()


def test_groups_are_rows_with_the_same_value():
    X = pd.DataFrame({"customer": ["a", "b", "a", None, None]})
    found = group_by(X, "customer")
    assert found[0] == found[2] and len(set(found.tolist())) == 4
