import numpy as np
from sklearn.pipeline import Pipeline

from titanic_ml.evaluation.parts import features_as_trained, split_features


def test_the_model_is_taken_apart_behind_its_features(fitted, dataset):
    features, rest = split_features(fitted, dataset.X)
    assert list(features)[:3] == ["sex", "pclass", "embarked"]
    expected = fitted.predict_proba(dataset.X)
    np.testing.assert_array_equal(rest.predict_proba(features), expected)


def test_features_are_as_they_were_in_the_training(fitted, dataset):
    features = features_as_trained(fitted, dataset.X, dataset.y)
    assert not np.allclose(
        features["ticket_women"],
        fitted.named_steps["features"].transform(dataset.X)["ticket_women"],
    )
    plain = Pipeline([("estimator", fitted[-1])])
    assert features_as_trained(plain, dataset.X, dataset.y) is dataset.X
