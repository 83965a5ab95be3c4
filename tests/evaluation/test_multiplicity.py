"""Corrected p-values."""

import numpy as np
import pytest

from titanic_ml.evaluation.multiplicity import holm


def test_the_correction_is_holms():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == [] and holm([0.9, 0.8]) == [1.0, 1.0]


def test_a_family_of_true_hypotheses_is_wrong_in_five_per_cent():
    families = np.random.default_rng(0).uniform(size=(4_000, 5))
    assert 0.04 < np.mean([min(holm(family)) < 0.05 for family in families]) < 0.06
