"""Whether a model is still as good."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from titanic_ml.evaluation.evaluator import Evaluator
from titanic_ml.evaluation.metrics import row_losses
from titanic_ml.monitoring.performance import compared


@pytest.mark.parametrize("flipped, worse", [(0.0, False), (0.3, True)])
def test_worse_is_what_chance_does_not_do(flipped, worse):
    random = np.random.default_rng(0)
    p = random.random(1200)
    y = (random.random(1200) < p).astype(int)
    before, later = slice(0, 800), slice(800, 1200)
    wrong = random.random(400) < flipped
    now = np.where(wrong, 1 - y[later], y[later])
    evaluator = Evaluator(resamples=50)
    old = evaluator.evaluate(y[before], p[before])
    losses = row_losses(y[before], p[before])
    new = evaluator.evaluate(now, p[later])
    found = compared(new, now, p[later], old.estimates, losses, 0.01)
    assert found.worse is worse
    test = stats.ttest_ind(row_losses(now, p[later]), losses, equal_var=False)
    assert found.p == pytest.approx(test.pvalue)
    assert found.difference.low < found.difference.value < found.difference.high
    assert ("worse, by more than chance" in found.verdict) is worse
    assert found.to_dict()["worse"] is worse


@pytest.mark.usefixtures("unmeasured")
@pytest.mark.system
def test_an_increase_of_the_detectable_size_is_found_in_eighty_per_cent_of_cases():
    random = np.random.default_rng(0)
    found = 0
    for _ in range(200):
        before, later = random.normal(0.4, 0.5, 800), random.normal(0.4, 0.5, 300)
        p = np.exp(-np.abs(later))  # the log loss of class 1 is |later|
        y = np.ones(300, dtype=int)
        y[0] = 0
        now = Evaluator(5, n_jobs=1).evaluate(y, p)
        size = compared(now, y, p, now.estimates, np.abs(before), 0.05).detectable
        worse = row_losses(y, p) + size
        found += stats.ttest_ind(worse, np.abs(before), equal_var=False).pvalue < 0.05
    assert 0.7 < found / 200 < 0.9
