"""The exceptions: their tree, their exit codes and their words."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest

from titanic_ml import errors
from titanic_ml.errors import Fault, InvalidTable, TitanicError

FAULT = Fault(3, "Age", "'abc'", "a number")


def test_the_tree_in_the_docstring_is_the_tree_of_the_classes():
    drawn = re.findall(r"^([ │├└─]*)(\w+) {2,}", errors.__doc__, flags=re.MULTILINE)
    path, parents = [], {}
    for indent, name in drawn:
        path = [*path[: len(indent) // 4], name]
        parents |= {child: parent for parent, child in pairwise(path)}
    classes = [c for c in vars(errors).values() if isinstance(c, type)]
    ours = {c.__name__: c.__base__.__name__ for c in classes if issubclass(c, Exception)}
    assert ours.pop(TitanicError.__name__) == "Exception"
    assert parents == ours


@pytest.mark.parametrize(
    ("error", "code"), [("SettingsError", 2), ("DataError", 1), ("ModelError", 1)]
)
def test_the_fault_decides_the_exit_code(error, code):
    assert getattr(errors, error).exit_code == code


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        (FAULT, "row 3, column Age: found 'abc', expected a number"),
        (Fault(0, "Age", "nothing", "one"), "column Age: found nothing, expected one"),
        (Fault(0, "", "no rows", "at least one"), "found no rows, expected at least one"),
    ],
)
def test_a_fault_says_where_what_and_what_was_expected(fault, text):
    assert str(fault) == text


def test_one_fault_is_not_called_faults():
    message = str(InvalidTable("a.csv", [FAULT]))
    assert message == f"a.csv has 1 fault; mend the table and try again:\n  {FAULT}"


def test_faults_come_in_the_order_of_rows():
    message = str(InvalidTable("a.csv", [Fault(row, "Age", "x", "y") for row in (10, 9, 2)]))
    assert re.findall(r"row (\d+)", message) == ["2", "9", "10"]


@pytest.mark.parametrize(("count", "last"), [(20, "  row 20"), (21, "  … and 1 more")])
def test_the_first_twenty_faults_are_shown_and_the_rest_counted(count, last):
    error = InvalidTable("a.csv", [Fault(row, "Age", "x", "y") for row in range(1, count + 1)])
    lines = str(error).splitlines()
    assert lines[0].startswith(f"a.csv has {count} faults;")
    assert lines[20].startswith("  row 20")
    assert lines[-1].startswith(last)
    assert len(error.faults) == count
