"""Predictions of a table."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from sklearn.base import clone

from titanic_ml import TitanicPipeline
from titanic_ml.dataset.dataset import Dataset
from titanic_ml.errors import (
    SettingsError,
)

ROOT = Path(__file__).parents[2]
TRAIN, TEST = (ROOT / "data" / f"{name}.csv" for name in ("train", "test"))


@pytest.mark.parametrize("probability", [False, True])
def test_the_answer_is_in_the_order_of_the_input(pipeline, passengers, probability):
    shuffled = passengers.drop(columns="Survived").sample(frac=1, random_state=1)
    before = shuffled.copy()
    answer = pipeline.predict(shuffled, probability=probability)
    pd.testing.assert_frame_equal(shuffled, before)
    assert list(answer["PassengerId"]) == list(shuffled["PassengerId"])
    assert list(answer) == ["PassengerId", "Survived"] + ["probability"] * probability
    inorder = pipeline.predict(passengers, probability=probability).set_index("PassengerId")
    pd.testing.assert_frame_equal(answer.set_index("PassengerId").sort_index(), inorder)


@pytest.mark.parametrize("target", [0, 1, None, "nonsense", -7])
def test_the_target_in_the_table_to_predict_is_not_looked_at(pipeline, passengers, target):
    expected = pipeline.predict(passengers.drop(columns="Survived"), probability=True)
    answer = pipeline.predict(passengers.assign(Survived=target), probability=True)
    pd.testing.assert_frame_equal(answer, expected)


def test_a_probability_is_a_class_by_the_threshold_of_the_version(pipeline):
    answer = pipeline.predict(str(TEST), probability=True)
    threshold = pipeline.store.open("champion").threshold
    assert answer["probability"].between(0, 1).all()
    assert (answer["Survived"] == (answer["probability"] >= threshold)).all()


def test_predictions_of_training_rows_ignore_their_own_outcome(pipeline, passengers):
    """Train twice, with one outcome flipped: only the estimator knows, the features do not."""
    version = pipeline.store.open("champion")
    flipped = passengers.assign(Survived=passengers["Survived"].where(passengers.index != 257, 0))
    assert flipped["Survived"][257] != passengers["Survived"][257]
    features = []
    for table in (passengers, flipped):
        dataset = Dataset.from_frame(table, version.spec, "a table")
        fitted = clone(version.model[0]).fit(dataset.X, dataset.y)
        features.append(fitted.transform(dataset.X.iloc[[257]]))
    pd.testing.assert_frame_equal(*features, check_exact=True)


def test_predictions_without_a_place_are_reported(quick):
    with pytest.raises(SettingsError, match="no output: name one .--output., or set predictions"):
        TitanicPipeline(*quick, "predictions.uri=null").predict_into(data="a.csv")
    with pytest.raises(SettingsError, match="no input: name a table, or set predictions.input"):
        TitanicPipeline(*quick, "predictions.input=null").predict_into("a.csv")
