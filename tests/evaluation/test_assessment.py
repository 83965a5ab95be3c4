import json

import numpy as np
import pytest
from sklearn.pipeline import Pipeline

from titanic_ml import TitanicPipeline
from titanic_ml.errors import SettingsError
from titanic_ml.evaluation.assessment import BACKGROUND, features_as_trained

ONLY = ("estimator=[majority,one_column,logistic_regression]",)


def train(tmp_path, quick, *words):
    return TitanicPipeline(f"store.uri={tmp_path / 'models'}", *quick, *words).train()


def test_all_is_measured(trained, quick):
    pipeline = TitanicPipeline(f"store.uri={trained}", *quick)
    facts = json.loads(pipeline.store.read("latest", "evaluation.json"))
    own, strangers = (facts[key]["estimates"] for key in ("evaluation", "strangers"))
    assert strangers["log_loss"][0] > own["log_loss"][0]  # a party's fate is hidden from them
    assert {s["slice"] for s in facts["evaluation"]["slices"]} == {
        *("sex", "class", "age", "port", "company"),
    }
    for name in ("sex", "class", "port", "company", "age"):
        rows = [s["rows"] for s in facts["evaluation"]["slices"] if s["slice"] == name]
        assert sum(rows) == 891
    assert [b["label"] for b in facts["evaluation"]["baselines"]] == ["majority class", "Sex alone"]
    columns = [column["column"] for column in facts["dependence"]]
    assert columns == ["Pclass", "Sex", "Age", "SibSp", "Parch", "Fare", "Embarked"]
    assert sorted(sum(facts["groups"], [])) == sorted(
        {name for item in facts["importance"] for name in item["features"]}
    )
    assert len(facts["learning_curve"]) == 5


def test_a_dataset_without_groups_and_slices_does_without(tmp_path, quick):
    training = train(tmp_path, quick, "dataset.groups=null", "dataset.slices=null")
    assert training.assessment.strangers is None
    assert training.evaluation.slices == [] and training.evaluation.worst is None
    assert "strangers" not in repr(training)


def test_a_wrong_slice_is_the_setting_at_fault_and_nothing_is_written(tmp_path, quick):
    with pytest.raises(SettingsError, match="dataset.slices.sex: no column Gender"):
        train(tmp_path, quick, "dataset.slices.sex=Gender")
    assert not (tmp_path / "models").exists()


def test_features_are_as_they_were_in_the_training(fitted, dataset):
    features = features_as_trained(fitted, dataset.X, dataset.y)
    assert not np.allclose(
        features["ticket_women"],
        fitted.named_steps["features"].transform(dataset.X)["ticket_women"],
    )
    assert len(features) > BACKGROUND
    plain = Pipeline([("estimator", fitted[-1])])
    assert features_as_trained(plain, dataset.X, dataset.y) is dataset.X
