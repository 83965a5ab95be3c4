import numpy as np
import pandas as pd
import pytest

from titanic_ml.prediction.predictor import MANY, Predictor


@pytest.fixture
def predictor(fitted):
    return Predictor(fitted)


def test_answer_has_the_ids_and_classes_in_order(predictor, unlabelled):
    answer = predictor.predict(unlabelled, "Survived")
    assert list(answer) == ["PassengerId", "Survived"]
    assert answer["PassengerId"].tolist() == list(range(892, 1310))
    assert set(answer["Survived"]) == {0, 1} and answer["Survived"].dtype == "int64"


def test_probability_comes_if_wished_and_decides_at_the_threshold(fitted, unlabelled):
    for threshold in (0.2, 0.5, 0.8):
        answer = Predictor(fitted, threshold).predict(unlabelled, "y", with_probability=True)
        assert list(answer) == ["PassengerId", "y", "probability"]
        assert ((answer["probability"] >= threshold) == answer["y"]).all()


def test_a_probability_at_the_threshold_is_class_one(fitted, unlabelled):
    probability = Predictor(fitted).probability(unlabelled.X)
    answer = Predictor(fitted, probability[0]).predict(unlabelled, "y")
    assert answer["y"][0] == 1


def test_probabilities_are_of_class_one(predictor, dataset):
    probability = predictor.probability(dataset.X)
    assert probability.shape == (891,)
    assert ((probability > 0) & (probability < 1)).all()
    assert np.mean(probability[dataset.y == 1]) > np.mean(probability[dataset.y == 0]) + 0.3


def test_input_is_not_changed(predictor, unlabelled):
    before = unlabelled.X.copy(deep=True), unlabelled.ids.copy()
    predictor.predict(unlabelled, "y", with_probability=True)
    pd.testing.assert_frame_equal(unlabelled.X, before[0])
    pd.testing.assert_series_equal(unlabelled.ids, before[1])


def test_a_large_table_gets_what_its_rows_get_in_small_ones(fitted, dataset, monkeypatch):
    X = dataset.X.sample(MANY, replace=True, random_state=1)
    small = np.concatenate(
        [Predictor(fitted).probability(X[n : n + 500]) for n in range(0, MANY, 500)]
    )
    quick = Predictor(fitted)
    monkeypatch.setattr(type(fitted), "predict_proba", once(type(fitted).predict_proba))
    for _ in range(2):
        assert np.allclose(quick.probability(X), small, rtol=0, atol=1e-12)


def once(function):
    """The function, which may be called once: what follows must do without."""
    calls = []

    def called(*given):
        calls.append(given)
        assert len(calls) == 1
        return function(*given)

    return called


def test_a_large_table_of_another_model_is_asked_by_the_pipeline(candidates, dataset):
    candidate = candidates["one_column"]
    model = candidate.fit_pipeline(candidate.preprocessor, {}, 0, dataset.X, dataset.y)
    X = dataset.X.sample(MANY, replace=True, random_state=1)
    assert np.array_equal(Predictor(model).probability(X), model.predict_proba(X)[:, 1])
