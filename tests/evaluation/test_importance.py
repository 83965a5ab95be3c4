"""Importance and dependence: nothing of what is ignored, something of what is used."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from titanic_ml.evaluation.importance import (
    feature_groups,
    importance,
    importance_of_fold,
    items,
)


def test_features_that_agree_are_one_group(X):
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
    found = {tuple(item.features): item.loss for item in importance([fold], groups)}
    for name in ("ignored", "other"):
        loss = found[name,]
        assert [loss.value, loss.low, loss.high] == pytest.approx([0.0, 0.0, 0.0], abs=1e-15)
    assert found["used",].low > 0 and found["twin",].low > 0
    both = found["used", "twin"]
    assert both.low > found["used",].high  # alone, each hides behind the other
    assert all(loss.low <= loss.value <= loss.high for loss in found.values())


def test_importance_comes_largest_first_and_the_same_each_time(model, X, y):
    groups = feature_groups(X)
    folds = [
        importance_of_fold(model, X.iloc[s], y.iloc[s], groups) for s in (range(150), range(9))
    ]
    found = importance(folds, groups)
    values = [item.loss.value for item in found]
    assert values == sorted(values, reverse=True)
    again = [
        importance_of_fold(model, X.iloc[s], y.iloc[s], groups) for s in (range(150), range(9))
    ]
    assert found == importance(again, groups)
    assert found != importance(folds, groups, seed=1)


def test_missing_values_do_not_hide_that_features_are_alike():
    """The correlation is that of the rows with both values; ranks of 0 would hide it."""
    random = np.random.default_rng(0)
    a = random.normal(size=400)
    frame = pd.DataFrame(
        {"a": a, "b": a + random.normal(0, 0.3, 400), "c": random.normal(size=400)}
    )
    frame.loc[random.random(400) < 0.5, "b"] = np.nan
    assert feature_groups(frame) == [["a", "b"], ["c"]]


def test_features_without_effect_are_seldom_called_clear():
    """Twelve at once; without a correction half of such tables would name one."""
    random = np.random.default_rng(0)
    groups = [[str(number)] for number in range(12)]
    found = [importance([random.normal(0, 0.1, (300, 12))], groups) for _ in range(60)]
    assert np.mean([min(item.p for item in items) < 0.05 for items in found]) < 0.15
    strong = importance([random.normal([0.1] + [0.0] * 11, 0.1, (300, 12))], groups)
    assert strong[0].features == ["0"] and strong[0].p < 1e-6
