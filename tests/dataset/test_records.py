"""A record is accepted with the values, or refused in the words, of a table of one row."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from titanic_ml.dataset.columns import check, validate
from titanic_ml.dataset.records import RecordReader, record_model
from titanic_ml.dataset.spec import Column, DatasetSpec
from titanic_ml.errors import InvalidTable

ROW = {
    **{"PassengerId": 1, "Pclass": 3, "Name": "Braund, Mr. Owen", "Sex": "male", "Age": 22.0},
    **{"SibSp": 1, "Parch": 0, "Ticket": "A/5 21171", "Fare": 7.25, "Cabin": None, "Embarked": "S"},
}
VALUES = [
    *(None, float("nan"), "", " n/a ", 0, 1, 3, 2.5, -1, 121, "22", " 3 ", "3.0", "1e1", "1_0"),
    *(True, False, 7.00005, 7.00015, 0.125, -0.0, 1e15, 10**15 - 1, 10**30, float("inf"), "inf"),
    *("male", "FEMALE ", "s", "X", "C85", "c85 C87", "Z1", 330911.0, "a, b. c", "a b", "7,25"),
    *("O’Brien, Mr. A", "Åström, Fröken. I", "x" * 501, "9" * 600, 10**400, -(10**5000)),
    *(b"x", [1], {"a": 1}, np.int64(3), np.float32(7.2292), np.True_, pd.NA, pd.NaT, 1j),
    *("True", " FALSE", "2024-02-30", "2024-02-29", "2024-02-29T23:59:00+05:00", "1969-12-31"),
    *("5%", " 5 %", "%", "?", "x", "none", "1.5e-9", 0.1 + 0.2, np.float32(0.1), 1e-300, 1e300),
    *(np.datetime64("2024-02-29T12:00"), datetime(2024, 2, 29, 12), date(2024, 2, 29)),
    *("\x00", "７", Decimal("7.25"), Decimal("NaN"), np.datetime64("NaT"), pd.Timestamp(0)),
]
GENERATED = st.sampled_from(VALUES) | st.floats() | st.integers() | st.text(max_size=8)


pytestmark = pytest.mark.usefixtures("unmeasured")  # the same lines, thousands of times


@pytest.fixture(scope="module")
def reader(spec):
    return RecordReader(spec)


def outcome(read, row):
    """The values of a row, missing ones as None, or the message that refuses it."""
    try:
        return with_none(read(row))
    except InvalidTable as error:
        return str(error)


def with_none(values):
    return {name: None if pd.isna(value) else value for name, value in values.items()}


def as_table(spec: DatasetSpec):
    def read(row):
        frame = pd.DataFrame([row], dtype="object")
        return validate(frame, spec, "the table", with_target=False).to_dict("records")[0]

    return read


def rows_of_a_table(spec: DatasetSpec, rows: list[dict]) -> list[object]:
    """The outcome of each row of one table, as if it were the first."""
    parsed, faults = check(pd.DataFrame(rows, dtype="object"), spec, with_target=False)
    found = [with_none(values) for values in parsed.to_dict("records")]
    for number in {fault.row for fault in faults}:
        own = [replace(fault, row=1) for fault in faults if fault.row == number]
        found[number - 1] = str(InvalidTable("the table", own))
    return found


def differing(ours: list[object], theirs: list[object]) -> dict[str, tuple[object, object]]:
    pairs = zip(VALUES, ours, theirs, strict=True)
    return {repr(value)[:50]: (a, b) for value, a, b in pairs if a != b}


@pytest.mark.parametrize("column", ROW)
def test_a_record_is_read_like_a_row_of_a_table(reader, spec, column):
    rows = [ROW | {"PassengerId": i, column: value} for i, value in enumerate(VALUES, 1)]
    if column == "PassengerId":  # repeated ids are faults of a table
        theirs = [outcome(as_table(spec), row) for row in rows]
    else:
        theirs = rows_of_a_table(spec, rows)
    assert differing([outcome(reader.read, row) for row in rows], theirs) == {}


@given(st.fixed_dictionaries({}, optional=dict.fromkeys([*ROW, " Age", "Other"], GENERATED)))
def test_any_generated_record_is_read_like_a_table_of_one_row(reader, spec, changes):
    row = ROW | changes
    assert outcome(reader.read, row) == outcome(as_table(spec), row)


COLUMNS = [
    *(Column("text", nullable=True, case=case) for case in ("keep", "upper", "lower")),
    *(Column("text", pattern=r"[^,]*,.*"), Column("number", nullable=True, decimals=2)),
    *(Column("number", allowed=(0.5, 3.0)), Column("number", maximum=7.0001, decimals=4)),
    *(Column("integer", allowed=(0, 1)), Column("integer", minimum=1, maximum=3)),
    *(Column("integer", nullable=True), Column("category", allowed=("male",), nullable=True)),
    *(Column("text", longest=3), Column("number", nullable=True), Column("number")),
    *(Column("bool"), Column("bool", nullable=True), Column("date", nullable=True)),
    *(Column("date", minimum=1.0), Column("category", allowed=("none", "na"), missing=("?",))),
    *(Column("number", missing=("-1", "x"), nullable=True), Column("number", suffix="%")),
    *(Column("integer", missing=("3", "?"), nullable=True), Column("text", missing=())),
]


@pytest.mark.parametrize("column", COLUMNS, ids=repr)
def test_any_kind_of_column_is_read_like_one_of_a_table(column):
    columns = {"model_json_schema and spaces": column, "_id": Column("integer", nullable=True)}
    one = DatasetSpec("t", "_id", "y", {**columns, "y": Column("integer")}, {})
    rows = [{"model_json_schema and spaces": value, "_id": None} for value in VALUES]
    reader = RecordReader(one)
    ours = [outcome(reader.read, row) for row in rows]
    assert differing(ours, rows_of_a_table(one, rows)) == {}


def test_rows_of_one_table_have_the_faults_of_that_table(reader, spec):
    rows = [
        ROW,
        ROW | {"Pclass": 7, "PassengerId": "1"},
        {name: value for name, value in ROW.items() if name != "Sex"} | {"PassengerId": 3},
        ROW | {"Other": 1, "PassengerId": 4},
    ]
    with pytest.raises(InvalidTable) as caught:
        reader.read_all(rows)
    _, faults = check(pd.DataFrame(rows, dtype="object"), spec, with_target=False)
    assert caught.value.faults == sorted(faults) and len(faults) == 4
    good = [ROW, ROW | {"PassengerId": "2", "Age": None}]
    assert reader.read_all(good) == [reader.read(row) for row in good]


def test_a_table_of_records_has_the_types_of_a_validated_table(reader, spec, test_frame):
    frame = test_frame.astype("object")
    rows = frame.where(frame.notna(), None).to_dict("records")
    found = reader.frame(reader.read_all(rows))
    pd.testing.assert_frame_equal(found, validate(test_frame, spec, "t", with_target=False))


def test_the_target_is_ignored_and_what_may_be_missing_can_be_left_out(reader):
    short = {name: value for name, value in ROW.items() if name not in ("Age", "Cabin")}
    assert reader.read(short | {"Survived": "?"}) == reader.read(ROW | {"Age": None, "Cabin": None})


def test_the_schema_says_what_a_column_may_hold(spec):
    schema = record_model(spec, "Passenger").model_json_schema()
    found = schema["properties"]
    assert list(found) == [name for name in spec.columns if name != "Survived"]
    assert schema["additionalProperties"] is False and schema["title"] == "Passenger"
    assert set(found) - set(schema["required"]) == {"Age", "Fare", "Cabin", "Embarked"}
    assert found["Pclass"]["enum"] == [1, 2, 3] and found["Pclass"]["type"] == "integer"
    age, _ = found["Age"]["anyOf"]
    assert (age["minimum"], age["maximum"]) == (0, 120)
    assert found["Embarked"]["anyOf"][0]["enum"] == ["C", "Q", "S"]
    assert found["PassengerId"]["maximum"] == 10**15 - 1
    assert re.search(found["Name"]["pattern"], "Braund, Mr. Owen Harris")
    assert found["Cabin"]["examples"] == ["C85"] and "description" in found["Fare"]


def test_a_record_with_many_unknown_names_is_refused_in_linear_time(reader):
    with pytest.raises(InvalidTable) as caught:
        reader.read_all([ROW | dict.fromkeys(map(str, range(100_000)), 1)])
    assert caught.value.count == 100_000
