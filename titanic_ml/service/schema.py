"""What a passenger is in JSON, made from the dataset's specification."""

from __future__ import annotations

from typing import Any

from titanic_ml.dataset.spec import DIGITS, Column, DatasetSpec

TYPES = {"integer": "integer", "number": "number"}  # of a kind; other kinds are texts


def passenger_schema(spec: DatasetSpec) -> dict[str, Any]:
    """JSON schema of a passenger, without the target; nullable columns may be left out."""
    columns = {name: column for name, column in spec.columns.items() if name != spec.target}
    return {
        "title": "Passenger",
        "type": "object",
        "description": spec.about,
        "properties": {name: _property(column) for name, column in columns.items()},
        "required": [name for name, column in columns.items() if not column.nullable],
        "additionalProperties": False,
    }


def example(spec: DatasetSpec) -> dict[str, Any]:
    """Return the specification's example row, without the target.

    A column that it leaves out gets the column's own example, its first allowed value or its
    minimum, in this order; else None.
    """
    return {
        name: spec.example.get(name, column.example or next(iter(column.allowed), column.minimum))
        for name, column in spec.columns.items()
        if name != spec.target
    }


def answer_schema(spec: DatasetSpec) -> dict[str, Any]:
    """The JSON schema of the answer for one passenger."""
    return {
        "title": "Prediction",
        "type": "object",
        "properties": {
            spec.id: _property(spec.columns[spec.id]),
            spec.target: {"type": "integer", "enum": [0, 1]},
            "probability": {"type": "number", "minimum": 0, "maximum": 1},
            "model_version": {"type": "string"},
        },
        "required": [spec.id, spec.target, "probability", "model_version"],
    }


def _property(column: Column) -> dict[str, Any]:
    kind = TYPES.get(column.kind, "string")
    found: dict[str, Any] = {"type": [kind, "null"] if column.nullable else kind}
    if column.allowed:
        found["enum"] = [*column.allowed, None] if column.nullable else list(column.allowed)
    if column.minimum is not None:
        found["minimum"] = column.minimum
    if column.maximum is not None:
        found["maximum"] = column.maximum
    elif column.kind == "integer" and not column.allowed:
        found["maximum"] = 10**DIGITS - 1
    if column.pattern:
        found["pattern"] = f"^(?:{column.pattern}){'?' * column.nullable}$"
    if column.example:
        found["examples"] = [column.example]
    return found | {"description": column.about} if column.about else found
