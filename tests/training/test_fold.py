import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import FunctionTransformer

from titanic_ml.estimator.candidate import Candidate
from titanic_ml.training.fold import Choice, Search
from titanic_ml.training.threshold import choose_threshold

LOGISTIC = Candidate("logistic", "logistic", LogisticRegression(), 2, {"C": [1e-6, 1.0]})
PLAIN = Candidate("plain", "plain", LogisticRegression(), 1)
BASELINE = Candidate("base", "base", LogisticRegression(C=1e-9), 0, baseline=True)
SPLIT = np.arange(80), np.arange(80, 120)


@pytest.fixture
def numbers():
    random = np.random.default_rng(0)
    x = random.normal(size=120)
    y = pd.Series((x + random.normal(0, 0.5, 120) > 0.8).astype(int))
    return pd.DataFrame({"x": x}), y


def search(*candidates, metric="accuracy", **kwargs):
    values = FunctionTransformer(pd.DataFrame.to_numpy)
    return Search(values, candidates, 4, metric, seed=0, **kwargs)


def test_choices_are_made_on_the_training_rows_alone(numbers):
    X, y = numbers
    fold = search(LOGISTIC, PLAIN, BASELINE, metric="f1").run(SPLIT, X, y)
    assert fold.choices["logistic"].parameters == {"C": 1.0}
    unknown = y.copy()
    unknown.iloc[SPLIT[1]] = 1 - unknown.iloc[SPLIT[1]]
    assert search(LOGISTIC, PLAIN, BASELINE, metric="f1").run(SPLIT, X, unknown).choices == (
        fold.choices
    )


def test_a_baseline_keeps_its_threshold_and_settings(numbers):
    fold = search(BASELINE, metric="f1").run(SPLIT, *numbers)
    assert (fold.choices["base"].threshold, fold.choices["base"].parameters) == (0.5, {})


def test_threshold_is_tuned_without_a_search_space_too(numbers, monkeypatch):
    seen = []

    def note(y, probability, metric, seed):
        seen.append((len(y), metric))
        return 0.3

    monkeypatch.setattr("titanic_ml.training.fold.choose_threshold", note)
    fold = search(PLAIN, metric="mcc").run(SPLIT, *numbers)
    assert seen == [(80, "mcc")]
    assert fold.choices["plain"].threshold == 0.3
    row = fold.scores.iloc[0]
    truth = numbers[1].iloc[SPLIT[1]].to_numpy()
    assert row["accuracy"] == np.mean((row["probability"] >= 0.5) == truth)  # the same for all


def test_a_threshold_is_chosen_only_with_a_search(numbers):
    with_it, without = (
        search(LOGISTIC, PLAIN, BASELINE, thresholds=asked).run(SPLIT, *numbers)
        for asked in (True, False)
    )
    assert without.choices["plain"] == Choice({}, None)
    for name in ("logistic", "base"):
        assert without.choices[name] == with_it.choices[name]
    assert without.scores["log_loss"].tolist() == with_it.scores["log_loss"].tolist()


def test_rows_of_one_class_have_no_auc(numbers):
    X, y = numbers
    test = np.flatnonzero(y == 0)[:5]
    train = np.setdiff1d(np.arange(120), test)
    row = search(PLAIN).run((train, test), X, y).scores.iloc[0]
    assert np.isnan(row["roc_auc"]) and row["log_loss"] > 0


def test_without_test_rows_there_are_choices_but_no_scores(numbers):
    fold = search(PLAIN).run((np.arange(120), np.arange(0)), *numbers)
    assert fold.scores.empty and set(fold.choices) == {"plain"}


def test_the_threshold_is_one_half_unless_another_is_clearly_better():
    random = np.random.default_rng(1)
    p = random.random(400)
    y = (random.random(400) < p).astype(int)
    assert choose_threshold(y, p, "accuracy", 0) == 0.5  # calibrated: one half is right
    assert 0.2 < choose_threshold(y, p / 2, "accuracy", 0) < 0.3  # everything half as likely
