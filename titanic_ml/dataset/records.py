"""Validation of single rows by a pydantic model that is made from a specification.

A record is accepted with the same values, or refused in the same words, as a table of that one row
(`titanic_ml.dataset.columns`); a test compares the two on generated rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import chain
from operator import attrgetter
from typing import Annotated, Any, Literal

import pandas as pd
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    WithJsonSchema,
    create_model,
)

from titanic_ml.dataset.faults import column_faults, repeated_value, wrong_value
from titanic_ml.dataset.patterns import anchored
from titanic_ml.dataset.spec import DIGITS, Column, DatasetSpec
from titanic_ml.errors import Fault, InvalidTable

TYPES = {"integer": int, "number": float, "category": str, "text": str, "bool": str, "date": float}
# What a request holds, where that is not the type of the read value.
JSON_TYPES = {"bool": {"type": "boolean"}, "date": {"type": "string", "format": "date"}}


def record_model(spec: DatasetSpec, title: str = "Record") -> type[BaseModel]:
    """Return the pydantic model of a row without its target.

    Fields have the names of the columns as aliases, since a column may have any name.
    """
    columns = {name: column for name, column in spec.columns.items() if name != spec.target}
    fields: dict[str, Any] = {
        f"column_{number}": (field_type(column), _field(name, column))
        for number, (name, column) in enumerate(columns.items())
    }
    config = ConfigDict(title=title, extra="forbid")
    return create_model(title, __config__=config, __doc__=spec.about, **fields)


def field_type(column: Column) -> Any:
    """Return the type of a column's values, with the checks and the JSON schema of one."""
    kind: Any = TYPES[column.kind]
    limits: dict[str, Any] = {"ge": column.minimum, "le": column.maximum}
    if column.kind == "integer" and column.maximum is None:
        limits["le"] = 10**DIGITS - 1
    if column.allowed and column.kind != "number":  # a Literal can't hold a float
        kind, limits = Literal[column.allowed], {}
    elif column.allowed:
        kind = Annotated[float, AfterValidator(_one_of(column))]
    if column.pattern:
        limits["pattern"] = anchored(column.pattern)
    limits = {key: limit for key, limit in limits.items() if limit is not None}
    if limits:
        kind = Annotated[kind, Field(**limits)]
    kind = kind | None if column.nullable else kind
    if given := JSON_TYPES.get(column.kind):
        schema = {"anyOf": [given, {"type": "null"}]} if column.nullable else given
        kind = Annotated[kind, WithJsonSchema(schema)]
    return Annotated[kind, BeforeValidator(column.read)]


def _field(name: str, column: Column) -> Any:
    return Field(
        default=None if column.nullable else ...,
        alias=name,
        description=column.about or None,
        examples=[column.example] if column.example else None,
    )


def _one_of(column: Column) -> Any:
    def check(value: float) -> float:
        if value not in column.allowed:
            raise ValueError(column.expected)
        return value

    return check


class RecordReader:
    """Validates rows and returns their values in the columns' types.

    Parameters
    ----------
    spec : what the columns may hold; the target is ignored
    """

    def __init__(self, spec: DatasetSpec) -> None:
        self.spec = spec
        self.model = record_model(spec)
        self.names = [name for name in spec.columns if name != spec.target]
        self._unread = {spec.target, *spec.ignored}
        self._optional = [name for name in self.names if spec.columns[name].nullable]
        self._values = attrgetter(*self.model.model_fields)

    def read(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """Return the values of one row, None where one is missing.

        Raises
        ------
        InvalidTable
            The row has faults; it lists all of them.
        """
        if not self._unread.isdisjoint(row):
            row = {name: value for name, value in row.items() if name not in self._unread}
        try:
            return self._parsed(row)
        except ValidationError:
            return self.read_all([row])[0]

    def read_all(self, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Return the values of the rows of one table, which are numbered from 1 in messages.

        Raises
        ------
        InvalidTable
            The rows have faults; it lists all of them.
        """
        given = list(dict.fromkeys(chain.from_iterable(rows)))
        names = dict(zip(given, self.spec.match_names(given), strict=True))
        names = {key: name for key, name in names.items() if name not in self.spec.ignored}
        counts = Counter(names.values())
        optional = (name for name in self._optional if name not in counts)
        faults = column_faults([*names.values(), *optional], self.names, self.spec)
        keys = {n: key for key, n in names.items() if n in self.names and counts[n] == 1}
        parsed: list[dict[str, Any]] = []
        for number, row in enumerate(rows, start=1):
            values = {name: row.get(key) for name, key in keys.items()}
            try:
                parsed.append(self._parsed(values))
            except ValidationError as error:
                faults += self._faults(number, values, error)
        faults += self._repeated(rows, keys, faults)
        if faults:
            raise InvalidTable("the table", faults)
        return parsed

    def frame(self, values: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
        """Return validated rows as a table with the types of validated columns."""
        columns = {}
        for name in self.names:
            column = pd.Series([row[name] for row in values], dtype="object")
            given = self.spec.columns[name].kind
            kind = {"integer": "int64", "number": "float64", "date": "float64"}.get(given, "str")
            if kind == "int64" and column.isna().any():
                kind = "float64"
            columns[name] = column.astype(kind)
        return pd.DataFrame(columns)

    def _parsed(self, row: Mapping[str, Any]) -> dict[str, Any]:
        return dict(zip(self.names, self._values(self.model.model_validate(row))))

    def _faults(self, row: int, values: Mapping[str, Any], error: ValidationError) -> list[Fault]:
        faults = []
        for found in error.errors(include_url=False, include_context=False):
            name = str(found["loc"][0])
            if found["type"] != "missing":  # in all rows: that is a fault of the columns
                original = found["type"] == "string_pattern_mismatch"
                value = values[name] if original else found["input"]
                faults.append(wrong_value(row, name, value, self.spec))
        return faults

    def _repeated(
        self, rows: Sequence[Mapping[str, Any]], keys: Mapping[str, str], faults: Sequence[Fault]
    ) -> list[Fault]:
        """Return the faults of repeated values in columns of unique values."""
        wrong, repeated = {(fault.row, fault.column) for fault in faults}, []
        for name in (name for name in keys if self.spec.columns[name].unique):
            seen = {None}
            for number, row in enumerate(rows, start=1):
                if (number, name) in wrong:
                    continue
                value = self.spec.columns[name].read(row.get(keys[name]))
                if value in seen and value is not None:
                    repeated.append(repeated_value(number, name, value))
                seen.add(value)
        return repeated
