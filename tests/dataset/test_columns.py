from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from titanic_ml.dataset.columns import check, has_column, table_faults, validate
from titanic_ml.dataset.normalise import text
from titanic_ml.dataset.spec import Column
from titanic_ml.errors import Fault, InvalidTable


def faults(frame, spec, with_target=True):
    with pytest.raises(InvalidTable) as caught:
        validate(frame, spec, "t.csv", with_target)
    return caught.value


def put(frame, row, column, value):
    """The frame with one cell changed, its column as objects so that any value fits."""
    frame[column] = frame[column].astype(object)
    frame.at[row - 1, column] = value
    return frame


NAME = "a text such as 'Braund, Mr. Owen Harris'"
NUMBER = "a number, at least 0, at most 120, or nothing"
ID = "a whole number of at most 15 digits, at least 1"
BAD_CELLS = [
    ("Age", "old", "'old'", NUMBER),
    ("Age", "1 000", "'1 000'", NUMBER),
    ("Age", -1, "-1", NUMBER),
    ("Age", 121, "121", NUMBER),
    ("Age", 1e308, "1e+308", NUMBER),
    ("Age", int("9" * 400), "9" * 60 + "…", NUMBER),
    ("PassengerId", -1e308, "-1e+308", ID),
    ("Age", "inf", "'inf'", NUMBER),
    ("Age", -np.inf, "-inf", NUMBER),
    ("Pclass", 4, "4", "a whole number, one of 1, 2, 3"),
    ("Pclass", "2.5", "'2.5'", "a whole number, one of 1, 2, 3"),
    ("Pclass", None, "nothing", "a whole number, one of 1, 2, 3"),
    ("Pclass", np.nan, "nothing", "a whole number, one of 1, 2, 3"),
    ("Sex", "man", "'man'", "a word, one of male, female"),
    ("Sex", True, "True", "a word, one of male, female"),
    ("Sex", None, "nothing", "a word, one of male, female"),
    ("Embarked", "X", "'X'", "a word, one of C, Q, S, or nothing"),
    ("Name", None, "nothing", NAME),
    ("Name", "", "nothing", NAME),
    ("Name", 7, "7", NAME),
    ("Name", "Owen Braund", "'Owen Braund'", NAME),
    ("Name", date(1912, 4, 15), "datetime.date(1912, 4, 15)", NAME),
    ("Name", ["Braund, Mr. Owen"], "['Braund, Mr. Owen']", NAME),
    ("Cabin", "-", "'-'", "a text such as 'C85', or nothing"),
    ("Cabin", "Z1", "'Z1'", "a text such as 'C85', or nothing"),
    ("Cabin", b"C85", "b'C85'", "a text such as 'C85', or nothing"),
    ("Age", "-", "'-'", NUMBER),
    ("Age", "1_0", "'1_0'", NUMBER),
    ("Age", "7,25", "'7,25' (with a decimal comma)", NUMBER),
    ("Age", "0x10", "'0x10'", NUMBER),
    ("Age", 2 + 3j, "(2+3j)", NUMBER),
    ("Age", pd.Timedelta(days=9), "Timedelta('9 days 00:00:00')", NUMBER),
    ("Age", True, "True", NUMBER),
    ("Ticket", 1.5, "1.5", "a text such as 'A/5 21171'"),
    ("Ticket", "...", "'...'", "a text such as 'A/5 21171'"),
    ("SibSp", 21, "21", "a whole number, at least 0, at most 20"),
    ("PassengerId", 0, "0", ID),
    ("PassengerId", "1e15", "'1e15'", ID),
    ("PassengerId", "9007199254740993", "'9007199254740993'", ID),  # a float64 rounds it
    ("Parch", 1e300, "1e+300", "a whole number, at least 0, at most 20"),
    ("Age", [1, 2], "[1, 2]", NUMBER),
    ("PassengerId", 1, "1 again", "each value once"),
    ("Survived", 2, "2", "a whole number, one of 0, 1"),
    ("Survived", None, "nothing", "a whole number, one of 0, 1"),
    ("Sex", 100 * "x", "'" + 59 * "x" + "…", "a word, one of male, female"),
]


@pytest.mark.parametrize("column, value, found, expected", BAD_CELLS)
def test_a_bad_cell_is_the_one_fault(train_frame, spec, column, value, found, expected):
    error = faults(put(train_frame.head(20), 7, column, value), spec)
    assert [str(fault) for fault in error.faults] == [
        f"row 7, column {column}: found {found}, expected {expected}"
    ]


WRONG = {
    "integer": st.sampled_from(["x", "1.5", 1.5, "", -7, "-7", 10**16, np.inf, "nan"]),
    "number": st.sampled_from(["x", "1,5", "?", -0.5, "-1", 1e9, np.inf, "-inf", True]),
    "category": st.text(max_size=3).filter(lambda w: text(w, "upper") not in {"C", "Q", "S", None}),
    "text": st.none(),
}


@pytest.fixture(scope="module")
def good(dataset, spec):
    frame = dataset.X.assign(PassengerId=dataset.ids, Survived=dataset.y).head(12)
    return frame[list(spec.columns)].astype(object)


@given(st.data())
def test_any_one_bad_cell_is_found_where_it_is(good, spec, data):
    row = data.draw(st.integers(1, len(good)), "row")
    names = [n for n, c in spec.columns.items() if not (c.kind == "text" and c.nullable)]
    column = data.draw(st.sampled_from(names), "column")
    value = data.draw(WRONG[spec.columns[column].kind], "value")
    order = data.draw(st.permutations(list(good)), "order of columns")
    frame = put(good.copy(), row, column, value)[order]
    (fault,) = faults(frame, spec).faults
    assert (fault.row, fault.column) == (row, column)
    assert fault.expected == spec.columns[column].expected


INDEXES = {
    "offset": range(100, 120),
    "words": [f"r{i}" for i in range(20)],
    "all the same": [0] * 20,
    "two levels": pd.MultiIndex.from_product([range(4), range(5)]),
}


@pytest.mark.parametrize("index", INDEXES.values(), ids=INDEXES)
def test_rows_are_counted_whatever_the_index_says(train_frame, spec, index):
    frame = put(train_frame.head(20), 7, "Age", "x").set_axis(index)
    assert [fault.row for fault in faults(frame, spec).faults] == [7]
    good = validate(train_frame.head(20).set_axis(index), spec, "t", True)
    pd.testing.assert_frame_equal(good, validate(train_frame.head(20), spec, "t", True))


@pytest.mark.parametrize("column", ["Age", "Cabin", "Fare", "Embarked"])
@pytest.mark.parametrize("value", [None, np.nan])
def test_what_real_passengers_lack_is_no_fault(train_frame, spec, column, value):
    parsed = validate(put(train_frame.head(9), 3, column, value), spec, "t", True)
    assert parsed[column].isna()[2]


@pytest.mark.parametrize(
    "change, words",
    [
        (lambda f: f.drop(columns="Age"), "column Age: found no column of this name, expected one"),
        (lambda f: f.assign(Ages=1), "column Ages: found an unknown column, expected only"),
        (
            lambda f: f.reset_index(),
            "column index: found an unknown column (a frame's index? write",
        ),
        (
            lambda f: f.rename(columns={"Fare": "Age"}),
            "column Age: found 2 columns of this name, expected one",
        ),
        (
            lambda f: f.assign(Fare=f["Fare"].astype("float16")),
            "column Fare: found float16, of three digits, expected float32 or better",
        ),
        (lambda f: f.set_axis(range(12), axis=1), "no header (the first line is '0,1,2,3"),
        (lambda f: f.head(0), "found no rows, expected at least one"),
        (lambda f: f.assign(Survived=1), "column Survived: found only the class 1, expected both"),
        (lambda f: f.drop(columns="Survived"), "column Survived: found no column of this name"),
    ],
)
def test_a_bad_shape_is_named(train_frame, spec, change, words):
    assert words in str(faults(change(train_frame.head(9)), spec))


def test_all_faults_are_listed_in_order_and_no_more_than_twenty_shown(train_frame, spec):
    frame = put(put(train_frame.head(30), 9, "Age", "x"), 2, "Pclass", 7).drop(columns="Fare")
    lines = str(faults(frame, spec)).splitlines()
    assert lines[0] == "t.csv has 3 faults; mend the table and try again:"
    assert [line.split(":")[0].strip() for line in lines[1:]] == [
        "column Fare",
        "row 2, column Pclass",
        "row 9, column Age",
    ]
    many = str(faults(train_frame.head(30).assign(Pclass=9), spec)).splitlines()
    assert len(many) == 22
    assert many[-1] == "  … and 10 more"


def test_a_fault_of_one_cell_has_one_line(train_frame, spec):
    frame = put(train_frame.head(5), 2, "Pclass", "x")
    assert len(faults(frame, spec).faults) == 1


def test_target_is_dropped_unread_where_it_is_not_wanted(test_frame, spec):
    with_wrong_target = test_frame.assign(Survived="perhaps")
    parsed = validate(with_wrong_target, spec, "t", with_target=False)
    assert "Survived" not in parsed
    pd.testing.assert_frame_equal(parsed, validate(test_frame, spec, "t", False))


def test_types_order_and_index_are_those_of_the_schema(train_frame, spec):
    shuffled = train_frame[sorted(train_frame)].set_axis(range(5, 896))
    parsed = validate(shuffled, spec, "t", True)
    assert list(parsed) == list(spec.columns)
    assert parsed.index.equals(pd.RangeIndex(891))
    assert parsed["Pclass"].dtype == "int64" and parsed["Age"].dtype == "float64"
    pd.testing.assert_frame_equal(parsed, validate(train_frame, spec, "t", True))


def test_input_is_not_changed(train_frame, spec):
    before = train_frame.copy(deep=True)
    validate(train_frame, spec, "t", True)
    pd.testing.assert_frame_equal(train_frame, before)


@pytest.mark.parametrize(
    "tickets, texts",
    [
        ([113803, 17463, 330877], ["113803", "17463", "330877"]),
        ([1.0, 2.0, 3.0], ["1", "2", "3"]),
        (["113803.0", 17463, "PC 1"], ["113803", "17463", "PC 1"]),
    ],
)
def test_a_text_that_a_reader_took_for_a_number(train_frame, spec, tickets, texts):
    frame = train_frame.head(3).assign(Ticket=tickets)
    assert validate(frame, spec, "t", True)["Ticket"].tolist() == texts


COLUMNS = {
    "range": Column("number", minimum=0, maximum=9, nullable=True),
    "set": Column("integer", allowed=(1, 2)),
    "unique": Column("integer", unique=True),
    "word": Column("category", allowed=("a", "b"), nullable=True),
}


@pytest.mark.parametrize(
    "name, values, bad",
    [
        ("range", [0.0, 9.0, 9.5, -1.0, None], [3, 4]),
        ("set", [1.0, 2.0, 3.0, None], [3, 4]),
        ("unique", [1, 2, 1, 1], [3, 4]),
        ("unique", [1.0, None, None], [2, 3]),
        ("word", ["a", "b", "c", None, "A "], [3]),
    ],
)
def test_limits_of_a_column_are_checked(spec, name, values, bad):
    columns = {"PassengerId": spec.columns["PassengerId"], name: COLUMNS[name]}
    one = replace(spec, columns=columns, target="none")
    frame = pd.DataFrame({"PassengerId": np.arange(len(values)) + 1, name: values})
    _, faults = check(frame, one, with_target=False)
    assert [(fault.row, fault.column) for fault in faults] == [(row, name) for row in bad]


def test_rows_have_the_numbers_that_are_given(train_frame, spec):
    frame = put(train_frame.head(5), 4, "Pclass", 9)
    _, faults = check(frame, spec, True, np.array([1, 3, 4, 70, 71]))
    assert faults == [Fault(70, "Pclass", "9", "a whole number, one of 1, 2, 3")]


def test_faults_that_no_single_row_has(train_frame, spec):
    train_frame = train_frame.astype({"Survived": "int64"})
    assert table_faults(train_frame, spec, True) == []
    assert table_faults(train_frame.head(0), spec, False) == [
        Fault(0, "", "no rows", "at least one")
    ]
    (fault,) = table_faults(train_frame.head(1), spec, True)
    assert (fault.column, fault.expected) == ("Survived", "both classes")


def test_a_text_that_is_too_long_is_refused_before_it_is_normalised(train_frame, spec):
    for name in ("Name", "Age", "Sex"):
        frame = put(train_frame.head(5), 2, name, "\ufdfa" * 100_000)
        assert str(faults(frame, spec).faults[0]) == (
            f"row 2, column {name}: found 100,000 characters, expected at most 500"
        )
    frame = put(train_frame.head(5), 2, "Name", "Braund, Mr. " + "x" * 489).astype({"Name": "str"})
    assert "501 characters" in str(faults(frame, spec))


@pytest.mark.parametrize("name", [" Survived ", "survived", "SURVIVED\u00a0"])
def test_a_column_is_known_in_any_spelling_of_its_name(train_frame, spec, name):
    assert has_column(train_frame.rename(columns={"Survived": name}), "Survived", spec)
    assert not has_column(train_frame.drop(columns="Survived"), "Survived", spec)
