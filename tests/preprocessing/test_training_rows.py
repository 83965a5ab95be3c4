import numpy as np
import pytest

from titanic_ml.preprocessing.coded import Coded
from titanic_ml.preprocessing.training_rows import TrainingRows

X = {
    "name": ["a", "b", "b", "c"],
    "age": np.array([1.0, 2.0, 2.0, np.nan]),
    "kind": ["x", "y", "y", "x"],
}
RATE = {"rate": np.array([0.1, 0.2, 0.4, 0.5])}


@pytest.fixture
def rows():
    return TrainingRows().fit(X, RATE)


def test_identical_training_rows_share_their_mean(rows):
    found = rows.replace(X, {"rate": np.full(4, 9.0)})
    assert found["rate"] == pytest.approx([0.1, 0.3, 0.3, 0.5])


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, 0.1),
        ({"name": "A"}, 9.0),
        ({"name": "b"}, 9.0),
        ({"age": 1.5}, 9.0),
        ({"age": None}, 9.0),
        ({"kind": "y"}, 9.0),
        ({"name": "c", "age": None}, 0.5),
        ({"name": "c", "age": float("nan")}, 0.5),
    ],
)
def test_a_row_is_recognised_by_all_of_its_values(rows, change, expected):
    row = {"name": "a", "age": 1.0, "kind": "x"} | change
    assert rows.replace(row, {"rate": 9.0}) == {"rate": expected}
    columns = {name: [value, value] for name, value in row.items()}
    for given in (columns, {name: Coded.of(values) for name, values in columns.items()}):
        found = rows.replace(given, {"rate": np.array([9.0, 9.0])})
        assert found["rate"].tolist() == [expected] * 2


def test_the_features_given_are_not_changed(rows):
    given = {"rate": np.zeros(4)}
    rows.replace(X, given)
    assert not given["rate"].any()


def test_the_column_with_most_values_comes_first(rows):
    assert rows.names_[0] in ("name", "age") and rows.names_[-1] == "kind"
