"""Named parts of a table, in which a model is measured apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from titanic_ml.errors import SettingsError

KNOWN = ("column", "expression", "edges", "names")
UNKNOWN = "unknown"  # what a missing value is called


def slice_labels(
    X: pd.DataFrame, slices: Mapping[str, str | Mapping[str, Any]]
) -> dict[str, pd.Series]:
    """The part of each slice to which a row belongs, as a text.

    Parameters
    ----------
    X
        The table's columns, (n, columns).
    slices
        By name, a column of the table, or a mapping: `column`, or an `expression` of columns as
        `DataFrame.eval` takes them; `edges` that cut numbers into ranges, the lower end included;
        `names` for the values.

    Raises
    ------
    SettingsError
        A column or key is unknown, an expression can't be computed, edges don't rise, or a part of
        the settings is of the wrong type.

    >>> ages = pd.DataFrame({"age": [5.0, 16.0, 70.0, np.nan]})
    >>> slice_labels(ages, {"age": {"column": "age", "edges": [16, 60]}})["age"].tolist()
    ['under 16', '16 to 60', '60 and over', 'unknown']
    """
    found = _mapping(slices, "dataset.slices")
    return {name: _labels(X, f"dataset.slices.{name}", node) for name, node in found.items()}


def _mapping(node: Any, key: str) -> Mapping[Any, Any]:
    if not isinstance(node, Mapping):
        raise SettingsError(f"{key} is {node!r}, expected a mapping")
    return node


def _labels(X: pd.DataFrame, key: str, node: Any) -> pd.Series:
    node = _mapping({"column": node} if isinstance(node, str) else node, key)
    if unknown := sorted(map(str, set(node) - set(KNOWN))):
        raise SettingsError(f"{key}: unknown {', '.join(unknown)}, expected {', '.join(KNOWN)}")
    values = _values(X, key, node)
    if "edges" in node:
        values = _ranges(values, key, node["edges"])
    wanted = _mapping(node.get("names", {}), f"{key}.names")
    names = {_text(value): name for value, name in wanted.items()}
    labels = values.astype("object").map(_text)
    return labels.map(lambda label: names.get(label, label)).astype("str")


def _values(X: pd.DataFrame, key: str, node: Mapping[str, Any]) -> pd.Series:
    if ("column" in node) == ("expression" in node):
        raise SettingsError(f"{key}: expected either a column or an expression")
    if "column" in node:
        if node["column"] not in list(X.columns):  # a list has no hash, yet can be compared
            columns = ", ".join(X.columns)
            raise SettingsError(f"{key}: no column {node['column']}, expected one of {columns}")
        return X[node["column"]]
    try:
        # Of the columns alone: without the two, "@name" would reach this function's own names.
        values = X.eval(node["expression"], local_dict={}, global_dict={})
        return pd.Series(values, index=X.index)
    except Exception as error:  # whatever a wrong expression makes of pandas' parser
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise SettingsError(f"{key}: can't compute {node['expression']!r}: {reason}") from error


def _ranges(values: pd.Series, key: str, edges: Any) -> pd.Series:
    if not _rise(edges) or not pd.api.types.is_numeric_dtype(values):
        raise SettingsError(
            f"{key}.edges is {edges}, expected rising numbers, for a numeric column"
        )
    names = [f"{low:g} to {high:g}" for low, high in zip(edges, edges[1:], strict=False)]
    names = [f"under {edges[0]:g}", *names, f"{edges[-1]:g} and over"]
    numbers = values.astype("float64")
    which = np.searchsorted(edges, numbers, side="right")
    return pd.Series(np.array(names, "object")[which], values.index).where(numbers.notna())


def _rise(edges: Any) -> bool:
    """Whether these are numbers, one at least, each above the one before."""
    if not isinstance(edges, Sequence) or not all(isinstance(e, (int, float)) for e in edges):
        return False
    return len(edges) > 0 and bool(np.isfinite(edges).all() and (np.diff(edges) > 0).all())


def _text(value: object) -> str:
    """As a person writes it: 1 for 1.0, true for True."""
    if pd.isna(value):
        return UNKNOWN
    if isinstance(value, (bool, np.bool_)):
        return str(value).lower()
    if isinstance(value, (float, np.floating)) and float(value).is_integer():
        return str(int(value))
    return str(value)
