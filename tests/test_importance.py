"""Importance and dependence: nothing of what is ignored, something of what is used."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from titanic_ml.importance import (
    MISSING,
    dependence,
    dependence_of_fold,
    feature_groups,
    grids,
    importance,
    importance_of_fold,
    items,
    split_features,
)


@pytest.fixture(scope="module")
def X() -> pd.DataFrame:
    random = np.random.default_rng(0)
    frame = pd.DataFrame(random.normal(size=(300, 3)), columns=["used", "ignored", "other"])
    return frame.assign(twin=frame["used"] + random.normal(scale=0.1, size=300))


@pytest.fixture(scope="module")
def y(X) -> pd.Series:
    return (X["used"] > 0).astype("int64")


@pytest.fixture(scope="module")
def model(X, y):
    model = make_pipeline(LogisticRegression()).fit(X, y)
    model[-1].coef_ = np.array([[2.0, 0.0, 0.0, 2.0]])
    return model


def test_features_that_tell_the_same_are_one_group(X):
    assert feature_groups(X) == [["used", "twin"], ["ignored"], ["other"]]
    colours = X.assign(colour=np.where(X["used"] > 0, "red", "blue"), constant=1.0)
    assert ["used", "twin", "colour"] in feature_groups(colours)
    assert ["constant"] in feature_groups(colours)
    assert feature_groups(X[["used"]]) == [["used"]]
    assert feature_groups(pd.DataFrame({"a": [1.0] * 4, "b": [2.0] * 4})) == [["a"], ["b"]]


def test_features_alone_and_groups_together_are_permuted():
    assert items([["a", "b"], ["c"]]) == [["a"], ["b"], ["c"], ["a", "b"]]


def test_ignored_features_cost_nothing_and_used_ones_something(model, X, y):
    groups = feature_groups(X)
    fold = importance_of_fold(model, X, y, groups)
    assert fold.shape == (300, 5)
    found = {tuple(item["features"]): item["loss"] for item in importance([fold], groups)}
    assert found["ignored",] == pytest.approx([0.0, 0.0, 0.0], abs=1e-15)
    assert found["other",] == pytest.approx([0.0, 0.0, 0.0], abs=1e-15)
    assert found["used",][1] > 0 and found["twin",][1] > 0
    both = found["used", "twin"]
    assert both[1] > found["used",][2]  # alone, each hides behind the other
    assert all(low <= value <= high for value, low, high in found.values())


def test_importance_comes_largest_first_and_the_same_each_time(model, X, y):
    groups = feature_groups(X)
    folds = [
        importance_of_fold(model, X.iloc[s], y.iloc[s], groups) for s in (range(150), range(9))
    ]
    found = importance(folds, groups)
    values = [item["loss"][0] for item in found]
    assert values == sorted(values, reverse=True)
    again = [
        importance_of_fold(model, X.iloc[s], y.iloc[s], groups) for s in (range(150), range(9))
    ]
    assert found == importance(again, groups)
    assert found != importance(folds, groups, seed=1)


def test_the_model_is_taken_apart_behind_its_features(fitted, dataset):
    features, rest = split_features(fitted, dataset.X)
    assert list(features)[:3] == ["sex", "pclass", "embarked"]
    expected = fitted.predict_proba(dataset.X)
    np.testing.assert_array_equal(rest.predict_proba(features), expected)


def test_grids_hold_quantiles_few_values_commonest_and_the_missing():
    frame = pd.DataFrame(
        {
            "number": [*range(99), None],
            "few": [3, 1, 2, 1] * 25,
            "category": (["a"] * 60 + ["b"] * 40),
            "text": ["words"] * 100,
            "empty": [None] * 100,
        }
    )
    kinds = {"number": "number", "few": "integer", "category": "category", "text": "text"}
    found = grids(frame, kinds | {"empty": "number", "absent": "number"})
    assert set(found) == {"number", "few", "category"}
    assert len(found["number"]) == 13 and found["number"][-1] is None
    assert found["number"][:-1] == sorted(found["number"][:-1])
    assert found["few"] == [1, 2, 3] and found["category"] == ["a", "b"]
    many = pd.DataFrame({"category": [f"{i:02}" for i in range(30) for _ in range(i)]})
    commonest = [f"{i:02}" for i in range(18, 30)]
    assert grids(many, {"category": "category"}) == {"category": commonest}


def test_dependence_follows_the_model(model, X):
    kinds = dict.fromkeys(X, "number")
    values = grids(X, kinds)
    fold = dependence_of_fold(model, X, values, 40)
    assert fold["used"].shape == (40, 12)
    found = {d["column"]: d["points"] for d in dependence([fold, fold], values, kinds)}
    rising = [point["probability"] for point in found["used"]]
    assert rising == sorted(rising) and rising[-1] > rising[0] + 0.3
    assert len({round(point["probability"], 12) for point in found["ignored"]}) == 1
    assert all(p["low"] <= p["probability"] <= p["high"] for p in found["used"])


def test_a_missing_value_is_tried_where_the_column_has_any(fitted, dataset):
    kinds = {"Age": "number", "Fare": "number", "Sex": "category", "Pclass": "integer"}
    values = grids(dataset.X, kinds)
    fold = dependence_of_fold(fitted, dataset.X, values, 30)
    found = {d["column"]: d["points"] for d in dependence([fold], values, kinds)}
    assert found["Age"][-1]["value"] == MISSING and found["Fare"][-1]["value"] != MISSING
    female, male = found["Sex"]
    assert (female["value"], male["value"]) == ("female", "male")
    assert female["probability"] > male["probability"] + 0.1
    first, *_, third = found["Pclass"]
    assert first["probability"] > third["probability"]
