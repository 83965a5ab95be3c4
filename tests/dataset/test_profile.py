"""The profile of a column has no rows, and not too many values."""

from __future__ import annotations

import numpy as np
import pandas as pd

from titanic_ml.dataset.profile import MOST_VALUES, ColumnProfile


def test_of_many_numbers_the_quantiles_are_kept():
    numbers = pd.Series(np.random.default_rng(0).normal(size=50_000))
    profile = ColumnProfile.of(numbers)
    assert len(profile.values) <= MOST_VALUES and sum(profile.counts) == 50_000
    kept = np.repeat(profile.values, profile.counts)
    for q in (0.01, 0.25, 0.5, 0.75, 0.99):
        assert abs(np.quantile(kept, q) - numbers.quantile(q)) < 0.01


def test_of_many_words_the_commonest_are_kept():
    words = pd.Series([f"word {n}" for n in range(2000)] + ["common"] * 5)
    profile = ColumnProfile.of(words)
    assert len(profile.values) == MOST_VALUES and profile.rows == 2005
    assert profile.counts[profile.values.index("common")] == 5


def test_a_column_without_a_value():
    assert ColumnProfile.of(pd.Series([np.nan, np.nan])) == ColumnProfile(2, 2, [], [])
