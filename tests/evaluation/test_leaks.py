import numpy as np
import pandas as pd
import pytest

from titanic_ml.evaluation.leaks import explained_by, leak_folds

RANDOM = np.random.default_rng(0)
Y = (RANDOM.random(2000) < 0.3).astype("int64")


@pytest.mark.parametrize(
    "values, low, high",
    [
        (np.where(Y, RANDOM.normal(100, 5, 2000), 0.0), 0.95, 1.0),
        (np.where(Y, "paid", "open"), 0.95, 1.0),
        (np.where(Y, np.nan, 1.0), 0.95, 1.0),
        (Y + RANDOM.normal(0, 1, 2000), 0.1, 0.4),
        (RANDOM.normal(size=2000), -0.1, 0.02),
        (np.arange(2000).astype("str"), -0.1, 0.01),  # each word once
        (np.full(2000, np.nan), 0.0, 0.0),
    ],
)
def test_the_explained_share_of_the_log_loss(values, low, high):
    assert low <= explained_by(pd.Series(values), Y, leak_folds(Y)) <= high


def test_the_order_of_a_sorted_table_predicts_its_target():
    y = np.sort(Y)
    assert explained_by(pd.Series(np.arange(2000.0)), y, leak_folds(y)) > 0.9
