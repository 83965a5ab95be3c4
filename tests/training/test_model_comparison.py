import numpy as np
import pandas as pd
import pytest
from scipy import stats

from titanic_ml.training.model_comparison import (
    compare,
    corrected_standard_error,
    corrected_t_test,
    show,
    simplest_within,
)

DIFFERENCES = np.array([0.02, -0.01, 0.03, 0.01, 0.02])


def test_without_overlap_it_is_the_plain_t_test():
    plain = stats.ttest_1samp(DIFFERENCES, 0, alternative="greater").pvalue
    assert corrected_t_test(DIFFERENCES, test_to_train=0) == pytest.approx(plain)
    assert corrected_standard_error(DIFFERENCES, 0) == pytest.approx(stats.sem(DIFFERENCES))


def test_overlap_widens_by_hand():
    # mean 0.014, variance 0.00023, k = 5, a test fold a quarter of its training rows
    error = np.sqrt((1 / 5 + 1 / 4) * 0.00023)
    assert corrected_standard_error(DIFFERENCES, 0.25) == pytest.approx(error)
    assert corrected_t_test(DIFFERENCES, 0.25) == pytest.approx(stats.t.sf(0.014 / error, df=4))


@pytest.mark.parametrize("value, p", [(0.0, 1.0), (-0.1, 1.0), (0.1, 0.0)])
def test_differences_without_spread(value, p):
    assert corrected_t_test(np.full(4, value), 0.25) == p


def scores(**losses):
    rows = [
        {"candidate": name, "log_loss": loss, "roc_auc": 0.5, "accuracy": 0.6, "fit_seconds": 1}
        for name, values in losses.items()
        for loss in values
    ]
    return pd.DataFrame(rows)


def test_compare_puts_the_best_first_and_tests_the_others_against_it():
    table = compare(scores(b=[0.5, 0.6, 0.7], a=[0.4, 0.52, 0.59]), test_to_train=0.5)
    assert list(table.index) == ["a", "b"]
    assert table.log_loss.tolist() == pytest.approx([0.50333, 0.6], abs=1e-5)
    assert table.p_value["a"] == 1
    expected = corrected_t_test(np.array([0.1, 0.08, 0.11]), 0.5)
    assert table.p_value["b"] == pytest.approx(expected)


COMPLEXITY = {"simple": 1, "other": 1, "complex": 3}
CHOICES = [
    # log losses by candidate; the choice where simplicity is worth 0.01
    ({"complex": 0.40, "simple": 0.409}, "simple"),
    ({"complex": 0.40, "simple": 0.411}, "complex"),
    ({"simple": 0.40, "complex": 0.41}, "simple"),
    ({"complex": 0.40, "other": 0.405, "simple": 0.409}, "other"),
    ({"complex": 0.40, "simple": 0.405, "other": 0.409}, "simple"),
    ({"complex": 0.40}, "complex"),
]


@pytest.mark.parametrize("losses, chosen", CHOICES)
def test_the_simplest_within_the_tolerance_of_the_least_wins(losses, chosen):
    assert simplest_within(losses, COMPLEXITY, tolerance=0.01) == chosen


def test_that_a_difference_may_be_chance_is_no_reason_to_overlook_it():
    """Three folds can't tell a constant from a real model: it must not win for that."""
    table = compare(scores(constant=[0.6, 0.7, 0.65], real=[0.3, 0.72, 0.4]), 0.5)
    assert table.p_value["constant"] > 0.05
    assert simplest_within(dict(table.log_loss), {"constant": 0, "real": 2}, 0.005) == "real"


def test_shown_table_marks_the_chosen():
    table = compare(scores(b=[0.5, 0.6], a=[0.4, 0.1]), 0.5).assign(
        label=["Best", "Second"], chosen_share=[0.25, 0.75]
    )
    header, first, second = show(table, "b").splitlines()
    assert header.split()[:3] == ["Candidate", "log", "loss"]
    assert first.startswith("Best") and second.endswith("<- chosen")
    assert "0.2500 ±" in first and "0.5500 ±" in second
    tiny = table.assign(p_value=[1.0, 1e-9])
    assert "<0.001" in show(tiny, "a").splitlines()[2]
    assert " 25% " in first and " 75% " in second and "grouped" not in header
    grouped = show(table.assign(grouped_log_loss=[0.4321, None]), "b").splitlines()
    assert "grouped" in grouped[0] and " 0.4321 " in grouped[1]
    assert len({len(line.removesuffix("  <- chosen")) for line in grouped}) == 1
