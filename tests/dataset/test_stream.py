"""A table in parts has the faults of the whole, whatever the parts."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from titanic_ml.dataset.columns import check
from titanic_ml.dataset.stream import Seen, StreamValidator
from titanic_ml.errors import Fault, InvalidTable

VALUES = {
    "PassengerId": ["1", "2", "3", "4", "5", "x", "", "1.0"],
    "Pclass": ["1", "2", "3", "4", ""],
    "Age": ["22", "", "old", "500"],
    "Fare": ["7.25", "", "-1"],
}
ROWS = st.lists(
    st.fixed_dictionaries({name: st.sampled_from(values) for name, values in VALUES.items()}),
    min_size=1,
    max_size=12,
)


def parts(validator, frame, sizes):
    """Check the frame in parts of these sizes over and over."""
    found, start, turn = {}, 0, 0
    while start < len(frame):
        size = sizes[turn % len(sizes)]
        part = frame.iloc[start : start + size]
        parsed, faults = validator.part(part, start + 1)
        found |= validator.again(validator.keys(parsed), faults)
        start, turn = start + size, turn + 1
    return found


@settings(max_examples=settings.default.max_examples // 3)  # each checks two tables
@given(rows=ROWS, sizes=st.lists(st.integers(1, 5), min_size=1, max_size=4))
def test_parts_of_any_size_have_the_faults_of_the_whole(spec, _test_table, rows, sizes):
    frame = _test_table.iloc[[0] * len(rows)].reset_index(drop=True)
    for name in VALUES:
        frame[name] = pd.Series([row[name] or None for row in rows], dtype="str")
    _, whole = check(frame, spec, with_target=False)
    found = parts(StreamValidator(spec, "a.csv"), frame, sizes)
    assert sorted(fault for faults in found.values() for fault in faults) == sorted(whole)
    assert all(fault.row == row for row, faults in found.items() for fault in faults)


def test_faults_of_the_columns_are_raised_at_once(spec, test_frame):
    validator = StreamValidator(spec, "a.csv")
    with pytest.raises(InvalidTable, match="a.csv has 2 faults.*\n.*column Age.*\n.*row 8, column"):
        bad = test_frame.drop(columns="Age").assign(Pclass=["9", *["1"] * 417])
        validator.part(bad, 8)


def test_rows_that_the_reader_found_faulty_are_not_checked_again(spec, test_frame):
    validator = StreamValidator(spec, "a.csv")
    ragged = Fault(102, "", "3 values", "12 as in the header, in the line 'a,b,c'")
    frame = test_frame.head(3).assign(Pclass=["1", "x", "9"])
    parsed, faults = validator.part(frame, 101, [ragged])
    assert list(parsed.index) == [101, 103] and faults[102] == [ragged]
    assert [fault.column for fault in faults[103]] == ["Pclass"]


@pytest.mark.parametrize("kind", ["int64", "float64", "str"])
def test_a_value_is_known_again_in_any_later_part(kind):
    seen, values = Seen(), np.random.default_rng(0).permutation(1000)
    for part in np.split(values, [1, 3, 4, 100, 101, 500]):
        assert not seen.again(pd.Series(part).astype(kind)).any()
    assert len(seen._runs) < 6
    mixed = pd.Series([*values[:5], *range(1000, 1005)]).astype(kind)
    assert seen.again(mixed).tolist() == [True] * 5 + [False] * 5
    assert seen.again(mixed).all()


def test_a_missing_value_is_never_known_again():
    seen = Seen()
    for _ in range(2):
        assert not seen.again(pd.Series([None, None], dtype="str")).any()
        assert not seen.again(pd.Series([np.nan])).any()
    assert not seen.again(pd.Series([1, 2])).any()
    assert seen.again(pd.Series([2.0, np.nan, 3.0])).tolist() == [True, False, False]


def test_a_value_between_those_of_an_earlier_part_is_looked_up():
    seen = Seen()
    assert not seen.again(pd.Series([1, 9])).any()
    assert not seen.again(pd.Series([20, 30])).any()
    assert seen.again(pd.Series([30, 5, 9, 40, 10])).tolist() == [True, False, True, False, False]
