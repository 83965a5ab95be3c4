"""What a row's reader lets pass is what a table would be given; of the rest it says nothing."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from titanic_ml.dataset.row import RowReader, _reader, _value
from titanic_ml.dataset.spec import Column, DatasetSpec
from titanic_ml.dataset.validation import validate
from titanic_ml.errors import InvalidTable

ROW = {
    **{"PassengerId": 1, "Pclass": 3, "Name": "Braund, Mr. Owen", "Sex": "male", "Age": 22.0},
    **{"SibSp": 1, "Parch": 0, "Ticket": "A/5 21171", "Fare": 7.25, "Cabin": None, "Embarked": "S"},
}
VALUES = [
    *(None, float("nan"), "", " n/a ", 0, 1, 3, 2.5, -1, 121, "22", " 3 ", "3.0", "1e1", "1_0"),
    *(True, False, 7.00005, 7.00015, 0.125, -0.0, 1e15, 10**15 - 1, 10**30, float("inf"), "inf"),
    *(
        "male",
        "FEMALE ",
        "s",
        "X",
        "C85",
        "c85 C87",
        "Z1",
        330911.0,
        "a, b. c",
        "a b",
        "O’Brien, Mr. A",
    ),
    *(b"x", [1], np.int64(3), np.float32(7.2292), pd.NA, "\x00", "７"),
]


@pytest.fixture(scope="module")
def reader(spec):
    return RowReader(spec)


def same(ours: object, theirs: object) -> bool:
    missing = ours is None or ours != ours
    return bool(pd.isna(theirs)) if missing else ours == theirs


def of_one_type(column: str) -> list[list[object]]:
    """The values in groups that pandas gives one type, so that a table takes a group at once."""
    if column == "PassengerId":
        return [[value] for value in VALUES]  # no table may hold one id twice
    groups: dict[str, list[object]] = {}
    for value in VALUES:
        groups.setdefault(str(pd.Series([value]).dtype), []).append(value)
    return list(groups.values())


def in_a_table(rows: list[dict[str, object]], spec: DatasetSpec) -> dict[int, dict[str, object]]:
    """What a table of these rows holds once it is validated, by place; not those it refuses."""
    places = list(range(len(rows)))
    frame = pd.DataFrame(rows)
    try:
        parsed = validate(frame, spec, "t", False)
    except InvalidTable as refused:
        bad = {fault.row - 1 for fault in refused.faults}
        places = [place for place in places if place not in bad]
        if not places:
            return {}
        parsed = validate(frame.iloc[places], spec, "t", False)
    return dict(zip(places, parsed.to_dict("records")))


def fault(found: dict[str, object] | None, parsed: dict[str, object] | None, value: object) -> str:
    """How the reader's answer for a row differs from the table's; empty if it does not."""
    if parsed is None:
        return "" if found is None else "read, though a table refuses it"
    if found is None:  # it goes the way of a table, and is taken there
        plain = isinstance(value, (str, int, float, type(None)))
        return "not read, though a table takes it" if plain else ""
    if list(found) != list(ROW):
        return "other columns"
    differs = [name for name in found if not same(found[name], parsed[name])]
    return f"other values of {differs}" if differs else ""


@pytest.mark.usefixtures("unmeasured")
@pytest.mark.parametrize("column", ROW)
def test_it_takes_what_a_table_takes_and_reads_the_same(reader, spec, column):
    faults = {}
    for values in of_one_type(column):
        rows = [ROW | {"PassengerId": n} | {column: v} for n, v in enumerate(values)]
        parsed = in_a_table(rows, spec)
        for place, (row, value) in enumerate(zip(rows, values)):
            faults[repr(value), place] = fault(reader.read(row), parsed.get(place), value)
    assert len(faults) == len(VALUES)
    assert {case: fault for case, fault in faults.items() if fault} == {}


COLUMNS = [
    *(Column("category", allowed=words) for words in (("male", "Female"), ("n/a", " s"), (1, "x"))),
    *(Column("text", nullable=True, case=case) for case in ("keep", "upper", "lower")),
    *(Column("text", pattern=r"[^,]*,.*"), Column("number", nullable=True, decimals=2)),
    *(Column("number", allowed=(0.5, 3.0)), Column("number", maximum=7.0001, decimals=4)),
    *(Column("integer", allowed=(0, 1)), Column("integer", minimum=1, maximum=3)),
    *(Column("integer", nullable=True), Column("category", allowed=("male",), nullable=True)),
]


@pytest.mark.parametrize("column", COLUMNS, ids=repr)
def test_what_is_read_at_once_is_what_is_read_otherwise(column):
    def result(read, value):
        try:
            return repr(read(value))
        except (TypeError, ValueError, OverflowError):
            return "refused"

    read = _reader(column)
    at_once = [result(read, value) for value in VALUES]
    assert at_once == [result(lambda value: _value(value, column), value) for value in VALUES]


@given(st.floats(0, 1000, allow_subnormal=False))
def test_numbers_are_rounded_as_those_of_a_table(spec, fare):
    found = RowReader(spec).read(ROW | {"Fare": fare})
    assert (
        found["Fare"] == validate(pd.DataFrame([ROW | {"Fare": fare}]), spec, "t", False)["Fare"][0]
    )


def test_rows_of_other_columns_are_not_taken_but_the_target_may_be_there(reader):
    assert reader.read({**ROW, "Survived": "?"}) == reader.read(ROW)
    assert reader.read({**ROW, "Other": 1}) is None
    assert reader.read({name: value for name, value in ROW.items() if name != "Sex"}) is None


def test_what_may_be_missing_may_be_left_out(reader):
    short = {name: value for name, value in ROW.items() if name not in ("Age", "Cabin")}
    found, expected = reader.read(short), reader.read(ROW | {"Age": None, "Cabin": None})
    assert found["Cabin"] is None and str(found) == str(expected)
