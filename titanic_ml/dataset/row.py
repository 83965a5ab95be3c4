"""The check of one row, value by value: what it lets pass is what a table would be given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import inf, nan
from typing import Any

from titanic_ml.dataset.normalise import text
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
        columns = {name: column for name, column in spec.columns.items() if name != spec.target}
        self.readers = [(name, _reader(column)) for name, column in columns.items()]
        self.names = set(columns)
        self.target = spec.target
        self.optional = {name: None for name, column in columns.items() if column.nullable}

    def read(self, row: Mapping[str, Any]) -> dict[str, Any] | None:
        """The values in their types, NaN or None where one is missing; None if it isn't taken."""
        if row.keys() != self.names and row.keys() - {self.target} != self.names:
            row = self.filled(row)
            if row.keys() - {self.target} != self.names:
                return None
        try:
            return {name: read(row[name]) for name, read in self.readers}
        except (TypeError, ValueError, OverflowError):
            return None

    def filled(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """The row, with None for what may be missing and was left out."""
        return self.optional | dict(row)


def _reader(column: Column) -> Callable[[Any], Any]:
    """What gives a value in the column's type, `_value`: the plainest values at once.

    Most values of most rows are such, and are read in a fraction of the time.
    """
    low = -inf if column.minimum is None else column.minimum
    high = inf if column.maximum is None else column.maximum
    allowed, scale, case = set(column.allowed), column.scale, column.case
    spelled = {word for word in allowed if type(word) is str and text_in(word, column) == word}
    matches = column.form.fullmatch if column.pattern else bool

    def integer(value: Any) -> Any:
        if type(value) is int and low <= value <= high and abs(value) < EXACT:
            if not allowed or value in allowed:
                return value
        return _value(value, column)

    def number(value: Any) -> Any:
        if value is None and column.nullable:
            return nan
        if type(value) is float and low <= value <= high and not allowed:
            found = round(value * scale) / scale + 0.0
            if low <= found <= high:
                return found
        return _value(value, column)

    def category(value: Any) -> Any:
        return value if type(value) is str and value in spelled else _value(value, column)

    def words(value: Any) -> Any:
        if value is None and column.nullable:
            return None
        if type(value) is str and (found := text(value, case)) and matches(found):
            return found
        return _value(value, column)

    if column.numeric:
        return integer if column.kind == "integer" else number
    return category if allowed else words


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
