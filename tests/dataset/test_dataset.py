from dataclasses import replace

import pandas as pd
import pytest

from titanic_ml.dataset.dataset import Dataset
from titanic_ml.errors import InvalidTable


def make(frame, spec, **kwargs):
    return Dataset.from_frame(frame, spec, "t", **kwargs)


def test_parts_and_repr(dataset, unlabelled, spec):
    assert list(dataset.X) == spec.inputs
    assert dataset.ids.tolist() == list(range(1, 892))
    assert dataset.y.sum() == 342
    assert repr(dataset) == "Dataset(891 rows, 10 columns, 38.4% positive)"
    assert unlabelled.y is None and repr(unlabelled) == "Dataset(418 rows, 10 columns)"


def test_rows_without_a_nullable_target_are_left_out(train_frame, spec):
    train_frame.loc[[0, 5], "Survived"] = None
    with pytest.raises(InvalidTable, match="row 1, column Survived: found nothing"):
        make(train_frame, spec)
    target = replace(spec.columns["Survived"], nullable=True)
    nullable = replace(spec, columns={**spec.columns, "Survived": target})
    found = make(train_frame, nullable)
    assert found.ids.tolist() == [n for n in range(1, 892) if n not in (1, 6)]
    assert found.X.index.equals(pd.RangeIndex(889)) and found.y.index.equals(pd.RangeIndex(889))
    assert found.positives == 342 and len(make(train_frame, nullable, with_target=False)) == 891


def test_fingerprint_is_of_the_values_not_of_the_format(train_frame, spec, tmp_path):
    fingerprint = make(train_frame, spec).fingerprint
    assert len(fingerprint) == 64
    assert make(train_frame[sorted(train_frame)], spec).fingerprint == fingerprint
    path = tmp_path / "t.parquet"
    make(train_frame, spec).X.assign(
        PassengerId=range(1, 892), Survived=train_frame["Survived"].astype(int).to_numpy()
    ).to_parquet(path)
    assert make(pd.read_parquet(path), spec).fingerprint == fingerprint


@pytest.mark.parametrize("column, value", [("Age", 99), ("Survived", 1), ("PassengerId", 5000)])
def test_fingerprint_changes_with_any_value(train_frame, spec, column, value):
    before = make(train_frame, spec).fingerprint
    train_frame.loc[0, column] = str(value)
    assert make(train_frame, spec).fingerprint != before


def test_fingerprint_depends_on_the_target(train_frame, spec):
    with_target, without = (make(train_frame, spec, with_target=on) for on in (True, False))
    assert with_target.fingerprint != without.fingerprint


def test_row_hashes_are_of_the_row_alone(dataset, train_frame, spec):
    half = make(train_frame.iloc[::-2], spec)
    assert (half.row_hashes == dataset.row_hashes[::-2]).all()
    assert len(set(dataset.row_hashes)) == 891


def test_profile_describes_numbers_and_words(dataset, spec):
    profile = dataset.profile(spec)
    assert list(profile) == spec.inputs
    assert profile["Age"].summary == {
        "missing": 177,
        "quantiles": [0.42, 20.125, 28.0, 38.0, 80.0],
    }
    assert profile["Sex"].summary == {
        "missing": 0,
        "distinct": 2,
        "commonest": {"male": 577, "female": 314},
    }
    assert profile["Cabin"].summary == {"missing": 687}
