"""What each column of a table may hold: the schema, made from a dataset's YAML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal

from titanic_ml.errors import SettingsError

Kind = Literal["integer", "number", "category", "text"]
DIGITS = 15  # of a whole number that float64 holds exactly, whichever it is


@dataclass(frozen=True)
class Column:
    """What one column may hold.

    Attributes
    ----------
    kind
        ``integer`` and ``number`` are numeric, ``category`` is one of few texts, ``text`` is free.
    allowed
        The values it may take; empty if any.
    minimum, maximum
        Its range, both ends included.
    nullable
        Whether a value may be missing.
    unique
        Whether no value may stand twice.
    about
        Meaning and unit, for people.
    """

    kind: Kind
    allowed: tuple[Any, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    nullable: bool = False
    unique: bool = False
    about: str = ""

    @property
    def numeric(self) -> bool:
        return self.kind in ("integer", "number")

    @property
    def expected(self) -> str:
        """What is allowed, in words.

        >>> Column("integer", allowed=(1, 2, 3)).expected
        'a whole number, one of 1, 2, 3'
        """
        words = {"integer": "a whole number", "number": "a number", "category": "a word"}
        text = words.get(self.kind, "a text")
        if self.kind == "integer" and not self.allowed and self.maximum is None:
            text += f" of at most {DIGITS} digits"
        if self.allowed:
            text += f", one of {', '.join(map(str, self.allowed))}"
        if self.minimum is not None:
            text += f", at least {self.minimum:g}"
        if self.maximum is not None:
            text += f", at most {self.maximum:g}"
        return text + (", or nothing" if self.nullable else "")


@dataclass(frozen=True)
class Schema:
    """The columns of a table, its target (0 or 1) and its id."""

    name: str
    id: str
    target: str
    columns: Mapping[str, Column]

    @classmethod
    def from_dict(cls, settings: Mapping[str, Any]) -> Schema:
        """Make a schema from a dataset's YAML.

        Raises
        ------
        SettingsError
            A column has an unknown property or kind, or the id or target is not a column.
        """
        known = {field.name for field in fields(Column)}
        columns = {}
        for name, values in settings["columns"].items():
            if unknown := set(values) - known:
                raise SettingsError(
                    f"dataset.columns.{name}: unknown {', '.join(sorted(unknown))}, "
                    f"expected {', '.join(sorted(known))}"
                )
            if values.get("kind") not in Kind.__args__:
                raise SettingsError(
                    f"dataset.columns.{name}.kind is {values.get('kind')}, "
                    f"expected one of {', '.join(Kind.__args__)}"
                )
            columns[name] = Column(**{**values, "allowed": tuple(values.get("allowed", ()))})
        for role in ("id", "target"):
            if settings[role] not in columns:
                raise SettingsError(
                    f"dataset.{role} is {settings[role]}, expected one of the columns"
                )
        return cls(settings["name"], settings["id"], settings["target"], columns)

    @property
    def features(self) -> list[str]:
        """Names of the columns that a model may learn from."""
        return [name for name in self.columns if name not in (self.id, self.target)]
