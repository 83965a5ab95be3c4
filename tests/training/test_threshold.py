import numpy as np
import pytest
from sklearn import metrics

from titanic_ml.config.settings import THRESHOLD_METRICS
from titanic_ml.training.threshold import GRID, choose_threshold

SCIKIT_LEARN = {
    "accuracy": metrics.accuracy_score,
    "balanced_accuracy": metrics.balanced_accuracy_score,
    "f1": metrics.f1_score,
    "mcc": metrics.matthews_corrcoef,
}


def separated(cut, rows=200, seed=0):
    """Truth that a threshold of `cut` answers without a fault, and 0.5 does not."""
    p = np.random.default_rng(seed).uniform(0, 1, rows)
    p[np.abs(p - cut) < 0.005] = cut + 0.005
    return (p >= cut).astype(int), p


@pytest.mark.parametrize("metric", THRESHOLD_METRICS)
@pytest.mark.parametrize("cut", [0.2, 0.35, 0.7])
def test_a_clearly_better_threshold_is_found(metric, cut):
    y, p = separated(cut)
    chosen = choose_threshold(y, p, metric, seed=0)
    score = SCIKIT_LEARN[metric]
    assert score(y, p >= chosen) == 1 > score(y, p >= 0.5)


@pytest.mark.parametrize("metric", THRESHOLD_METRICS)
def test_it_stays_at_one_half_where_that_is_best(metric):
    y, p = separated(0.5)
    assert choose_threshold(y, p, metric, seed=0) == 0.5


def test_it_stays_at_one_half_unless_another_is_better_by_two_standard_errors():
    """k of 100 rows are answered right at 0.4 and wrong at 0.5: standard error about √k / 100."""
    chosen = []
    for gained, lost in [(1, 0), (2, 1), (5, 4), (9, 4), (12, 2)]:
        y, p = np.repeat([0, 1], 50), np.repeat([0.1, 0.9], 50)
        p[50 : 50 + gained] = 0.45
        p[:lost] = 0.45
        chosen.append(choose_threshold(y, p, "accuracy", seed=0))
    # gain 1 of error 1, 1 of √3, 1 of 3, 5 of √13, 10 of √14
    assert chosen == [0.5, 0.5, 0.5, 0.5, 0.45]


@pytest.mark.system
@pytest.mark.usefixtures("unmeasured")
def test_chance_alone_seldom_moves_it():
    """The probabilities are true, so 0.5 is best for accuracy, whatever a sample says."""
    moved, tempted = 0, 0
    for seed in range(30):
        random = np.random.default_rng(seed)
        p = random.uniform(size=300)
        y = (random.uniform(size=300) < p).astype(int)
        best = max(GRID, key=lambda cut: metrics.accuracy_score(y, p >= cut))
        tempted += best != 0.5
        moved += choose_threshold(y, p, "accuracy", seed=0) != 0.5
    assert tempted >= 25 and moved <= 5


def test_of_equally_good_ones_the_nearest_to_one_half_is_taken():
    y = np.repeat([0, 1], 50)
    below, above = np.where(y == 1, 0.4, 0.1), np.where(y == 1, 0.9, 0.6)
    assert choose_threshold(y, below, "accuracy", seed=0) == 0.4
    assert choose_threshold(y, above, "accuracy", seed=0) == 0.61


def test_constant_probabilities_and_one_class_stay_at_one_half():
    y = np.repeat([0, 1], [60, 40])
    assert choose_threshold(y, np.full(100, 0.5), "mcc", seed=0) == 0.5
    assert choose_threshold(np.zeros(9), np.full(9, 0.2), "f1", seed=0) == 0.5


def test_it_follows_the_seed_and_leaves_its_inputs_alone():
    y, p = separated(0.3)
    before = y.copy(), p.copy()
    first, second = (choose_threshold(y, p, "f1", seed=4) for _ in range(2))
    assert first == second and type(first) is float
    np.testing.assert_array_equal(before, (y, p))


def test_grid_holds_one_half_and_hundredths():
    assert 0.5 in GRID and GRID[0] == 0.05 and GRID[-1] == 0.95
    assert [float(str(cut)) for cut in GRID] == [round(i / 100, 2) for i in range(5, 96)]
