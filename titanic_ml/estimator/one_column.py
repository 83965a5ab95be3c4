"""The one-column baseline: the rate of the target by one column of the table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import OneHotEncoder
from sklearn.tree import DecisionTreeClassifier

from titanic_ml.errors import SettingsError

LEAVES, LEAF_ROWS = 4, 20  # of the tree of a number
Columns = Mapping[str, Mapping[str, Any]]


def one_column_encoder(
    columns: Columns, others: Sequence[str | None], baseline: str | None = None
) -> TransformerMixin:
    """Return an unfitted encoder of the baseline column: one-hot, or the number itself.

    Parameters
    ----------
    columns
        Specification of each column by name, as under ``columns:`` in the dataset's YAML.
    others
        Columns that are no input: the id and the target.
    baseline
        Name of the baseline column, by default the first input that is no free text.

    Returns
    -------
    TransformerMixin
        The encoder.

    Raises
    ------
    SettingsError
        All inputs are free texts.
    """
    name = _column(columns, others, baseline)
    encoder = "passthrough" if _is_number(columns[name]) else OneHotEncoder(handle_unknown="ignore")
    return ColumnTransformer([("column", encoder, [name])])


def one_column_estimator(
    columns: Columns, others: Sequence[str | None], baseline: str | None = None
) -> BaseEstimator:
    """Return an unfitted classifier of the encoded column.

    Parameters
    ----------
    columns, others, baseline
        As in `one_column_encoder`.

    Returns
    -------
    BaseEstimator
        A shallow tree for a number; for categories a logistic regression, hence their rates.

    Raises
    ------
    SettingsError
        All inputs are free texts.
    """
    if _is_number(columns[_column(columns, others, baseline)]):
        return DecisionTreeClassifier(max_leaf_nodes=LEAVES, min_samples_leaf=LEAF_ROWS)
    return LogisticRegression(C=100.0)


def _column(columns: Columns, others: Sequence[str | None], baseline: str | None) -> str:
    if baseline:
        return baseline
    for name, column in columns.items():
        if name not in others and column.get("kind") != "text" and not column.get("ignore"):
            return name
    raise SettingsError("dataset.baseline is not set, and all input columns are free texts")


def _is_number(column: Mapping[str, Any]) -> bool:
    """Return whether a column is cut into ranges, not taken value by value."""
    whole = column["kind"] == "integer" and not column.get("allowed")
    return whole or column["kind"] in ("number", "date")
