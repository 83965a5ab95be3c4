import numpy as np
import pandas as pd
import pytest

from titanic_ml.prediction.predictor import Predictor


@pytest.fixture
def predictor(fitted):
    return Predictor(fitted)


def test_answer_has_the_ids_and_classes_in_order(predictor, unlabelled, spec):
    answer = predictor.predict(unlabelled, spec)
    assert list(answer) == ["PassengerId", "Survived"]
    assert answer["PassengerId"].tolist() == list(range(892, 1310))
    assert set(answer["Survived"]) == {0, 1} and answer["Survived"].dtype == "int64"


def test_probability_comes_if_requested_and_decides_at_the_threshold(fitted, unlabelled, spec):
    for threshold in (0.2, 0.5, 0.8):
        answer = Predictor(fitted, threshold).predict(unlabelled, spec, with_probability=True)
        assert list(answer) == ["PassengerId", "Survived", "probability"]
        assert ((answer["probability"] >= threshold) == answer["Survived"]).all()


def test_a_probability_at_the_threshold_is_class_one(fitted, unlabelled, spec):
    probability = Predictor(fitted).probability(unlabelled.X)
    answer = Predictor(fitted, probability[0]).predict(unlabelled, spec)
    assert answer["Survived"][0] == 1


def test_probabilities_are_of_class_one(predictor, dataset):
    probability = predictor.probability(dataset.X)
    assert probability.shape == (891,)
    assert ((probability > 0) & (probability < 1)).all()
    assert np.mean(probability[dataset.y == 1]) > np.mean(probability[dataset.y == 0]) + 0.3


def test_input_is_not_changed(predictor, unlabelled, spec):
    before = unlabelled.X.copy(deep=True), unlabelled.ids.copy()
    predictor.predict(unlabelled, spec, with_probability=True)
    pd.testing.assert_frame_equal(unlabelled.X, before[0])
    pd.testing.assert_series_equal(unlabelled.ids, before[1])


def test_a_large_table_gets_the_probabilities_of_small_ones(fitted, dataset):
    X = dataset.X.sample(5_000, replace=True, random_state=1)
    small = [Predictor(fitted).probability(X[n : n + 500]) for n in range(0, len(X), 500)]
    assert np.allclose(Predictor(fitted).probability(X), np.concatenate(small), rtol=0, atol=1e-12)


def test_a_model_of_other_steps_predicts_through_scikit_learn(candidates, dataset):
    candidate = candidates["one_column"]
    model = candidate.fit_pipeline(candidate.preprocessor, {}, 0, dataset.X, dataset.y)
    predictor = Predictor(model)
    assert predictor.fast_path is None
    assert np.array_equal(predictor.probability(dataset.X), model.predict_proba(dataset.X)[:, 1])
