import json
from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats
from sklearn import metrics

from titanic_ml.evaluation.metrics import (
    BINS,
    LOSSES,
    METRICS,
    Rows,
    calibration_bins,
    calibration_test,
    measure,
    precision_recall_points,
    roc_points,
    row_losses,
)


def matthews(y, c, w):
    """The coefficient of scikit-learn; with one predicted class it may be NaN by rounding."""
    return 0.0 if len(set(c)) == 1 else metrics.matthews_corrcoef(y, c, sample_weight=w)


SCIKIT_LEARN = {
    "log_loss": lambda y, p, c, w: metrics.log_loss(y, p, sample_weight=w, labels=[0, 1]),
    "brier": lambda y, p, c, w: metrics.brier_score_loss(y, p, sample_weight=w),
    "roc_auc": lambda y, p, c, w: metrics.roc_auc_score(y, p, sample_weight=w),
    "average_precision": lambda y, p, c, w: metrics.average_precision_score(y, p, sample_weight=w),
    "accuracy": lambda y, p, c, w: metrics.accuracy_score(y, c, sample_weight=w),
    "balanced_accuracy": lambda y, p, c, w: metrics.balanced_accuracy_score(y, c, sample_weight=w),
    "precision": lambda y, p, c, w: metrics.precision_score(y, c, sample_weight=w, zero_division=0),
    "recall": lambda y, p, c, w: metrics.recall_score(y, c, sample_weight=w),
    "f1": lambda y, p, c, w: metrics.f1_score(y, c, sample_weight=w),
    "mcc": lambda y, p, c, w: matthews(y, c, w),
}
OUR_OWN = {"calibration_error", "brier_reliability", "brier_resolution", "brier_uncertainty"}
ROWS = st.tuples(
    st.integers(0, 1),
    st.sampled_from([0.0, 0.1, 0.3, 0.5, 0.5000001, 0.9, 1.0]),  # few values: many ties
    st.floats(0.1, 5),
)


def table(n, seed=0, repeats=None):
    """Truth, probability and answer of n rows, and weights (n,) or (repeats, n)."""
    random = np.random.default_rng(seed)
    y = np.append([0, 1], random.integers(0, 2, n - 2))
    p = np.clip(0.3 + 0.4 * y + random.normal(0, 0.2, n), 0.01, 0.99)
    weights = random.standard_exponential(n if repeats is None else (repeats, n))
    return y, p, (p >= 0.5).astype(int), weights


@given(st.lists(ROWS, min_size=2, max_size=30))
def test_every_metric_is_scikit_learns(rows):
    y, p, w = (np.array(column) for column in zip(*rows, strict=True))
    assume(0 < y.sum() < len(y))
    answer = (p >= 0.5).astype(int)
    assert set(METRICS) == set(SCIKIT_LEARN) | OUR_OWN
    for name, expected in SCIKIT_LEARN.items():
        ours = METRICS[name](y, p, answer, w)
        assert ours == pytest.approx(expected(y, p, answer, w), abs=1e-9), name


@pytest.mark.parametrize("name", METRICS)
def test_many_weightings_at_once_are_a_loop_over_them(name):
    y, p, answer, weights = table(60, repeats=7)
    p = p.round(1)  # ties
    together = METRICS[name](y, p, answer, weights)
    assert together.shape == (7,)
    assert together == pytest.approx([float(METRICS[name](y, p, answer, w)) for w in weights])


def test_several_metrics_at_once_are_those_of_each_in_the_order_of_their_names():
    y, p, answer, weights = table(60, repeats=7)
    names = ["roc_auc", "log_loss", "f1"]
    found = measure(Rows(y, p, answer), weights, names)
    assert found.shape == (7, 3)
    for place, name in enumerate(names):
        np.testing.assert_array_equal(found[:, place], METRICS[name](y, p, answer, weights))


def test_repetitions_count_alike_and_rows_may_be_taken():
    y, p, answer, w = table(60)
    other = np.clip(p + 0.1, 0, 1)
    both = Rows(y, np.column_stack([p, other]), np.column_stack([answer, other >= 0.5]))
    rows = np.array([0, 1, 5, 5, 40])
    for name in ("log_loss", "brier", "accuracy"):
        single = [
            METRICS[name](y[rows], q[rows], c[rows], w[rows])
            for q, c in ((p, answer), (other, other >= 0.5))
        ]
        (found,) = measure(both.take(rows), w[rows], [name])
        assert found == pytest.approx(np.mean(single)), name


@pytest.mark.parametrize("name", METRICS)
def test_neither_the_order_nor_the_scale_of_the_rows_matters(name):
    y, p, answer, w = table(50)
    p = p.round(1)
    equal = METRICS[name](y, p, answer, np.ones(50))
    mixed = np.random.default_rng(3).permutation(50)
    by_truth = np.argsort(y, kind="stable")
    for order in (mixed, by_truth, by_truth[::-1]):
        again = METRICS[name](y[order], p[order], answer[order], np.full(50, 7.0))
        assert again == pytest.approx(equal)
    assert METRICS[name](y, p, answer, w) != pytest.approx(equal, abs=1e-6)


@pytest.mark.parametrize("name", METRICS)
def test_a_perfect_model_can_not_be_beaten(name):
    y, p, answer, w = table(50)
    perfect, real = METRICS[name](y, y * 1.0, y, w), METRICS[name](y, p, answer, w)
    if name == "brier_uncertainty":  # the table's
        share = np.average(y, weights=w)
        assert perfect == real == pytest.approx(share * (1 - share) * 50 / 49)
    elif name in LOSSES:
        assert perfect == pytest.approx(0, abs=1e-12) and real != 0
    elif name == "brier_resolution":
        assert perfect > real > 0
    else:
        assert perfect == pytest.approx(1) and real < 1


# What has nothing to divide by is 0, without a warning.
ONE_CLASS = [
    (0, 0, {"precision", "recall", "f1", "mcc", "roc_auc", "average_precision"}),
    (0, 1, {"accuracy", "precision", "recall", "f1", "mcc", "roc_auc", "average_precision"}),
    (1, 0, {"accuracy", "precision", "recall", "f1", "mcc", "roc_auc"}),
    (1, 1, {"mcc", "roc_auc"}),
]


@pytest.mark.parametrize("truth, answer, nothing", ONE_CLASS)
def test_one_class_and_one_answer(truth, answer, nothing):
    weights = np.random.default_rng(0).standard_exponential((200, 21))  # some sums round upwards
    y, c = np.full(21, truth), np.full(21, answer)
    for name in nothing:
        assert (METRICS[name](y, np.full(21, 0.4), c, weights) == 0).all(), name
    mixed = np.arange(21) % 2
    assert (METRICS["mcc"](mixed, np.full(21, 0.4), c, weights) == 0).all()


def test_log_loss_of_a_row():
    y, p = np.array([1, 0, 1, 0]), np.array([0.25, 0.25, 1.0, 1.0])
    certain_and_wrong = -np.log(np.finfo(float).eps)
    expected = [np.log(4), np.log(4 / 3), 0, certain_and_wrong]
    assert row_losses(y, p) == pytest.approx(expected)


def test_calibration_error_by_hand():
    # 20 rows in 10 bins of two; in the last 0.9 is said and neither row is of class 1
    p = np.repeat(np.arange(10) / 10, 2)
    y = np.repeat([0, 0, 0, 0, 0, 1, 1, 1, 1, 0], 2)
    distance = np.abs(np.array([0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.4, 0.3, 0.2, 0.9]))
    error, reliability = (
        METRICS[name](y, p, y, np.ones(20)) for name in ("calibration_error", "brier_reliability")
    )
    assert reliability == pytest.approx((distance**2).mean())  # outcomes of a bin do not vary
    assert error == pytest.approx((distance**2).mean() ** 0.5)
    weights = np.where(p == 0.9, 9.0, 1.0)  # the last bin weighs as much as all others
    expected = ((distance[:9] ** 2).mean() + 0.9**2) / 2
    assert METRICS["calibration_error"](y, p, y, weights) == pytest.approx(expected**0.5)


def test_the_bias_of_a_bin_is_the_variance_of_its_share():
    y, p, ones = np.repeat([0, 1], [6, 4]), np.full(10, 0.5), np.ones(10)
    expected = (0.5 - 0.4) ** 2 - 0.4 * 0.6 / 9
    assert METRICS["brier_reliability"](y, p, p, ones) == pytest.approx(expected)
    assert METRICS["calibration_error"](y, p, p, ones) == 0  # of a square below 0
    twice = np.column_stack([p, p])  # a repetition adds no rows
    assert METRICS["brier_reliability"](y, twice, twice, ones) == pytest.approx(expected)


def test_reliability_and_resolution_have_no_bias():
    """Means over 2,000 calibrated data sets of 100 rows; with the bias they are 0.014 too high."""
    random = np.random.default_rng(0)
    centres = np.linspace(0.05, 0.95, 10)
    p, ones = np.repeat(centres, 10), np.ones(100)
    found = {"brier_reliability": 0.0, "brier_resolution": 0.0, "brier_uncertainty": 0.0}
    for _ in range(2_000):
        y = (random.uniform(size=100) < p).astype(int)
        for name in found:
            found[name] += METRICS[name](y, p, p, ones) / 2_000
    assert found["brier_reliability"] == pytest.approx(0, abs=0.001)
    assert found["brier_resolution"] == pytest.approx(centres.var(), abs=0.002)


def test_calibrated_probabilities_are_rejected_in_five_per_cent_of_cases():
    random = np.random.default_rng(0)
    p = random.uniform(0.02, 0.98, (1_000, 300))
    y = (random.uniform(size=p.shape) < p).astype(int)
    rejected = np.mean([calibration_test(*rows) < 0.05 for rows in zip(y, p, strict=True)])
    assert 0.03 < rejected < 0.07
    assert calibration_test(y[0], p[0] ** 3) < 0.001
    assert calibration_test(np.array([0, 1]), np.array([0.5, 0.5])) == 1


@pytest.mark.parametrize("rows", [2, 9, 10, 11, 25, 200])
def test_a_constant_probability_equal_to_the_share_is_calibrated_in_any_order(rows):
    y = np.sort(table(rows)[0])
    p, w = np.full(rows, y.mean()), np.ones(rows)
    for name in ("calibration_error", "brier_resolution"):
        assert METRICS[name](y, p, y, w) == pytest.approx(0, abs=1e-12), name
    variance = y.mean() * (1 - y.mean()) / (rows - 1)
    assert METRICS["brier_reliability"](y, p, y, w) == pytest.approx(-variance)
    assert [row.rows for row in calibration_bins(y, p)] == [rows]


@given(st.integers(0, 10_000), st.integers(1, BINS))
def test_brier_parts_sum_to_the_score_where_a_bin_has_one_probability(seed, distinct):
    random = np.random.default_rng(seed)
    p = np.repeat(np.sort(random.uniform(size=distinct)), BINS)  # no bin holds two of them
    y, w = random.integers(0, 2, len(p)), random.standard_exponential((3, len(p)))
    order = random.permutation(len(p))
    found = {name: metric(y, p[order], y, w) for name, metric in METRICS.items()}
    parts = found["brier_reliability"] - found["brier_resolution"] + found["brier_uncertainty"]
    assert parts == pytest.approx(found["brier"])


def test_brier_parts_nearly_sum_to_the_score_where_it_has_several():
    y, p, c, w = table(500)
    score, reliability, resolution, uncertainty = (
        METRICS[name](y, p, c, w)
        for name in ("brier", "brier_reliability", "brier_resolution", "brier_uncertainty")
    )
    assert 1e-6 < abs(reliability - resolution + uncertainty - score) < 0.01


@pytest.mark.parametrize("digits", [1, 9])
def test_curves_are_scikit_learns(digits):
    y, p, _, _ = table(150)
    p = p.round(digits)
    fpr, tpr, _ = metrics.roc_curve(y, p, drop_intermediate=False)
    assert roc_points(y, p).x == pytest.approx(fpr, abs=1e-4)
    assert roc_points(y, p).y == pytest.approx(tpr, abs=1e-4)
    precision, recall, _ = metrics.precision_recall_curve(y, p)
    ours = precision_recall_points(y, p)  # without scikit-learn's last point, which no row makes
    assert ours.x == pytest.approx(recall[-2::-1], abs=1e-4)
    assert ours.y == pytest.approx(precision[-2::-1], abs=1e-4)


def test_thinned_curves_keep_their_ends_and_rise():
    y, p, _, _ = table(5000)
    p = p + np.arange(5000) * 1e-9  # no ties
    for curve in (roc_points(y, p), precision_recall_points(y, p)):
        assert len(curve.x) == len(curve.y) == 200
        assert (np.diff(curve.x) >= 0).all() and curve.x[-1] == 1
        json.dumps(asdict(curve))
    roc = roc_points(y, p)
    assert (roc.x[0], roc.y[0]) == (0, 0) and (roc.x[-1], roc.y[-1]) == (1, 1)
    assert precision_recall_points(y, p).y[-1] == pytest.approx(y.mean(), abs=1e-4)
    area = np.trapezoid(roc.y, roc.x)
    assert area == pytest.approx(metrics.roc_auc_score(y, p), abs=0.005)


def test_calibration_bins_by_hand():
    y, p = np.array([0, 0, 0, 1, 1]), np.array([0.2, 0.2, 0.2, 0.2, 0.9])
    first, second = calibration_bins(y, p)
    wilson = stats.binomtest(1, 4).proportion_ci(method="wilson")
    assert (first.rows, first.predicted, first.observed) == (4, 0.2, 0.25)
    assert first.low == pytest.approx(wilson.low, abs=1e-4)
    assert first.high == pytest.approx(wilson.high, abs=1e-4)
    assert (second.rows, second.observed, second.high) == (1, 1, 1)


@given(st.lists(ROWS, min_size=1, max_size=60))
def test_calibration_bins_hold_all_rows_and_their_intervals_lie_within_0_and_1(rows):
    y, p, _ = (np.array(column) for column in zip(*rows, strict=True))
    bins = calibration_bins(y, p)
    assert 1 <= len(bins) <= BINS and sum(row.rows for row in bins) == len(y)
    assert (np.diff([row.predicted for row in bins]) >= 0).all()
    for row in bins:
        assert 0 <= row.low <= row.observed <= row.high <= 1
        assert row.low < row.high
    json.dumps([asdict(bin_) for bin_ in bins])


def test_inputs_stay_as_they_were():
    y, p, c, w = table(40, repeats=3)
    before = [values.copy() for values in (y, p, c, w)]
    for metric in METRICS.values():
        metric(y, p, c, w)
    for curve in (roc_points, precision_recall_points, calibration_bins):
        curve(y, p)
    for old, new in zip(before, (y, p, c, w), strict=True):
        np.testing.assert_array_equal(old, new)
