import numpy as np
import pytest

from titanic_ml.evaluation import bootstrap
from titanic_ml.evaluation.bootstrap import RESAMPLES, bootstrap_weights, mean_interval


@pytest.mark.parametrize("at_once", [1, 40 * 3, 40 * 11])
def test_weights_in_parts_are_the_same_weights(monkeypatch, at_once):
    whole = np.concatenate(list(bootstrap_weights(40, 11, seed=3)))
    assert whole.shape == (11, 40) and (whole > 0).all()
    monkeypatch.setattr(bootstrap, "AT_ONCE", at_once)
    parts = list(bootstrap_weights(40, 11, seed=3))
    assert len(parts) == max(1, -(-11 // max(1, at_once // 40)))
    assert np.array_equal(np.concatenate(parts), whole)


def test_an_interval_has_the_width_of_the_standard_error_and_of_its_confidence():
    values = np.random.default_rng(0).normal([0.0, 5.0], [1.0, 2.0], (400, 2))
    mean, low, high = mean_interval(values, 0.95, seed=0)
    assert np.array_equal(mean, values.mean(axis=0))
    expected = 2 * 1.96 * values.std(axis=0) / np.sqrt(400)
    assert high - low == pytest.approx(expected, rel=0.15)
    _, narrow, wide = mean_interval(values, 0.5, seed=0)
    assert (low < narrow).all() and (narrow < wide).all() and (wide < high).all()
    assert RESAMPLES >= 500
    assert not np.array_equal(mean_interval(values, 0.95, seed=1)[1], low)


def test_rows_of_a_group_have_one_weight():
    groups = np.array(["b", "a", "b", "c", "a"])
    weights = np.concatenate(list(bootstrap_weights(5, 50, seed=0, groups=groups)))
    assert np.array_equal(weights[:, 0], weights[:, 2])
    assert np.array_equal(weights[:, 1], weights[:, 4])
    assert len(np.unique(weights)) == 3 * 50


def test_an_interval_by_groups_has_the_width_of_the_standard_error_of_groups():
    """Rows of a group are equal, so each group counts as one observation."""
    random = np.random.default_rng(0)
    values, groups = np.repeat(random.normal(size=200), 4)[:, None], np.repeat(np.arange(200), 4)
    expected = 2 * 1.96 * values.std() / np.sqrt(200)
    _, low, high = mean_interval(values, 0.95, 0, groups)
    assert high - low == pytest.approx([expected], rel=0.15)
    _, low, high = mean_interval(values, 0.95, 0)
    assert high - low == pytest.approx([expected / 2], rel=0.15)
