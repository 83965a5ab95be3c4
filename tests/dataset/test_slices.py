import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from titanic_ml.dataset import slices
from titanic_ml.dataset.slices import parse_slices
from titanic_ml.errors import SettingsError


def slice_labels(X, nodes):
    """Read the slices and cut the table."""
    return slices.slice_labels(X, parse_slices(nodes, list(X)))


@pytest.fixture
def X():
    columns = {
        "age": [5.0, 16.0, 39.9, np.nan],
        "class": [1, 2, 3, 3],
        "sex": ["male", "female", None, "male"],
        "alone": [True, False, True, True],
        "fare": [7.0, 7.25, np.nan, 0.0],
    }
    return pd.DataFrame(columns, index=[3, 1, 4, 15])


LABELS = [
    ("sex", ["male", "female", "unknown", "male"]),
    ("class", ["1", "2", "3", "3"]),
    ("alone", ["true", "false", "true", "true"]),
    ("fare", ["7", "7.25", "unknown", "0"]),
    ({"column": "sex"}, ["male", "female", "unknown", "male"]),
    ({"column": "age", "edges": [16, 40]}, ["under 16", "16 to 40", "16 to 40", "unknown"]),
    ({"column": "age", "edges": [16]}, ["under 16", "16 and over", "16 and over", "unknown"]),
    ({"column": "age", "edges": (5.5, 20)}, ["under 5.5", "5.5 to 20", "20 and over", "unknown"]),
    ({"column": "alone", "edges": [1]}, ["1 and over", "under 1", "1 and over", "1 and over"]),
    ({"column": "class", "names": {1: "first", 3: "third"}}, ["first", "2", "third", "third"]),
    ({"column": "fare", "names": {7: "seven", "0": "free"}}, ["seven", "7.25", "unknown", "free"]),
    ({"column": "sex", "names": {"unknown": "?"}}, ["male", "female", "?", "male"]),
    (
        {"column": "age", "edges": [16], "names": {"under 16": "child"}},
        ["child", "16 and over", "16 and over", "unknown"],
    ),
    ({"expression": "fare > 7"}, ["false", "true", "false", "false"]),
    (
        {"expression": "sex == 'male' and age < 10", "names": {True: "boy", False: "other"}},
        ["boy", "other", "other", "other"],
    ),
    (
        {"expression": "age * 2", "edges": [32]},
        ["under 32", "32 and over", "32 and over", "unknown"],
    ),
    ({"expression": "1"}, ["1", "1", "1", "1"]),
]


@pytest.mark.parametrize("node, labels", LABELS)
def test_labels(X, node, labels):
    before = X.copy()
    found = slice_labels(X, {"name": node})["name"]
    assert found.tolist() == labels
    assert found.index.equals(X.index) and found.dtype == "str"
    pd.testing.assert_frame_equal(X, before)


def test_slices_keep_their_order_and_none_is_none(X):
    assert list(slice_labels(X, {"b": "sex", "a": "class"})) == ["b", "a"]
    assert slice_labels(X, {}) == {}


def test_missing_values_of_every_type_are_unknown():
    X = pd.DataFrame({"i": pd.array([1, None], "Int64"), "c": pd.Categorical(["x", None])})
    found = slice_labels(X, {"i": "i", "c": "c", "edged": {"column": "i", "edges": [1]}})
    assert found["i"].tolist() == ["1", "unknown"]
    assert found["c"].tolist() == ["x", "unknown"]
    assert found["edged"].tolist() == ["1 and over", "unknown"]


def test_empty_table_has_no_labels(X):
    nodes = {"a": "sex", "b": {"column": "age", "edges": [16]}, "c": {"expression": "fare > 7"}}
    assert [len(labels) for labels in slice_labels(X.head(0), nodes).values()] == [0, 0, 0]


@given(st.floats(allow_nan=False), st.lists(st.integers(-99, 99), min_size=1, unique=True))
def test_range_holds_the_number(value, edges):
    edges = sorted(edges)
    X = pd.DataFrame({"number": [value]})
    (label,) = slice_labels(X, {"s": {"column": "number", "edges": edges}})["s"]
    if value < edges[0]:
        assert label == f"under {edges[0]}"
    elif value >= edges[-1]:
        assert label == f"{edges[-1]} and over"
    else:  # the lower end included
        low, high = map(int, label.split(" to "))
        assert low <= value < high


FAULTS = [
    ("nobody", "no column nobody, expected one of age, class, sex"),
    ({"column": ["age"]}, "no column ['age']"),
    ({"column": "age", "edge": [1]}, "unknown edge, expected column, expression, edges, names"),
    ({"column": "age", 1: 2}, "unknown 1"),
    ({}, "expected either a column or an expression"),
    ({"column": "age", "expression": "age"}, "expected either a column or an expression"),
    ({"expression": "nobody > 1"}, "can't compute 'nobody > 1': name 'nobody' is not defined"),
    ({"expression": "age >"}, "can't compute 'age >'"),
    ({"expression": ""}, "can't compute ''"),
    ({"expression": "sex + 1"}, "can't compute 'sex + 1'"),
    ({"expression": "twice = age * 2"}, "can't compute 'twice = age * 2'"),
    ({"expression": "@X.age"}, "can't compute '@X.age'"),  # of the columns alone
    ({"expression": "@key"}, "can't compute '@key'"),
    ({"expression": "@pd"}, "can't compute '@pd'"),
    ({"column": "age", "edges": []}, ".edges is [], expected rising numbers"),
    ({"column": "age", "edges": [40, 16]}, ".edges is [40, 16], expected rising numbers"),
    ({"column": "age", "edges": [16, 16]}, ".edges is [16, 16]"),
    ({"column": "age", "edges": [float("nan")]}, ".edges is [nan]"),
    ({"column": "age", "edges": [16, float("inf")]}, ".edges is [16, inf]"),
    ({"column": "age", "edges": 16}, ".edges is 16"),
    ({"column": "age", "edges": None}, ".edges is None"),
    ({"column": "age", "edges": "16"}, ".edges is 16"),
    ({"column": "age", "edges": ["a", "b"]}, ".edges is ['a', 'b']"),
    ({"column": "sex", "edges": [16]}, ".edges is [16], expected rising numbers, for a numeric"),
    ({"column": "age", "names": ["a"]}, ".names is ['a'], expected a mapping"),
    ({"column": "age", "names": None}, ".names is None, expected a mapping"),
    (None, "dataset.slices.company is None, expected a mapping"),
    (["age"], "dataset.slices.company is ['age'], expected a mapping"),
]


@pytest.mark.parametrize("node, words", FAULTS)
def test_faults_are_one_sentence_that_names_the_setting(X, node, words):
    with pytest.raises(SettingsError) as caught:
        slice_labels(X, {"sex": "sex", "company": node})
    message = str(caught.value)
    assert message.startswith("dataset.slices.company") and words in message
    assert "\n" not in message


def test_an_error_without_words_is_named_by_its_type(X, monkeypatch):
    def fail(*_, **__):
        raise RecursionError

    monkeypatch.setattr(pd.DataFrame, "eval", fail)
    with pytest.raises(SettingsError, match="can't compute 'age': RecursionError$"):
        slice_labels(X, {"company": {"expression": "age"}})


def test_slices_that_are_a_list_are_refused(X):
    with pytest.raises(SettingsError, match="dataset.slices is .*, expected a mapping"):
        slice_labels(X, ["sex"])


def test_settings_of_the_project_name_the_slices_of_its_table(settings, dataset):
    found = slice_labels(dataset.X, settings.dataset["slices"])
    assert set(found["class"]) == {"1", "2", "3"}
    assert set(found["company"]) == {"alone", "with family"}
    assert set(found["age"]) == {"under 16", "16 to 40", "40 to 60", "60 and over", "unknown"}
    assert (found["port"] == "unknown").sum() == 2
