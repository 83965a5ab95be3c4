"""Named parts of a table for which a model is evaluated separately."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from titanic_ml.errors import SettingsError

KNOWN = ("column", "expression", "edges", "names")
UNKNOWN = "unknown"  # what a missing value is called


@dataclass(frozen=True)
class Slice:
    """One way to take a table apart.

    Attributes
    ----------
    key
        Place in the settings.
    column, expression
        A column, or an expression of columns as `DataFrame.eval` takes it: one of the two.
    edges
        Numbers that cut numbers into ranges, the lower end included; None if values stay whole.
    names
        Names of the values.

    >>> ages = pd.DataFrame({"age": [5.0, 16.0, 70.0, np.nan]})
    >>> Slice("age", column="age", edges=[16, 60]).labels(ages).tolist()
    ['under 16', '16 to 60', '60 and over', 'unknown']
    """

    key: str
    column: str | None = None
    expression: str | None = None
    edges: Sequence[float] | None = None
    names: Mapping[Any, str] = field(default_factory=dict)

    @classmethod
    def from_node(cls, key: str, node: Any, columns: Sequence[str]) -> Slice:
        """Read a slice from the settings: a column's name or a mapping. Raises `SettingsError`."""
        node = _mapping({"column": node} if isinstance(node, str) else node, key)
        if unknown := sorted(map(str, set(node) - set(KNOWN))):
            raise SettingsError(f"{key}: unknown {', '.join(unknown)}, expected {', '.join(KNOWN)}")
        if ("column" in node) == ("expression" in node):
            raise SettingsError(f"{key}: expected either a column or an expression")
        if "column" in node and node["column"] not in columns:
            raise SettingsError(
                f"{key}: no column {node['column']}, expected one of {', '.join(columns)}"
            )
        if "edges" in node and not _rise(node["edges"]):
            raise _edges_fault(key, node["edges"])
        _mapping(node.get("names", {}), f"{key}.names")
        return cls(key, **node)

    def labels(self, X: pd.DataFrame) -> pd.Series:
        """Name the slice of each row of X, (n, columns), as a text, (n,).

        Raises
        ------
        SettingsError
            The expression can't be computed, or edges are to cut what is no number.
        """
        values = self._values(X)
        if self.edges is not None:
            values = self._ranges(values)
        names = {_text(value): name for value, name in self.names.items()}
        labels = values.astype("object").map(_text)
        return labels.map(lambda label: names.get(label, label)).astype("str")

    def _values(self, X: pd.DataFrame) -> pd.Series:
        if self.expression is None:
            return X[self.column]
        try:
            # Of the columns alone: without the two, "@name" would reach this function's own names.
            values = X.eval(self.expression, local_dict={}, global_dict={})
            return pd.Series(values, index=X.index)
        except Exception as error:  # whatever a wrong expression makes of pandas' parser
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise SettingsError(
                f"{self.key}: can't compute {self.expression!r}: {reason}"
            ) from error

    def _ranges(self, values: pd.Series) -> pd.Series:
        edges = list(self.edges or ())
        if not pd.api.types.is_numeric_dtype(values):
            raise _edges_fault(self.key, edges)
        names = [f"{low:g} to {high:g}" for low, high in zip(edges, edges[1:], strict=False)]
        names = [f"under {edges[0]:g}", *names, f"{edges[-1]:g} and over"]
        numbers = values.astype("float64")
        which = np.searchsorted(edges, numbers, side="right")
        return pd.Series(np.array(names, "object")[which], values.index).where(numbers.notna())


def parse_slices(nodes: Any, columns: Sequence[str]) -> dict[str, Slice]:
    """Read the slices of a table of these columns, by name.

    Raises
    ------
    SettingsError
        A column or key is unknown, edges don't rise, or a part is of the wrong type.
    """
    found = _mapping(nodes, "dataset.slices")
    return {
        name: Slice.from_node(f"dataset.slices.{name}", node, columns)
        for name, node in found.items()
    }


def slice_labels(X: pd.DataFrame, slices: Mapping[str, Slice]) -> dict[str, pd.Series]:
    """Return the part of each row, by slice. Raises as `Slice.labels` does."""
    return {name: part.labels(X) for name, part in slices.items()}


def _mapping(node: Any, key: str) -> Mapping[Any, Any]:
    if not isinstance(node, Mapping):
        raise SettingsError(f"{key} is {node!r}, expected a mapping")
    return node


def _edges_fault(key: str, edges: Any) -> SettingsError:
    return SettingsError(f"{key}.edges is {edges}, expected rising numbers, for a numeric column")


def _rise(edges: Any) -> bool:
    """Check for a non-empty list of increasing numbers."""
    if not isinstance(edges, Sequence) or not all(isinstance(e, (int, float)) for e in edges):
        return False
    return len(edges) > 0 and bool(np.isfinite(edges).all() and (np.diff(edges) > 0).all())


def _text(value: object) -> str:
    """Return a value as people write it: 1 for 1.0, true for True."""
    if pd.isna(value):
        return UNKNOWN
    if isinstance(value, (bool, np.bool_)):
        return str(value).lower()
    if isinstance(value, (float, np.floating)) and float(value).is_integer():
        return str(int(value))
    return str(value)
