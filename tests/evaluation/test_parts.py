import numpy as np

from titanic_ml.evaluation import parts
from titanic_ml.evaluation.parts import split_features, stacked_probabilities


def test_the_model_is_taken_apart_behind_its_features(fitted, dataset):
    features, rest = split_features(fitted, dataset.X)
    assert list(features)[:3] == ["sex", "pclass", "embarked"]
    expected = fitted.predict_proba(dataset.X)
    np.testing.assert_array_equal(rest.predict_proba(features), expected)


def test_small_frames_are_predicted_together(fitted, dataset, monkeypatch):
    asked = []

    class Noting:
        def predict_proba(self, X):
            asked.append(len(X))
            return fitted.predict_proba(X)

    frames = [dataset.X.iloc[rows] for rows in (slice(0, 3), slice(3, 4), slice(4, 9), slice(0, 2))]
    monkeypatch.setattr(parts, "AT_ONCE", 4)
    found = stacked_probabilities(Noting(), iter(frames))
    assert asked == [4, 5, 2]
    for frame, probability in zip(frames, found, strict=True):
        np.testing.assert_allclose(probability, fitted.predict_proba(frame)[:, 1], atol=1e-12)
    assert stacked_probabilities(Noting(), []) == []
