"""Confusion matrices at other thresholds."""

from __future__ import annotations

import numpy as np
import pytest

from titanic_ml.evaluation.thresholds import confusions


def test_each_hundredth_has_its_confusion():
    y = np.array([1, 1, 0, 0])
    p = np.array([[0.9], [0.4], [0.5], [0.1]])
    found = confusions(y, p)
    assert [one["threshold"] for one in found][::50] == [0.0, 0.5, 1.0]
    assert found[50] == {
        **{"threshold": 0.5, "true_1": 1, "false_1": 1},
        **{"false_0": 1, "true_0": 1},
    }
    assert found[0]["true_1"] == found[0]["false_1"] == 2
    assert found[100]["false_0"] == found[100]["true_0"] == 2


def test_it_is_the_mean_of_the_repeats_and_that_of_the_evaluation(training):
    evaluation = training.evaluation
    table = training.selection.out_of_fold.probability.to_numpy()
    y = np.zeros(len(table), dtype=int)
    y[: evaluation.positives] = 1
    for step in confusions(y, table)[::10]:
        counts = [step[name] for name in ("true_1", "false_1", "false_0", "true_0")]
        assert sum(counts) == pytest.approx(len(table), abs=0.05)
        assert step["true_1"] + step["false_0"] == pytest.approx(evaluation.positives, abs=0.05)
