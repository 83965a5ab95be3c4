"""Importance and dependence: nothing of what is ignored, something of what is used."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from titanic_ml.evaluation.importance import (
    feature_groups,
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
