"""Specification of a table: columns, roles, features, groups and slices, from its YAML."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd

from titanic_ml.dataset.normalise import Case, number_of, text, text_of
from titanic_ml.dataset.patterns import check_pattern
from titanic_ml.dataset.slices import Slice, parse_slices
from titanic_ml.errors import SettingsError, nearest

Kind = Literal["integer", "number", "category", "text"]
DIGITS = 15  # of a whole number that float64 holds exactly, whichever it is


@dataclass(frozen=True)
class Column:
    """Allowed values of one column.

    Attributes
    ----------
    kind
        ``integer`` and ``number`` are numeric, ``category`` is one of few texts, ``text`` is free.
    allowed
        The values it may take; empty if any.
    minimum, maximum
        Range, both ends included.
    nullable
        Whether a value may be missing.
    unique
        Whether no value may stand twice.
    decimals
        Number of decimals to which numbers are rounded.
    case
        ``upper`` or ``lower`` if capital letters mean nothing in a text; else ``keep``.
    pattern, example
        A regular expression that the whole normalised text must match, and a value that does. It
        is matched in linear time, so it can't look around or refer to a group.
    longest
        Most characters of a text, checked before anything else.
    about
        Meaning and unit, for people.
    """

    kind: Kind
    allowed: tuple[Any, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    nullable: bool = False
    unique: bool = False
    decimals: int = 6
    case: Case = "keep"
    pattern: str = ""
    example: str = ""
    longest: int = 500
    about: str = ""

    @classmethod
    def from_dict(cls, key: str, node: Mapping[str, Any]) -> Column:
        """Read a column; `key` is its place in the settings. Raises `SettingsError`."""
        _refuse_unknown(key, node, cls)
        if node.get("kind") not in get_args(Kind):
            raise SettingsError(
                f"{key}.kind is {node.get('kind')}, expected one of {', '.join(get_args(Kind))}"
            )
        if node.get("case", "keep") not in get_args(Case):
            raise SettingsError(
                f"{key}.case is {node['case']}, expected one of {', '.join(get_args(Case))}"
            )
        try:
            check_pattern(node.get("pattern", ""))
        except ValueError as error:
            raise SettingsError(f"{key}.pattern can't be used: {error}") from error
        column = cls(**{**node, "allowed": tuple(node.get("allowed", ()))})
        for word in () if column.numeric else column.allowed:
            if word != text(str(word)):
                raise SettingsError(
                    f"{key}.allowed has {word!r}, expected texts without superfluous spaces that "
                    "don't stand for a missing value; put numbers in quotes"
                )
        return column

    @cached_property
    def numeric(self) -> bool:
        return self.kind in ("integer", "number")

    @cached_property
    def scale(self) -> float:
        """Rounding factor, ``10 ** decimals``."""
        return 10.0**self.decimals

    @cached_property
    def words(self) -> Mapping[str, Any]:
        """The allowed texts by their lower-case form."""
        return {str(word).lower(): word for word in self.allowed}

    @cached_property
    def canonical(self) -> frozenset[Any]:
        """The allowed texts; `read` returns them as they are."""
        return frozenset(() if self.numeric else self.allowed)

    def read(self, value: Any) -> Any:
        """Return one value in the column's type and canonical spelling, None if it is missing.

        Range, allowed values and pattern are checked elsewhere.

        Raises
        ------
        ValueError
            The value is of another type, or too long.

        >>> Column("number", decimals=2).read(" 7.250001 "), Column("integer").read("3.0")
        (7.25, 3)
        """
        if isinstance(value, str):
            if value in self.canonical:
                return value
            if len(value) > self.longest:
                raise ValueError(f"longer than {self.longest} characters")
        elif value is None or (pd.api.types.is_scalar(value) and pd.isna(value)):
            return None
        if self.numeric:
            return self._number(value)
        found = text_of(value, self.case)
        return self.words.get(found.lower(), found) if self.allowed and found else found

    def _number(self, value: Any) -> float | None:
        if type(value) is int and self.kind == "integer" and abs(value) < 10**DIGITS:
            return value
        try:
            truth = isinstance(value, (bool, np.bool_)) and set(self.allowed) == {0, 1}
            found = float(value) if truth or type(value) is float else number_of(value)
            if found is None or found != found:
                return None
            found = round(found * self.scale) / self.scale + 0.0
        except OverflowError as error:
            raise ValueError("too large") from error
        if self.kind == "integer":
            if found % 1 or abs(found) >= 10.0**DIGITS:
                raise ValueError("no whole number that float64 holds exactly")
            return int(found)
        return found

    @property
    def expected(self) -> str:
        """Description of the allowed values.

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
        if self.example:
            text += f" such as {self.example!r}"
        return text + (", or nothing" if self.nullable else "")


@dataclass(frozen=True)
class DatasetSpec:
    """Content of a dataset's YAML.

    Attributes
    ----------
    name
        Name of the dataset.
    id, target
        The column that identifies a row, and the one to be predicted, 0 or 1.
    columns
        Specification of each column, by name.
    features, groups
        What to build (a `_target_`): the unfitted features of the columns, and the function that
        numbers the group of each row; None for no groups.
    baseline
        The column of the one-column baseline.
    slices
        Parts of the table for which a model is evaluated separately, by name.
    labels
        Labels of features by name; a feature without one keeps its name.
    example
        A row for documentation and forms, by column; not one of the training table, since the model
        has learned from those. Columns without a value get one that is allowed.
    about, intended_use, not_for, ethics
        For people: what the table is, and what a model of it is for and not for.
    """

    name: str
    id: str
    target: str
    columns: Mapping[str, Column]
    features: Mapping[str, Any]
    groups: Mapping[str, Any] | None = None
    baseline: str | None = None
    slices: Mapping[str, Slice] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    example: Mapping[str, Any] = field(default_factory=dict)
    about: str = ""
    intended_use: str = ""
    not_for: tuple[str, ...] = ()
    ethics: str = ""

    @classmethod
    def from_dict(cls, settings: Mapping[str, Any]) -> DatasetSpec:
        """Read and check a dataset's settings.

        Raises
        ------
        SettingsError
            A key is unknown or missing, a column has an unknown property or kind, the id or target
            is not a column, or a slice can't be cut.
        """
        _refuse_unknown("dataset", settings, cls)
        for key in ("name", "id", "target", "columns", "features"):
            if key not in settings:
                raise SettingsError(f"dataset.{key} is not set; a dataset needs one")
        columns = {
            name: Column.from_dict(f"dataset.columns.{name}", node)
            for name, node in settings["columns"].items()
        }
        for role in ("id", "target"):
            if settings[role] not in columns:
                raise SettingsError(
                    f"dataset.{role} is {settings[role]}, expected one of the columns"
                )
        given = {name: value for name, value in settings.items() if value is not None}
        for name in given.get("example", {}):
            if name not in columns or name == settings["target"]:
                raise SettingsError(
                    f"dataset.example.{name}: expected one of the columns but the target"
                )
        spec = cls(**{**given, "columns": columns, "slices": {}})
        slices = parse_slices(given.get("slices", {}), spec.inputs)
        return cls(**{**vars(spec), "slices": slices, "not_for": tuple(given.get("not_for", ()))})

    def match_names(self, found: Iterable[object]) -> list[str]:
        """Return the column that each column name of a table means, or the name itself.

        Names are normalised like values. A name in another case is that of a column if no other
        name of the table and no other column differs from it in case only.
        """
        names = [text(str(name)) or str(name) for name in found]
        counts = Counter(name.casefold() for name in names)
        alike: dict[str, list[str]] = {}
        for name in self.columns:
            alike.setdefault(name.casefold(), []).append(name)

        def match(name: str) -> str:
            known = alike.get(name.casefold(), [])
            unique = len(known) == 1 and counts[name.casefold()] == 1
            return known[0] if unique and name not in self.columns else name

        return [match(name) for name in names]

    @property
    def inputs(self) -> list[str]:
        """Input columns of a model."""
        return [name for name in self.columns if name not in (self.id, self.target)]

    def with_optional_id(self) -> DatasetSpec:
        """Return the same specification, but that rows need no id."""
        columns = {**self.columns, self.id: replace(self.columns[self.id], nullable=True)}
        return replace(self, columns=columns)

    @property
    def example_row(self) -> dict[str, Any]:
        """The example row without the target.

        A column that `example` leaves out gets its own example, its first allowed value or its
        minimum, in this order; else None.
        """
        return {
            name: self.example.get(
                name, column.example or next(iter(column.allowed), column.minimum)
            )
            for name, column in self.columns.items()
            if name != self.target
        }

    @property
    def kinds(self) -> dict[str, Kind]:
        """The kind of each column."""
        return {name: column.kind for name, column in self.columns.items()}


def _refuse_unknown(key: str, node: Mapping[str, Any], kind: type) -> None:
    known = sorted(field.name for field in fields(kind))
    for unknown in sorted(set(map(str, node)).difference(known)):
        raise SettingsError(f"{key}: unknown {unknown}{nearest(unknown, known)}")
