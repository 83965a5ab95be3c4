import numpy as np
import pandas as pd
import pytest

from titanic_ml.dataset import Dataset, stratified_splits
from titanic_ml.errors import DataError


def make(frame, schema, **kwargs):
    return Dataset.from_frame(frame, schema, "t", **kwargs)


def test_parts_and_repr(dataset, unlabelled, schema):
    assert list(dataset.X) == schema.features
    assert dataset.ids.tolist() == list(range(1, 892))
    assert dataset.y.sum() == 342
    assert repr(dataset) == "Dataset(891 rows, 10 columns, 38.4% positive)"
    assert unlabelled.y is None and repr(unlabelled) == "Dataset(418 rows, 10 columns)"


def test_fingerprint_is_of_the_values_not_of_the_format(train_frame, schema, tmp_path):
    fingerprint = make(train_frame, schema).fingerprint
    assert len(fingerprint) == 64
    assert make(train_frame[sorted(train_frame)], schema).fingerprint == fingerprint
    path = tmp_path / "t.parquet"
    make(train_frame, schema).X.assign(
        PassengerId=range(1, 892), Survived=train_frame["Survived"].astype(int).to_numpy()
    ).to_parquet(path)
    assert make(pd.read_parquet(path), schema).fingerprint == fingerprint


@pytest.mark.parametrize("column, value", [("Age", 99), ("Survived", 1), ("PassengerId", 5000)])
def test_fingerprint_changes_with_any_value(train_frame, schema, column, value):
    before = make(train_frame, schema).fingerprint
    train_frame.loc[0, column] = str(value)
    assert make(train_frame, schema).fingerprint != before


def test_fingerprint_tells_a_table_with_its_target_from_one_without(train_frame, schema):
    with_target, without = (make(train_frame, schema, with_target=on) for on in (True, False))
    assert with_target.fingerprint != without.fingerprint


def test_row_hashes_are_of_the_row_alone(dataset, train_frame, schema):
    half = make(train_frame.iloc[::-2], schema)
    assert (half.row_hashes == dataset.row_hashes[::-2]).all()
    assert len(set(dataset.row_hashes)) == 891


def test_profile_describes_numbers_and_words(dataset):
    profile = dataset.profile()
    assert profile["Age"] == {"missing": 177, "quantiles": [0.42, 20.125, 28.0, 38.0, 80.0]}
    assert profile["Sex"] == {
        "missing": 0,
        "distinct": 2,
        "commonest": {"male": 577, "female": 314},
    }


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
