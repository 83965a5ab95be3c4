"""Features of any table, by the kinds of its columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from titanic_ml.preprocessing.coded import (
    Coded,
    Numbers,
    Value,
    Values,
    coded,
    filled,
    mapped,
    numbered,
    numbers,
)
from titanic_ml.preprocessing.scaling import SquashingScaler

UNKNOWN, OTHER = "unknown", "other"
EPOCH = date(1970, 1, 1).toordinal()
MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
WEEKDAYS = "Mon Tue Wed Thu Fri Sat Sun".split()


class TableFeatures(TransformerMixin, BaseEstimator):
    """Compute the features of a table from its specification, without code of its own.

    The names of the features follow from the specification alone, so they are the same in every
    fold. Free text is left out.

    Parameters
    ----------
    of
        Specification of each column by name, as under ``columns:`` in the dataset's YAML. Columns
        that are not in the table, such as the target, are skipped.
    gaps
        Columns with a feature "NAME missing", 1 where the value is missing.
    min_rows
        A word with fewer rows in `fit` becomes "other".
    max_words
        Largest number of words of one column; rarer words become "other".

    Attributes
    ----------
    scaler
        Unfitted scaler of the numbers, for `build_preprocessor`.
    medians_
        Median of each number and date in `fit`, in place of a missing value.
    words_
        Words of each category that are not folded into "other".

    Notes
    -----
    number, integer
        As it is; the median where it is missing.
    category, bool
        As it is; "unknown" where it is missing.
    date
        Days since 1970 under the name of the column, with "NAME year" as a number, and "NAME month"
        and "NAME weekday" as categories.

    Examples
    --------
    >>> spec = {"age": {"kind": "number"}, "home": {"kind": "category"}, "note": {"kind": "text"}}
    >>> X = pd.DataFrame({"age": [30.0, None, 40.0], "home": ["own", "rent", None], "note": "x"})
    >>> TableFeatures(spec, gaps=["age"], min_rows=1).fit_transform(X).values.tolist()
    [[30.0, 0.0, 'own'], [35.0, 1.0, 'rent'], [40.0, 0.0, 'unknown']]
    """

    scaler = SquashingScaler()

    def __init__(
        self,
        of: Mapping[str, Mapping[str, Any]],
        gaps: Sequence[str] = (),
        min_rows: int = 10,
        max_words: int = 100,
    ):
        self.of = of
        self.gaps = gaps
        self.min_rows = min_rows
        self.max_words = max_words

    def fit(self, X: pd.DataFrame, y: object = None) -> TableFeatures:
        """Learn medians and frequent words.

        Parameters
        ----------
        X
            Columns of the table, (n, columns).
        y
            Ignored.

        Returns
        -------
        TableFeatures
            The fitted transformer.
        """
        validate_data(self, X, skip_check_array=True)
        kinds = {name: self.of[name]["kind"] for name in X if name in self.of}
        self.medians_: dict[str, float] = {}
        self.words_: dict[str, frozenset[str]] = {}
        self.dates_ = [name for name, kind in kinds.items() if kind == "date"]
        for name, kind in kinds.items():
            if kind in ("number", "integer", "date"):
                known = np.asarray(X[name], dtype="float64")
                known = known[~np.isnan(known)]
                self.medians_[name] = float(np.median(known)) if len(known) else 0.0
            elif kind in ("category", "bool"):
                counts = X[name].value_counts().head(self.max_words)
                self.words_[name] = frozenset(counts.index[counts >= self.min_rows])
        return self

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """Compute the features.

        Parameters
        ----------
        X
            Columns of the table, (n, columns).

        Returns
        -------
        DataFrame
            Features, (n, features): categories as texts, and numbers.
        """
        check_is_fitted(self)
        validate_data(self, X, reset=False, skip_check_array=True)
        made = {
            name: column.series() if isinstance(column, Coded) else column
            for name, column in self.columns(X).items()
        }
        return pd.DataFrame(made).set_axis(X.index)

    def columns(self, X: Mapping[str, Values | Value]) -> dict[str, Coded | Numbers | Value]:
        """Compute the features of plain columns or of a single row, as `transform` does.

        Parameters
        ----------
        X
            Lists or arrays, each (n,), or the values of one row, by the name of the column.

        Returns
        -------
        dict
            By name of the feature, texts as `Coded` and numbers as an array, (n,), or the values
            of the row.
        """
        made: dict[str, Any] = {}
        for name, median in self.medians_.items():
            values = numbers(X[name])
            made[name] = filled(values, median)
            if name in self.gaps:
                made[f"{name} missing"] = 1.0 * (values != values)
        for name in self.dates_:
            days = coded(X[name])
            made[f"{name} year"] = numbered(_of_date(_year, self.medians_[name]), days)
            made[f"{name} month"] = mapped(_of_date(lambda day: MONTHS[day.month - 1]), days)
            made[f"{name} weekday"] = mapped(_of_date(lambda day: WEEKDAYS[day.weekday()]), days)
        for name, words in self.words_.items():
            made[name] = mapped(_folded(words), coded(X[name]))
        return made

    def get_feature_names_out(self, input_features: object = None) -> np.ndarray:
        """Name the features.

        Parameters
        ----------
        input_features
            Ignored; the names follow from the specification.

        Returns
        -------
        ndarray
            Names in the order of the columns, (features,).
        """
        check_is_fitted(self)
        row: dict[str, Value] = dict.fromkeys([*self.medians_, *self.words_])
        return np.asarray(list(self.columns(row)), dtype=object)


def group_by(X: pd.DataFrame, column: str) -> np.ndarray:
    """Number the groups of rows with the same value of a column; missing values are no group.

    Parameters
    ----------
    X
        Columns of the table, (n, columns).
    column
        Name of the column, such as that of a customer.

    Returns
    -------
    ndarray
        Number of each row's group, (n,).
    """
    codes = pd.factorize(X[column])[0]
    alone = codes < 0
    return np.where(alone, codes.max(initial=0) + 1 + np.cumsum(alone), codes)


def _year(day: date) -> float:
    return float(day.year)


def _of_date(rule: Callable[[date], Any], fill: float | None = None) -> Callable[[Any], Any]:
    """Return a rule for days since 1970; "unknown" for None if no date is given to fill in."""

    def apply(days: float | None) -> Any:
        days = fill if days is None else days
        return UNKNOWN if days is None else rule(date.fromordinal(EPOCH + int(days)))

    return apply


def _folded(words: frozenset[str]) -> Callable[[Any], str]:
    return lambda word: UNKNOWN if word is None else word if word in words else OTHER
