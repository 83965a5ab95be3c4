import pytest

from titanic_ml.dataset.schema import Column, Schema
from titanic_ml.errors import SettingsError

COLUMNS = {"id": {"kind": "integer"}, "y": {"kind": "integer", "allowed": [0, 1]}}


def make(columns=None, **changes):
    settings = {"name": "t", "id": "id", "target": "y", "columns": {**COLUMNS, **(columns or {})}}
    return Schema.from_dict({**settings, **changes})


def test_features_are_the_columns_but_id_and_target():
    assert make({"a": {"kind": "text"}, "b": {"kind": "number"}}).features == ["a", "b"]


def test_titanic_schema_reads_every_property(schema):
    assert schema.columns["Age"].nullable and not schema.columns["Sex"].nullable
    assert schema.columns["PassengerId"].unique
    assert schema.columns["Embarked"].allowed == ("C", "Q", "S")
    assert (schema.columns["Fare"].minimum, schema.columns["Fare"].maximum) == (0, 1000)


@pytest.mark.parametrize(
    "columns, changes, words",
    [
        ({"a": {"kind": "text", "colour": 1}}, {}, "dataset.columns.a: unknown colour"),
        ({"a": {"kind": "date"}}, {}, "dataset.columns.a.kind is date, expected one of integer"),
        ({"a": {}}, {}, "dataset.columns.a.kind is None"),
        ({}, {"id": "x"}, "dataset.id is x, expected one of the columns"),
        ({}, {"target": "x"}, "dataset.target is x"),
    ],
)
def test_a_wrong_schema_is_named(columns, changes, words):
    with pytest.raises(SettingsError) as caught:
        make(columns, **changes)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    "column, words",
    [
        (Column("integer", minimum=1), "a whole number of at most 15 digits, at least 1"),
        (Column("integer", maximum=9), "a whole number, at most 9"),
        (Column("number", minimum=0, maximum=2.5), "a number, at least 0, at most 2.5"),
        (Column("category", allowed=("a", "b")), "a word, one of a, b"),
        (Column("text", nullable=True), "a text, or nothing"),
    ],
)
def test_expected_says_what_is_allowed(column, words):
    assert column.expected == words
