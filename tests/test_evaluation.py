import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn import metrics

from titanic_ml.evaluation import METRICS, Evaluator, compare_out_of_fold, mean_log_loss

SCIKIT_LEARN = {
    "log_loss": lambda y, p, c, w: metrics.log_loss(y, p, sample_weight=w, labels=[0, 1]),
    "brier": lambda y, p, c, w: metrics.brier_score_loss(y, p, sample_weight=w),
    "roc_auc": lambda y, p, c, w: metrics.roc_auc_score(y, p, sample_weight=w),
    "accuracy": lambda y, p, c, w: metrics.accuracy_score(y, c, sample_weight=w),
    "precision": lambda y, p, c, w: metrics.precision_score(y, c, sample_weight=w, zero_division=0),
    "recall": lambda y, p, c, w: metrics.recall_score(y, c, sample_weight=w),
    "f1": lambda y, p, c, w: metrics.f1_score(y, c, sample_weight=w),
}
ROWS = st.tuples(
    st.integers(0, 1),
    st.sampled_from([0.0, 0.1, 0.3, 0.5, 0.5000001, 0.9, 1.0]),  # few values: many ties
    st.floats(0.1, 5),
)


@settings(max_examples=100, deadline=None)
@given(st.lists(ROWS, min_size=2, max_size=30))
def test_every_metric_is_scikit_learns(rows):
    y, p, w = (np.array(column) for column in zip(*rows, strict=True))
    assume(0 < y.sum() < len(y))
    answer = (p >= 0.5).astype(int)
    assert sorted(METRICS) == sorted(SCIKIT_LEARN)
    for name, metric in METRICS.items():
        expected = SCIKIT_LEARN[name](y, p, answer, w)
        assert metric(y, p, answer, w) == pytest.approx(expected, abs=1e-9), name


@pytest.fixture(scope="module")
def answers():
    random = np.random.default_rng(0)
    y = random.integers(0, 2, 400)
    return y, np.clip(0.3 + 0.4 * y + random.normal(0, 0.2, 400), 0.01, 0.99)


def test_interval_holds_the_value_and_follows_the_seed(answers):
    first, again, other = (Evaluator(100, 0.95, seed).evaluate(*answers) for seed in (1, 1, 2))
    assert first.estimates == again.estimates != other.estimates
    for estimate in first.estimates.values():
        assert estimate.low < estimate.value < estimate.high


def test_interval_widens_with_confidence_and_narrows_with_rows(answers):
    y, p = answers

    def width(rows, confidence):
        estimate = Evaluator(300, confidence).evaluate(y[:rows], p[:rows]).estimates["log_loss"]
        return estimate.high - estimate.low

    assert width(400, 0.5) < width(400, 0.95) < width(40, 0.95)


def test_interval_covers_the_truth_about_as_often_as_it_says():
    random = np.random.default_rng(7)
    hits = 0
    for trial in range(100):
        p = random.uniform(0.05, 0.95, 150)
        y = (random.uniform(size=150) < p).astype(int)
        estimate = Evaluator(100, 0.9, trial).evaluate(y, p).estimates["brier"]
        truth = 0.5 * 0.9 - (0.95**3 - 0.05**3) / 3  # mean of p (1 - p), over its range 0.9
        hits += estimate.low <= truth / 0.9 <= estimate.high
    assert 80 <= hits <= 98


def test_repetitions_count_alike(answers):
    y, p = answers
    once = Evaluator(20).evaluate(y, p)
    twice = Evaluator(20).evaluate(y, np.column_stack([p, p]))
    for name, estimate in once.estimates.items():
        assert twice.estimates[name].value == pytest.approx(estimate.value)
        assert twice.estimates[name].high == pytest.approx(estimate.high)
    assert twice.confusion == once.confusion and twice.rows == 400


def test_confusion_counts_at_the_threshold():
    y, p = np.array([0, 0, 1, 1]), np.array([0.2, 0.6, 0.6, 0.9])
    for threshold in (0.5, 0.6):  # at the threshold the answer is 1
        confusion = Evaluator(5).evaluate(y, p, threshold).confusion
        assert confusion == {0: {0: 1, 1: 1}, 1: {0: 0, 1: 2}}
    assert Evaluator(5).evaluate(y, p, 0.7).confusion == {0: {0: 2, 1: 0}, 1: {0: 1, 1: 1}}


def test_repr_reads_and_warns_of_rows_seen(answers):
    evaluation = Evaluator(20).evaluate(*answers)
    assert "400 rows" in repr(evaluation) and "log_loss" in repr(evaluation)
    assert "WARNING" not in repr(evaluation)
    assert "trained on 3 of these 400 rows" in repr(evaluation.with_seen(3))


def test_to_dict_is_json(answers):
    evaluation = Evaluator(20).evaluate(*answers).with_seen(2)
    values = json.loads(json.dumps(evaluation.to_dict()))
    assert values["rows"] == 400 and values["seen"] == 2 and values["threshold"] == 0.5
    estimate = evaluation.estimates["f1"]
    assert values["estimates"]["f1"] == [estimate.value, estimate.low, estimate.high]


def out_of_fold(rows, y, *repeats):
    columns = {f"repeat_{i}": column for i, column in enumerate(repeats, start=1)}
    return pd.DataFrame({"row": rows, "y": y, **columns})


def test_mean_log_loss_is_the_mean_of_the_repetitions():
    y, first, second = [0, 1, 1], [0.2, 0.7, 0.9], [0.4, 0.6, 0.5]
    expected = np.mean([metrics.log_loss(y, p) for p in (first, second)])
    assert mean_log_loss(out_of_fold([1, 2, 3], y, first, second)) == pytest.approx(expected)


def test_two_models_are_compared_on_the_rows_they_share():
    challenger = out_of_fold([1, 2, 3], [0, 1, 1], [0.1, 0.8, 0.01])
    champion = out_of_fold([2, 9, 1], [1, 0, 0], [0.6, 0.99, 0.3])
    rows, ours, theirs = compare_out_of_fold(challenger, champion)
    assert rows == 2
    assert ours == pytest.approx(metrics.log_loss([0, 1], [0.1, 0.8]))
    assert theirs == pytest.approx(metrics.log_loss([0, 1], [0.3, 0.6]))
    rows, *losses = compare_out_of_fold(challenger, champion.tail(1).assign(row=77))
    assert rows == 0 and np.isnan(losses).all()
