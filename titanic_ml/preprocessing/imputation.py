"""Missing numbers filled with what is usual in the row's group."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils.validation import check_array, check_is_fitted, validate_data


class GroupMedianImputer(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Fill missing numbers with the median of the rows of the same group.

    Where a group was not seen in `fit`, or had no number, the median of all rows is used; where
    there is none either, 0.

    Parameters
    ----------
    by
        Columns of the DataFrame that name the group. They are left as they are. Without any, the
        median is that of all rows.

    Attributes
    ----------
    medians_
        The medians by group, one column for each filled column.
    overall_
        The medians of all rows.

    Examples
    --------
    >>> frame = pd.DataFrame({"title": ["Mr", "Mr", "Master"], "age": [30.0, None, 4.0]})
    >>> GroupMedianImputer(by=["title"]).fit_transform(frame)["age"].tolist()
    [30.0, 30.0, 4.0]
    """

    def __init__(self, by: Sequence[str] = ()):
        self.by = by

    def fit(self, X: pd.DataFrame, y: object = None) -> GroupMedianImputer:
        """Learn the medians."""
        frame = self._checked(X, reset=True)
        values = frame.drop(columns=list(self.by))
        self.overall_ = values.median().fillna(0.0)
        if self.by:
            self.medians_ = values.groupby(
                [frame[name] for name in self.by], observed=True
            ).median()
        return self

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """Return a copy without missing numbers: a DataFrame for a DataFrame, else an array."""
        check_is_fitted(self)
        frame = self._checked(X, reset=False)
        filled = list(self.overall_.index)
        if self.by:
            keys = pd.MultiIndex.from_frame(frame[list(self.by)])
            index = keys if len(self.by) > 1 else keys.get_level_values(0)
            medians = self.medians_.reindex(index).set_index(frame.index)
            frame[filled] = frame[filled].fillna(medians)
        frame[filled] = frame[filled].fillna(self.overall_)
        return frame if isinstance(X, pd.DataFrame) else frame.to_numpy()

    def _checked(self, X: pd.DataFrame, reset: bool) -> pd.DataFrame:
        """A copy of X as a DataFrame whose filled columns are float64, NaN allowed."""
        if not isinstance(X, pd.DataFrame):
            return pd.DataFrame(
                validate_data(
                    self, X, reset=reset, dtype="float64", ensure_all_finite="allow-nan", copy=True
                )
            )
        validate_data(self, X, reset=reset, skip_check_array=True)
        frame = X.copy()
        values = frame.columns.difference(list(self.by), sort=False)
        frame[values] = check_array(X[values], dtype="float64", ensure_all_finite="allow-nan")
        return frame

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags
