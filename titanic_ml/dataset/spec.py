"""Specification of a table: columns, roles, features, groups and slices, from its YAML."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from math import inf
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd

from titanic_ml.dataset.normalise import (
    MISSING,
    Case,
    days_of,
    iso_date,
    number_of,
    significant_of,
    text,
    text_of,
)
from titanic_ml.dataset.patterns import check_pattern
from titanic_ml.dataset.slices import Slice, parse_slices
from titanic_ml.errors import SettingsError, nearest

Kind = Literal["integer", "number", "category", "text", "bool", "date"]
DIGITS = 15  # of a decimal number that float64 holds, whichever it is
FLOAT32_DIGITS = 7  # that float32 holds, of most numbers
NOISE = 6  # decimals to which a whole number is rounded before it is checked
TRUTH = ("false", "true")
ROW = "row"  # name of the id where a table has none: the number of the row
# Names of the package's own columns in tables of predictions, rejected rows and logs.
RESERVED = ("probability", "model_version", "predicted_at", "run_id")


@dataclass(frozen=True)
class Column:
    """Allowed values of one column.

    Attributes
    ----------
    kind
        ``integer`` and ``number`` are numeric, ``category`` is one of few texts, ``text`` is free,
        ``bool`` is true or false (the texts, in a typed table), ``date`` a date in ISO 8601 (days
        after 1970-01-01, in a typed table).
    allowed
        The values it may take; empty if any.
    minimum, maximum
        Range, both ends included.
    nullable
        Whether a value may be missing. A row without its target is left out where it is needed.
    unique
        Whether no value may stand twice.
    decimals
        Number of decimals to which numbers are rounded; by default they are rounded to 15
        significant digits, those of float32 to 7.
    suffix
        Text after a number that is left out, such as ``%``.
    missing
        Words that stand for a missing value, in place of the usual ones; an empty text always does.
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
    decimals: int | None = None
    suffix: str = ""
    missing: tuple[str, ...] | None = None
    case: Case = "keep"
    pattern: str = ""
    example: str = ""
    longest: int = 500
    about: str = ""

    def __post_init__(self) -> None:
        if self.kind == "bool":
            object.__setattr__(self, "allowed", TRUTH)

    @classmethod
    def from_dict(cls, key: str, node: Mapping[str, Any]) -> Column:
        """Read a column; `key` is its place in the settings. Raises `SettingsError`."""
        if not isinstance(node, Mapping):
            raise SettingsError(f"{key} is {node!r}, expected a mapping, as in {{kind: number}}")
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
        given = {name: value for name, value in node.items() if value is not None}
        for name in {"allowed", "missing"} & set(given):
            given[name] = tuple(given[name])
        if "missing" in given:
            given["missing"] = tuple(map(str, given["missing"]))
        if given["kind"] == "date":
            given |= _as_days(key, given)
        column = cls(**given)
        for word in () if column.numeric else column.allowed:
            if word != text(str(word), missing=column.missing_words):
                raise SettingsError(
                    f"{key}.allowed has {word!r}, expected texts without superfluous spaces that "
                    "don't stand for a missing value (missing: [] if none does); put numbers and "
                    "words such as no, on and true in quotes"
                )
        return column

    @cached_property
    def numeric(self) -> bool:
        """Whether a typed value is a number; a date is a number of days."""
        return self.kind in ("integer", "number", "date")

    @cached_property
    def scale(self) -> float | None:
        """Rounding factor, ``10 ** decimals``; None to round to significant digits."""
        decimals = NOISE if self.kind == "integer" and self.decimals is None else self.decimals
        return None if decimals is None else 10.0**decimals

    @cached_property
    def missing_words(self) -> frozenset[str]:
        """The words for a missing value, in lower case."""
        if self.missing is None:
            return MISSING
        return frozenset({"", *(word.lower() for word in self.missing)})

    @cached_property
    def missing_numbers(self) -> tuple[float, ...]:
        """The numbers for a missing value, such as -999."""
        found = []
        for word in self.missing or () if self.numeric else ():
            try:
                found.append(float(word))
            except ValueError:
                pass
        return tuple(found)

    @cached_property
    def _rounded_only(self) -> bool:
        """Whether a number is only rounded to its significant digits."""
        return self.kind == "number" and self.scale is None and not self.missing_numbers

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
        elif type(value) in (int, float):  # most numbers; the check below takes a microsecond
            if value != value:
                return None
            if self._rounded_only and type(value) is float and abs(value) != inf:
                return significant_of(value, DIGITS)
        elif value is None or (pd.api.types.is_scalar(value) and pd.isna(value)):
            return None
        if self.kind == "date":
            return days_of(value, self.missing_words)
        if self.numeric:
            return self._number(value)
        if self.kind == "bool" and isinstance(value, (bool, np.bool_)):
            return TRUTH[int(value)]
        found = text_of(value, self.case, self.missing_words)
        return self.words.get(found.lower(), found) if self.allowed and found else found

    def _number(self, value: Any) -> float | None:
        if type(value) is int and self.kind == "integer" and abs(value) < 10**DIGITS:
            return None if value in self.missing_numbers else value
        digits = FLOAT32_DIGITS if isinstance(value, np.float32) else DIGITS
        if self.suffix and isinstance(value, str):
            value = value.strip().removesuffix(self.suffix)
        try:
            truth = isinstance(value, (bool, np.bool_)) and set(self.allowed) == {0, 1}
            plain = truth or type(value) is float
            found = float(value) if plain else number_of(value, self.missing_words)
            if found is None or found != found:
                return None
            if self.scale is None:
                found = significant_of(found, digits)
            else:
                found = round(found * self.scale) / self.scale + 0.0
        except OverflowError as error:
            raise ValueError("too large") from error
        if found in self.missing_numbers:
            return None
        if found in (inf, -inf):
            raise ValueError("too large")
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
        words |= {"bool": "true or false", "date": "a date such as 2026-01-31"}
        text = words.get(self.kind, "a text")
        if self.kind == "bool":
            return text + (", or nothing" if self.nullable else "")
        if self.suffix:
            text += f", with or without {self.suffix}"
        shown = iso_date if self.kind == "date" else "{:g}".format
        if self.kind == "integer" and not self.allowed and self.maximum is None:
            text += f" of at most {DIGITS} digits"
        if self.allowed:
            text += f", one of {', '.join(map(str, self.allowed))}"
        if self.minimum is not None:
            text += f", at least {shown(self.minimum)}"
        if self.maximum is not None:
            text += f", at most {shown(self.maximum)}"
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
        The column that identifies a row, and the one to be predicted. Without an id a row is
        identified by its number in the table, and `id` is ``row``.
    positive
        The value of the target that is predicted, class 1; all others are class 0.
    columns
        Specification of each column, by name.
    features, groups
        What to build (a `_target_`): the unfitted features of the columns, and the function that
        numbers the group of each row; None for no groups.
    baseline
        The column of the one-column baseline; by default the first that is no text.
    row_name
        Word for a row in texts of the service and reports, such as ``passenger``.
    candidates
        Names of the candidates that are compared, unless the setting `estimator` names others.
    ignored
        Columns that a table may have, and that are not read.
    local
        Addresses with ``env=local``: ``data``, ``store``, ``input``, ``output`` and ``log``.
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
    positive: Any = 1
    groups: Mapping[str, Any] | None = None
    baseline: str | None = None
    row_name: str = "row"
    candidates: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    local: Mapping[str, str] = field(default_factory=dict)
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
        for key in ("name", "target", "columns", "features"):
            if key not in settings:
                raise SettingsError(f"dataset.{key} is not set; a dataset needs one")
        given = {name: value for name, value in settings.items() if value is not None}
        columns, ignored = _columns(given["columns"])
        _check_roles(given, columns)
        if "id" not in given:
            columns = {ROW: Column("integer", minimum=1, nullable=True, unique=True), **columns}
        given |= {"id": given.get("id", ROW), "columns": columns, "ignored": ignored}
        given["positive"] = _positive(given, columns[given["target"]])
        for name in given.get("example", {}):
            if name not in columns or name == settings["target"]:
                raise SettingsError(
                    f"dataset.example.{name}: expected one of the columns but the target"
                )
        spec = cls(**{**given, "slices": {}})
        slices = parse_slices(given.get("slices", {}), spec.inputs)
        return cls(**{**vars(spec), "slices": slices, "not_for": tuple(given.get("not_for", ()))})

    def is_positive(self, values: pd.Series) -> pd.Series:
        """Return the class of each typed value of the target, 0 or 1, (n,) of int64."""
        return (values == self.positive).astype("int64")

    @cached_property
    def answers(self) -> tuple[Any, Any]:
        """The target's values for class 0 and class 1, as predictions have them.

        Of a target with more than two values, they are "not X" and "X" for the positive value X.
        """
        column = self.columns[self.target]
        if column.kind == "bool":
            return (False, True) if self.positive == TRUTH[1] else (True, False)
        others = [value for value in column.allowed if value != self.positive]
        if len(others) == 1:
            return others[0], self.positive
        return f"not {self.positive}", str(self.positive)

    @property
    def answer_kind(self) -> str:
        """Kind of the column of predictions."""
        if isinstance(self.answers[1], str):
            return "text"
        return self.columns[self.target].kind

    @property
    def outcome(self) -> str:
        """Name of the positive class for people: the target, with its value unless that is 1."""
        column = self.columns[self.target]
        usual = 1 if column.numeric else TRUTH[1]
        return self.target if self.positive == usual else f"{self.target} {self.positive}"

    def match_names(self, found: Iterable[object]) -> list[str]:
        """Return the column that each column name of a table means, or the name itself.

        Names are normalised like values. A name in another case is that of a column if no other
        name of the table and no other column differs from it in case only.
        """
        names = [text(str(name)) or str(name) for name in found]
        counts = Counter(name.casefold() for name in names)
        alike: dict[str, list[str]] = {}
        known_names = {*self.columns, *self.ignored}
        for name in known_names:
            alike.setdefault(name.casefold(), []).append(name)

        def match(name: str) -> str:
            known = alike.get(name.casefold(), [])
            unique = len(known) == 1 and counts[name.casefold()] == 1
            return known[0] if unique and name not in known_names else name

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
            name: self.example.get(name, _example(column))
            for name, column in self.columns.items()
            if name not in (self.target, ROW)
        }

    @property
    def kinds(self) -> dict[str, Kind]:
        """The kind of each column."""
        return {name: column.kind for name, column in self.columns.items()}


def _columns(nodes: Mapping[Any, Any]) -> tuple[dict[str, Column], tuple[str, ...]]:
    """Read the columns; return the used ones, and the names of the ignored ones."""
    columns, ignored = {}, []
    for name, node in nodes.items():
        if not isinstance(name, str):
            raise SettingsError(
                f"dataset.columns has the name {str(name).lower()}, which YAML reads as another "
                'type; put it in quotes, as in "on" or "1"'
            )
        if isinstance(node, Mapping) and node.get("ignore"):
            ignored.append(name)
        else:
            if isinstance(node, Mapping):
                node = {key: value for key, value in node.items() if key != "ignore"}
            columns[name] = Column.from_dict(f"dataset.columns.{name}", node)
    return columns, tuple(ignored)


def _check_roles(given: Mapping[str, Any], columns: Mapping[str, Column]) -> None:
    """Check the columns of id, target and baseline. Raises `SettingsError`."""
    for role in ("id", "target", "baseline"):
        if role in given and given[role] not in columns:
            raise SettingsError(f"dataset.{role} is {given[role]}, expected one of the columns")
    if clash := [name for name in columns if name in RESERVED]:
        raise SettingsError(
            f"dataset.columns has {clash[0]}, a column that the package writes beside those of the "
            "table; rename it in the table, or set `ignore: true`"
        )
    if "id" not in given and ROW in columns:
        raise SettingsError(
            f"dataset.columns has {ROW}, the name of the id of a table without one; set "
            f"`id: {ROW}`, rename the column, or set `ignore: true`"
        )


def _positive(given: Mapping[str, Any], column: Column) -> Any:
    """Return the positive value of the target as its column spells it. Raises `SettingsError`."""
    key, target = "dataset.positive", given["target"]
    usual = {"bool": TRUTH[1], "integer": 1, "number": 1}.get(column.kind)
    named = given.get("positive", usual)
    values = ", ".join(map(str, column.allowed))
    if named is None:
        raise SettingsError(f"{key} is not set; name the value of {target} to predict: {values}")
    try:
        found = column.read(str(named) if not column.numeric else named)
    except ValueError:
        found = None
    if found not in column.allowed or len(column.allowed) < 2:
        raise SettingsError(
            f"{key} is {named}, and dataset.columns.{target}.allowed is "
            f"{values or 'empty'}; expected one of two or more allowed values"
        )
    return found


def _as_days(key: str, node: Mapping[str, Any]) -> dict[str, float]:
    """Return the ends of a range of dates as days. Raises `SettingsError`."""
    try:
        return {n: float(days_of(node[n]) or 0.0) for n in ("minimum", "maximum") if n in node}
    except ValueError as error:
        raise SettingsError(f"{key}: minimum and maximum must be dates in quotes") from error


def _example(column: Column) -> Any:
    """Return an allowed value of a column, as a request gives it."""
    if column.kind == "bool":
        return True
    if column.kind == "date":
        return iso_date(column.minimum or 20_000.0)
    return column.example or next(iter(column.allowed), column.minimum)


def _refuse_unknown(key: str, node: Mapping[str, Any], kind: type) -> None:
    known = sorted(field.name for field in fields(kind))
    for unknown in sorted(set(map(str, node)).difference(known)):
        raise SettingsError(f"{key}: unknown {unknown}{nearest(unknown, known)}")
