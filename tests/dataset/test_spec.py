import numpy as np
import pandas as pd
import pytest

from titanic_ml.dataset.dataset import Dataset
from titanic_ml.dataset.parsing import parsed_column
from titanic_ml.dataset.records import RecordReader
from titanic_ml.dataset.spec import Column, DatasetSpec
from titanic_ml.errors import InvalidTable, SettingsError

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
        ({"a": {"kind": "time"}}, {}, "dataset.columns.a.kind is time, expected one of integer"),
        ({"a": {"kind": "date", "minimum": "today"}}, {}, "columns.a: minimum and maximum must be"),
        ({"a": 1}, {}, "dataset.columns.a is 1, expected a mapping"),
        ({True: {"kind": "text"}}, {}, "dataset.columns has the name true, which YAML reads as"),
        ({"run_id": {"kind": "text"}}, {}, "dataset.columns has run_id, a column that the package"),
        ({"row": {"kind": "text"}}, {"id": None}, "dataset.columns has row, the name of the id"),
        (
            {"y": {"kind": "category", "allowed": ["a", "b"]}},
            {},
            "dataset.positive is not set; nam",
        ),
        ({"y": {"kind": "integer"}}, {}, "dataset.positive is 1, and dataset.columns.y.allowed is"),
        ({}, {"positive": 2}, "dataset.positive is 2, and dataset.columns.y.allowed is 0, 1"),
        ({}, {"baseline": "x"}, "dataset.baseline is x, expected one of the columns"),
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


WORDS = {"kind": "category", "allowed": ["good", "bad"]}


@pytest.mark.parametrize(
    "target, positive, answers, kind, outcome",
    [
        ({"kind": "integer", "allowed": [0, 1]}, None, (0, 1), "integer", "y"),
        ({"kind": "integer", "allowed": [1, 2]}, 2, (1, 2), "integer", "y 2"),
        (WORDS, "bad", ("good", "bad"), "text", "y bad"),
        (WORDS, "BAD ", ("good", "bad"), "text", "y bad"),
        ({"kind": "bool"}, None, (False, True), "bool", "y"),
        ({"kind": "bool"}, False, (True, False), "bool", "y false"),
        ({"kind": "integer", "allowed": [1, 2, 3]}, 3, ("not 3", "3"), "text", "y 3"),
        ({"kind": "category", "allowed": ["a", "b", "c"]}, "c", ("not c", "c"), "text", "y c"),
    ],
)
def test_answers_are_values_of_the_target(target, positive, answers, kind, outcome):
    spec = make({"y": target}, positive=positive)
    assert (spec.answers, spec.answer_kind, spec.outcome) == (answers, kind, outcome)


def test_a_table_without_id_is_numbered_and_may_have_ignored_columns():
    spec = make({"a": {"kind": "number"}, "b": {"kind": "text", "ignore": True}}, id=None)
    assert spec.id == "row" and spec.inputs == ["id", "a"] and spec.ignored == ("b",)
    frame = pd.DataFrame({"id": [5, 6], "a": [0.5, 1.5], "B": ["x", 1]})
    data = Dataset.from_frame(frame, spec, "t", with_target=False)
    assert data.ids.tolist() == [1, 2] and list(data.X) == ["id", "a"]
    assert RecordReader(spec).read({"id": 5, "a": 1, "b": [1]}) == {"row": None, "id": 5, "a": 1.0}
    with pytest.raises(InvalidTable, match="column c: found an unknown column"):
        Dataset.from_frame(frame.assign(c=1), spec, "t", with_target=False)


def test_small_numbers_keep_their_significant_digits():
    column = Column("number")
    assert [column.read(v) for v in (1.5e-9, "2e-12", 0.1 + 0.2)] == [1.5e-9, 2e-12, 0.3]
    assert column.read(np.float32(0.1)) == 0.1 and column.read(123456789.125) == 123456789.125
    found, _ = parsed_column(pd.Series([0.1, 7.2292], dtype="float32"), column)
    assert found.tolist() == [0.1, 7.2292]


def test_a_date_is_a_number_of_days_and_is_shown_as_a_date():
    column = Column.from_dict("a", {"kind": "date", "minimum": "1970-01-02"})
    assert column.read("1970-01-31") == 30.0 and column.minimum == 1.0
    assert column.expected == "a date such as 2026-01-31, at least 1970-01-02"
    times = pd.to_datetime(pd.Series(["1970-01-31 23:00", None]))
    assert parsed_column(times, column)[0].tolist()[0] == 30.0
    with pytest.raises(ValueError):
        column.read(30)
