"""The text of a new dataset's YAML, with comments on what was seen."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from titanic_ml.dataset.inference import InferredColumn

CANDIDATES = ("majority", "one_column", "logistic_regression", "searched_vote")
MOST_SLICES = 5
SLICE_WORDS = (2, 8)  # fewest and most words of a column that is a slice


@dataclass(frozen=True)
class Draft:
    """A dataset as it was inferred from a table.

    Attributes
    ----------
    name
        Name of the dataset.
    source
        Address of the table; None if it has a password.
    about
        Where the columns come from.
    id, target
        Names of the columns; the id is None for the number of the row.
    positive
        The value to predict, and why it was chosen.
    columns
        The columns in their order.
    baseline
        Column of the one-column baseline; None without one.
    suspects
        Questions on columns that may be leaks, by name.
    groups
        Columns with repeated values that may be groups of rows.
    """

    name: str
    source: str | None
    about: str
    id: str | None
    target: str
    positive: tuple[Any, str]
    columns: Sequence[InferredColumn]
    baseline: str | None = None
    suspects: Mapping[str, str] = field(default_factory=dict)
    groups: Sequence[str] = ()

    @property
    def inputs(self) -> list[InferredColumn]:
        """The columns that features are made of."""
        others = (self.id, self.target)
        return [c for c in self.columns if c.name not in others and not c.ignored]

    def to_yaml(self) -> str:
        """Return the text of the file."""
        return "\n".join(
            [
                f"# Made by `init` from {self.about}; correct what is wrong.",
                "# Every key is described in docs/own-table.md.",
                f"name: {_quoted(self.name)}",
                f"id: {_id(self.id)}",
                f"target: {_quoted(self.target)}",
                f"positive: {_value(self.positive[0])} # {self.positive[1]}",
                *_line("baseline", self.baseline, "column of the one-column baseline"),
                "row_name: row # what a row is called, such as customer",
                f"about: {_quoted(self.about)} # what a row is, and where the table comes from",
                'intended_use: ""',
                "not_for: []",
                "local: # addresses with env=local",
                *self._local(),
                f"candidates: [{', '.join(CANDIDATES)}]",
                *self._features(),
                *self._groups(),
                *self._slices(),
                "example: # for forms and documentation: made up of typical values",
                *(f"  {_quoted(c.name)}: {_value(c.typical)}" for c in self.inputs),
                "columns: # a column without nullable: true must have a value in every row",
                *(self._column(column) for column in self.columns),
                "",
            ]
        )

    def _local(self) -> list[str]:
        place = f"{self.name}-predictions.csv"
        address = _value(self.source)
        return [
            f"  data: {address} # training table",
            f"  input: {address} # table that `predict` reads if none is named",
            f"  output: {_quoted(place)}",
            f"  store: {_quoted(f'models/{self.name}')}",
            f"  log: {_quoted(f'served-{self.name}/')}",
        ]

    def _features(self) -> list[str]:
        numbers = [c for c in self.inputs if c.kind in ("integer", "number", "date")]
        gaps = [_quoted(column.name) for column in numbers if column.missing]
        return [
            "features: # or features of your own",
            "  _target_: titanic_ml.preprocessing.TableFeatures",
            "  of: ${dataset.columns}",
            f"  gaps: [{', '.join(gaps)}] # a feature says whether the value is missing",
        ]

    def _groups(self) -> list[str]:
        if not self.groups:
            return []
        name = self.groups[0]
        return [
            f"# Do rows with the same {name} belong together? Then they must be tested together:",
            f"# remove the next four #, and set {name} to {{kind: text, nullable: true}}.",
            "# groups:",
            "#   _target_: titanic_ml.preprocessing.group_by",
            "#   _partial_: true",
            f"#   column: {_quoted(name)}",
        ]

    def _slices(self) -> list[str]:
        few, many = SLICE_WORDS
        names = [
            column.name
            for column in self.inputs
            if column.kind in ("category", "bool") and few <= len(column.counts) <= many
        ]
        lines = [f"  {_quoted(name)}: {_quoted(name)}" for name in names[:MOST_SLICES]]
        return ["slices: # parts of the table that are measured separately", *lines] * bool(lines)

    def _column(self, column: InferredColumn) -> str:
        properties = dict(column.properties)
        if column.ignored:
            properties = {"ignore": True}
        elif column.name == self.id:
            properties["unique"] = True
        elif column.name != self.target or column.missing:
            properties["nullable"] = True
        given = ", ".join(f"{key}: {_value(value)}" for key, value in properties.items())
        note = _comment(self.suspects.get(column.name), column.summary)
        return f"  {_quoted(column.name)}: {{{given}}} # {note}"


def _id(name: str | None) -> str:
    return "null # the number of the row" if name is None else _quoted(name)


def _line(key: str, value: str | None, comment: str) -> list[str]:
    return [] if value is None else [f"{key}: {_quoted(value)} # {comment}"]


def _comment(*parts: str | None) -> str:
    return " ".join("; ".join(part for part in parts if part).split())


def _quoted(text: str) -> str:
    """Return a text for YAML, in quotes, without an interpolation of OmegaConf."""
    return json.dumps(text.replace("${", "\\${"), ensure_ascii=False)


def _value(value: Any) -> str:
    """Return a value for YAML on one line."""
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(_value(one) for one in value)}]"
    if isinstance(value, str) and value not in _WORDS:
        return _quoted(value)
    return value if isinstance(value, str) else json.dumps(value)


# Words of the specification itself, which need no quotes.
_WORDS = ("integer", "number", "category", "text", "bool", "date", "lower")
