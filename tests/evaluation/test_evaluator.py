import json
from dataclasses import astuple

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics

from titanic_ml.evaluation.evaluator import SLICE_METRICS, Evaluator
from titanic_ml.evaluation.metrics import METRICS
from titanic_ml.evaluation.result import Estimate


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


@pytest.mark.system
@pytest.mark.usefixtures("unmeasured")
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
        assert astuple(twice.estimates[name]) == pytest.approx(astuple(estimate))
    assert twice.confusion == once.confusion and twice.rows == 400


def test_confusion_counts_at_the_threshold():
    y, p = np.array([0, 0, 1, 1]), np.array([0.2, 0.6, 0.6, 0.9])
    for threshold in (0.5, 0.6):  # at the threshold the answer is 1
        confusion = Evaluator(5).evaluate(y, p, threshold).confusion
        assert confusion == {0: {0: 1, 1: 1}, 1: {0: 0, 1: 2}}
    assert Evaluator(5).evaluate(y, p, 0.7).confusion == {0: {0: 2, 1: 0}, 1: {0: 1, 1: 1}}


def test_estimates_are_the_metrics_of_the_rows(answers):
    y, p = answers
    found = Evaluator(5).evaluate(y, p, 0.4)
    assert list(found.estimates) == list(METRICS)
    assert (found.rows, found.positives, found.threshold) == (400, y.sum(), 0.4)
    for name, metric in METRICS.items():
        expected = metric(y, p, (p >= 0.4).astype(int), np.ones(400))
        assert found.estimates[name].value == pytest.approx(float(expected)), name


def test_an_answer_of_its_own_is_measured_in_place_of_the_threshold():
    y = np.array([0, 0, 1, 1])
    p = np.array([[0.2, 0.3], [0.6, 0.4], [0.6, 0.3], [0.9, 0.8]])
    prediction = p >= [[0.7, 0.2]]  # a threshold for each repetition: 3 of 4 and 2 of 4 are right
    found = Evaluator(5).evaluate(y, p, 0.5, prediction=prediction)
    assert found.estimates["accuracy"].value == pytest.approx(5 / 8)
    assert found.nested_confusion == {0: {0: 1, 1: 1}, 1: {0: 0.5, 1: 1.5}}
    assert found.confusion == {0: {0: 1.5, 1: 0.5}, 1: {0: 0.5, 1: 1.5}}  # at one half
    plain = Evaluator(5).evaluate(y, p, 0.5)
    assert plain.estimates["accuracy"].value == pytest.approx(6 / 8)
    assert found.estimates["log_loss"] == plain.estimates["log_loss"]  # of probabilities alone
    assert found.curves == plain.curves


def test_an_answer_of_another_shape_is_refused(answers):
    y, p = answers
    with pytest.raises(ValueError, match="reshape"):
        Evaluator(5).evaluate(y, np.column_stack([p, p]), prediction=p >= 0.5)


def test_gains_are_positive_where_the_model_is_better(answers):
    y, p = answers
    worse = {"base rate": np.full(400, y.mean()), "noisy": np.column_stack([p, 1 - p, 1 - p])}
    found = Evaluator(50).evaluate(y, p, baselines=worse)
    assert list(found.baselines) == list(found.gains) == ["base rate", "noisy"]
    for name in ("log_loss", "brier", "roc_auc", "accuracy", "mcc", "brier_resolution"):
        gain = found.gains["base rate"][name]
        assert 0 < gain.low < gain.value < gain.high, name
        difference = found.estimates[name].value - found.baselines["base rate"][name].value
        assert gain.value == pytest.approx(abs(difference))
    assert found.gains["noisy"]["log_loss"].low > 0
    swapped = Evaluator(50).evaluate(y, worse["base rate"], baselines={"model": p})
    assert swapped.gains["model"]["brier"].high < 0
    # A constant probability equal to the share of class 1 is calibrated, and nothing more.
    assert found.baselines["base rate"]["calibration_error"].value == pytest.approx(0, abs=1e-12)
    assert found.gains["base rate"]["calibration_error"].value <= 0


def test_gains_are_paired(answers):
    y, p = answers
    slightly = Evaluator(200).evaluate(y, p, baselines={"near": p * 0.97 + 0.015})
    gain, own = slightly.gains["near"]["brier"], slightly.estimates["brier"]
    assert gain.high - gain.low < (own.high - own.low) / 5
    itself = Evaluator(20).evaluate(y, p, baselines={"itself": p})
    assert all(gain == Estimate(0, 0, 0) for gain in itself.gains["itself"].values())


@pytest.fixture(scope="module")
def sliced(answers):
    y, p = answers
    slices = {
        "half": pd.Series(np.repeat(["b", "a"], 200)),
        "truth": pd.Series(y).map({0: "no", 1: "yes"}),
    }
    return Evaluator(20).evaluate(y, np.column_stack([p, p**2]), slices=slices)


def test_slices_are_measured_on_their_rows(answers, sliced):
    y, p = answers
    names = [(score.slice, score.value) for score in sliced.slices]
    assert names == [("half", "a"), ("half", "b"), ("truth", "no"), ("truth", "yes")]
    a, b, no, yes = sliced.slices
    assert (a.rows, a.positives) == (200, y[200:].sum()) and (b.rows, b.positives) == (
        200,
        y[:200].sum(),
    )
    assert (no.positives, yes.positives) == (0, yes.rows) and no.rows + yes.rows == 400
    expected = np.mean([metrics.log_loss(y[200:], q[200:]) for q in (p, p**2)])
    assert a.estimates["log_loss"].value == pytest.approx(expected)
    both = np.tile(y[200:], 2), np.concatenate([p[200:], p[200:] ** 2])
    assert a.estimates["roc_auc"].value == pytest.approx(metrics.roc_auc_score(*both))
    assert tuple(a.estimates) == SLICE_METRICS
    for score in sliced.slices:
        loss = score.estimates["log_loss"]
        assert loss.low < loss.value < loss.high
    whole = (a.estimates["brier"].value + b.estimates["brier"].value) / 2
    assert whole == pytest.approx(sliced.estimates["brier"].value)


def test_a_slice_of_one_class_has_no_area_under_the_curve(sliced):
    values = {score["value"]: score["estimates"] for score in sliced.to_dict()["slices"]}
    assert "roc_auc" not in values["no"] and "roc_auc" not in values["yes"]
    assert set(values["a"]["roc_auc"]) == {"value", "low", "high"}
    assert sliced.worst is max(sliced.slices, key=lambda s: s.estimates["log_loss"].value)


def test_slices_may_be_numbers_and_of_one_row():
    y, p = np.array([0, 1, 1]), np.array([0.2, 0.7, 0.6])
    found = Evaluator(5).evaluate(y, p, slices={"class": pd.Series([1, 1, 2])})
    assert [(s.value, s.rows, s.positives) for s in found.slices] == [("1", 2, 1), ("2", 1, 1)]
    assert astuple(found.slices[1].estimates["log_loss"]) == pytest.approx([-np.log(0.6)] * 3)
    assert found.worst is None


def test_curves_are_those_of_scikit_learn_and_each_row_is_calibrated_once(answers):
    y, p = answers
    found = Evaluator(5).evaluate(y, np.column_stack([p, p])).curves
    area = np.trapezoid(found.roc.y, found.roc.x)
    assert area == pytest.approx(metrics.roc_auc_score(y, p), abs=0.005)
    assert sum(bin_.rows for bin_ in found.calibration) == 400


def test_to_dict_is_json(answers):
    y, p = answers
    evaluation = Evaluator(20).evaluate(
        y, p, baselines={"base rate": np.full(400, 0.5)}, slices={"truth": pd.Series(y)}
    )
    values = evaluation.to_dict()
    read = json.loads(json.dumps(values, allow_nan=False))
    assert read.pop("confusion") == {
        str(truth): {str(predicted): rows for predicted, rows in row.items()}
        for truth, row in evaluation.confusion.items()
    }
    assert read.pop("answers") == ["0", "1"] and read.items() <= values.items()
    assert values["rows"] == 400 and values["threshold"] == 0.5
    assert Estimate(**values["estimates"]["f1"]) == evaluation.estimates["f1"]
    assert sum(sum(row.values()) for row in values["confusion"].values()) == 400


def test_inputs_stay_as_they_were(answers):
    y, p = answers
    labels = pd.Series(np.repeat(["b", "a"], 200))
    before = y.copy(), p.copy(), labels.copy()
    Evaluator(5).evaluate(y, p, prediction=p > 0.3, baselines={"p": p}, slices={"half": labels})
    for old, new in zip(before, (y, p, labels), strict=True):
        np.testing.assert_array_equal(old, new)


def test_the_confidence_is_that_of_every_interval_and_is_said(answers):
    wide, narrow = (Evaluator(50, confidence).evaluate(*answers) for confidence in (0.95, 0.5))
    assert "with 50% intervals" in repr(narrow) and narrow.to_dict()["confidence"] == 0.5
    bins = zip(wide.curves.calibration, narrow.curves.calibration, strict=True)
    widths = [(w.high - w.low, n.high - n.low) for w, n in bins]
    assert all(n < w for w, n in widths)


@pytest.mark.usefixtures("unmeasured")
@pytest.mark.system
def test_intervals_by_groups_cover_the_truth_where_those_by_rows_do_not():
    """Rows of a group share their outcome: the interval of the accuracy must be twice as wide."""
    covered = {"rows": 0, "groups": 0}
    for seed in range(100):
        random = np.random.default_rng(seed)
        y = np.repeat(random.integers(0, 2, 60), 4)
        groups, p = np.repeat(np.arange(60), 4), np.full(240, 0.6)
        for name, labels in (("rows", None), ("groups", groups)):
            found = Evaluator(100, n_jobs=1).evaluate(y, p, groups=labels).estimates["accuracy"]
            covered[name] += found.low <= 0.5 <= found.high
    assert covered["rows"] < 80 and covered["groups"] > 88


@pytest.mark.usefixtures("unmeasured")
@pytest.mark.system
def test_the_worst_of_equal_slices_is_chance_in_nearly_all_cases():
    """Twelve slices that do not differ; by its own interval the worst would differ in a third."""
    significant = 0
    for seed in range(200):
        random = np.random.default_rng(seed)
        p = random.uniform(0.05, 0.95, 480)
        y = (random.uniform(size=480) < p).astype(int)
        slices = {"a": pd.Series(np.arange(480) % 12), "b": pd.Series(np.arange(480) % 5)}
        found = Evaluator(100, n_jobs=1).evaluate(y, p, slices=slices)
        significant += found.worst_p < 0.05
    assert significant <= 18
    y[slices["a"] == 3] = 1 - (p[slices["a"] == 3] > 0.5)
    assert Evaluator(100).evaluate(y, p, slices=slices).worst_p < 0.05
    assert Evaluator(5).evaluate(y, p).worst_p is None


def test_the_interval_of_the_calibration_error_contains_0_for_calibrated_probabilities():
    contains = 0
    for seed in range(60):
        random = np.random.default_rng(seed)
        p = random.uniform(0.05, 0.95, 300)
        y = (random.uniform(size=300) < p).astype(int)
        contains += Evaluator(100, n_jobs=1).evaluate(y, p).estimates["calibration_error"].low == 0
    assert contains >= 55
    found = Evaluator(100).evaluate(y, p**3).estimates["calibration_error"]
    assert found.low > 0 and found.value == found.value
