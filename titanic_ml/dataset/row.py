"""The check of one row, value by value: what it lets pass is what a table would be given."""

from __future__ import annotations

from collections.abc import Mapping
from math import nan
from typing import Any

from titanic_ml.dataset.spec import DIGITS, Column, DatasetSpec
from titanic_ml.dataset.validation import number_in, text_in

EXACT = 10.0**DIGITS
PLAIN = (str, int, float, bool, type(None))  # of other types a table knows more


class RowReader:
    """Reads rows of which a specification says what they hold.

    It knows no faults: a row that it doesn't take is one for `validation.validate`, which tells
    what is wrong with it, or takes it all the same.

    Parameters
    ----------
    spec
        What the columns may hold.
    """

    def __init__(self, spec: DatasetSpec) -> None:
        self.columns = [(n, column) for n, column in spec.columns.items() if n != spec.target]
        self.names = {name for name, _ in self.columns}
        self.target = spec.target
        self.optional = {name: None for name, column in self.columns if column.nullable}

    def read(self, row: Mapping[str, Any]) -> dict[str, Any] | None:
        """The values in their types, NaN or None where one is missing; None if it isn't taken."""
        if row.keys() != self.names and row.keys() - {self.target} != self.names:
            row = self.filled(row)
            if row.keys() - {self.target} != self.names:
                return None
        try:
            return {name: _value(row[name], column) for name, column in self.columns}
        except (TypeError, ValueError, OverflowError):
            return None

    def filled(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """The row, with None for what may be missing and was left out."""
        return self.optional | dict(row)


def _value(value: Any, column: Column) -> Any:
    """A value in its column's type. Raises `TypeError` or `ValueError` if it is none of it."""
    if not isinstance(value, PLAIN):
        raise TypeError
    numeric = column.numeric
    missing = value is None or value != value
    found: Any = None if missing else (number_in if numeric else text_in)(value, column)
    if found is None:
        if not column.nullable:
            raise ValueError
        return nan if numeric else None
    if numeric:
        # As `normalise.rounded` rounds an array, many times quicker.
        found = round(found * column.scale) / column.scale + 0.0
        if column.kind == "integer":
            if not _is_exact(found):
                raise ValueError
            found = int(found)
    if (
        (column.allowed and found not in column.allowed)
        or (column.minimum is not None and found < column.minimum)
        or (column.maximum is not None and found > column.maximum)
    ):
        raise ValueError
    return found


def _is_exact(number: float) -> bool:
    return number % 1 == 0 and abs(number) < EXACT
