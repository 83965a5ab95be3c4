import pytest

from titanic_ml.dataset.spec import Column, DatasetSpec
from titanic_ml.errors import SettingsError

COLUMNS = {"id": {"kind": "integer"}, "y": {"kind": "integer", "allowed": [0, 1]}}


def make(columns=None, **changes):
    settings = {"name": "t", "id": "id", "target": "y", "features": {}}
    settings["columns"] = {**COLUMNS, **(columns or {})}
    return DatasetSpec.from_dict({**settings, **changes})


def test_features_are_the_columns_but_id_and_target():
    assert make({"a": {"kind": "text"}, "b": {"kind": "number"}}).inputs == ["a", "b"]


def test_what_is_not_set_is_required():
    with pytest.raises(SettingsError, match="dataset.target is not set"):
        DatasetSpec.from_dict({"name": "t", "id": "id", "columns": COLUMNS})


def test_the_specification_of_the_titanic_has_every_property(spec):
    assert spec.kinds["Ticket"] == "text" and spec.baseline == "Sex"
    assert list(spec.slices) == ["sex", "class", "age", "port", "company"]
    assert spec.slices["age"].edges == [16, 40, 60]
    assert len(spec.not_for) == 2 and "Kaggle" in spec.about
    assert spec.columns["Age"].nullable and not spec.columns["Sex"].nullable
    assert spec.columns["PassengerId"].unique
    assert spec.columns["Embarked"].allowed == ("C", "Q", "S")
    assert (spec.columns["Fare"].minimum, spec.columns["Fare"].maximum) == (0, 1000)


@pytest.mark.parametrize(
    "columns, changes, words",
    [
        ({"a": {"kind": "text", "colour": 1}}, {}, "dataset.columns.a: unknown colour"),
        ({"a": {"kind": "date"}}, {}, "dataset.columns.a.kind is date, expected one of integer"),
        ({"a": {}}, {}, "dataset.columns.a.kind is None"),
        ({"a": {"kind": "text", "case": "title"}}, {}, "a.case is title, expected one of keep, up"),
        ({"a": {"kind": "text", "pattern": "("}}, {}, "a.pattern can't be used: unclosed group"),
        ({"a": {"kind": "text", "pattern": "(?!a)b"}}, {}, "a.pattern can't be used: look-around"),
        ({"a": {"kind": "category", "allowed": ["b ", "c"]}}, {}, "a.allowed has 'b ', expected"),
        ({"a": {"kind": "category", "allowed": ["NA"]}}, {}, "a.allowed has 'NA', expected"),
        ({"a": {"kind": "category", "allowed": [1, 2]}}, {}, "a.allowed has 1, expected"),
        ({}, {"id": "x"}, "dataset.id is x, expected one of the columns"),
        ({}, {"target": "x"}, "dataset.target is x"),
        ({}, {"taget": "y"}, "dataset: unknown taget; did you mean target?"),
        ({}, {"slices": {"a": "z"}}, "dataset.slices.a: no column z"),
        ({}, {"slices": {"a": "y"}}, "dataset.slices.a: no column y"),  # the target is no input
    ],
)
def test_a_wrong_specification_is_named(columns, changes, words):
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
