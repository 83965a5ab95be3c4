import numpy as np
import pandas as pd
import pytest

from titanic_ml.dataset.splits import stratified_splits
from titanic_ml.errors import DataError


def test_splits_repeat_cover_and_stratify(dataset):
    splits = stratified_splits(dataset.y, folds=5, repeats=2, seed=3)
    assert len(splits) == 10
    for repeat in (splits[:5], splits[5:]):
        rows = np.concatenate([test for _, test in repeat])
        assert sorted(rows) == list(range(891))
    for train, test in splits:
        assert not set(train) & set(test)
        assert dataset.y.iloc[test].mean() == pytest.approx(dataset.y.mean(), abs=0.01)
    assert not np.array_equal(splits[0][1], splits[5][1])


def test_splits_follow_the_seed(dataset):
    first, again, other = (stratified_splits(dataset.y, 3, 1, seed)[0][1] for seed in (1, 1, 2))
    assert np.array_equal(first, again) and not np.array_equal(first, other)


def test_too_few_rows_of_a_class_are_named():
    with pytest.raises(
        DataError, match="a class has 2 of 10 rows, expected at least 3 for 3 folds"
    ):
        stratified_splits(pd.Series([0] * 8 + [1] * 2), 3, 1, 0)
