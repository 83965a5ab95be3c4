"""Faults are worded for people who have to correct a table."""

from __future__ import annotations

import numpy as np
import pytest

from titanic_ml.dataset.faults import column_faults, repeated_value, shown, wrong_value


@pytest.mark.parametrize(
    "value, text",
    [
        (None, "nothing"),
        (np.float32(7.5), "7.5"),
        (np.True_, "True"),
        (" 7,25 ", "' 7,25 ' (with a decimal comma)"),
        (10**20, "100000000000000000000"),
        (10**400, "1" + 59 * "0" + "…"),
        (-(10**5000), "a whole number of 5,001 digits"),
        ([1], "[1]"),
        ("x" * 70, "'" + 59 * "x" + "…"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_value_is_shown_in_at_most_sixty_characters(value, text):
    assert shown(value) == text


def test_a_fault_says_what_was_found_and_expected(spec):
    assert str(wrong_value(3, "Pclass", 9, spec)) == (
        "row 3, column Pclass: found 9, expected a whole number, one of 1, 2, 3"
    )
    assert str(wrong_value(3, "Name", "x" * 501, spec)) == (
        "row 3, column Name: found 501 characters, expected at most 500"
    )
    assert str(repeated_value(3, "PassengerId", 7.0)) == (
        "row 3, column PassengerId: found 7 again, expected each value once"
    )


def test_names_of_columns_are_compared_with_the_specification(spec):
    names = [name for name in spec.columns if name != "Survived"]
    found = ["Age", *names[1:], "Unnamed: 0", "Survived"]
    assert [str(fault) for fault in column_faults(found, names, spec)] == [
        "column Age: found 2 columns of this name, expected one",
        "column PassengerId: found no column of this name, expected one",
        "column Unnamed: 0: found an unknown column (a frame's index? write with index=False), "
        f"expected only {', '.join(names)}",
    ]
    (fault,) = column_faults(["1", "x", "1"], names, spec)
    assert fault.found == "no header (the first line is '1,x,1')"
