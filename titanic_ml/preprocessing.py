"""How a column becomes a number: the transformers and the unfitted preprocessor."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

# The commonest titles in both tables; the French and formal ones are folded into them.
TITLES = {"Mr": "Mr", "Mrs": "Mrs", "Miss": "Miss", "Master": "Master"}
TITLES |= {"Mlle": "Miss", "Ms": "Miss", "Mme": "Mrs"}


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

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


class TitanicFeatures(TransformerMixin, BaseEstimator):
    """What a passenger's facts say: the only place that knows a title, a deck or a fare.

    Features
    --------
    sex, pclass, embarked
        As they stand; the class as a category, for its steps are not equal.
    title
        Between surname and first name: it tells boys (Master) from men and the unmarried (Miss)
        from the married. Rare ones (officers, clergy, nobles) are one group.
    sex_pclass
        Women of first and second class nearly all lived, those of third half; men the least in
        second: the two facts do not add up.
    deck
        First letter of the cabin; a missing cabin is a category of its own, for it was the
        survivors' cabins that were recorded.
    age, child
        Age in years, missing ones filled with the median of the title and class seen in `fit`;
        `child` is years below 16, 0 for the grown-up.
    age_known
        1 if the age was recorded.
    log_fare
        Logarithm of 1 + fare: fares span three orders of magnitude. A missing one is filled with
        the median of the class and the family's size.
    family_size, alone
        The passenger with siblings, spouse, parents and children; 1 if that is nobody else.
    """

    _CATEGORIES = ["sex", "pclass", "embarked", "title", "sex_pclass", "deck"]
    _NUMBERS = ["age", "child", "age_known", "log_fare", "family_size", "alone"]

    def fit(self, X: pd.DataFrame, y: object = None) -> TitanicFeatures:
        """Learn the medians by which missing ages and fares are filled."""
        validate_data(self, X, skip_check_array=True)
        facts = self._facts(X)
        self.age_imputer_ = GroupMedianImputer(["title", "pclass"]).fit(
            facts[["title", "pclass", "age"]]
        )
        self.fare_imputer_ = GroupMedianImputer(["pclass", "alone"]).fit(
            facts[["pclass", "alone", "fare"]]
        )
        return self

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """Compute the features: (n, 12), six categories and six numbers."""
        check_is_fitted(self)
        validate_data(self, X, reset=False, skip_check_array=True)
        facts = self._facts(X)
        facts["age_known"] = facts["age"].notna().astype("float64")
        facts["age"] = self.age_imputer_.transform(facts[["title", "pclass", "age"]])["age"]
        facts["child"] = (16.0 - facts["age"]).clip(lower=0.0)
        fare = self.fare_imputer_.transform(facts[["pclass", "alone", "fare"]])["fare"]
        facts["log_fare"] = np.log1p(fare)
        return facts[self._CATEGORIES + self._NUMBERS]

    def get_feature_names_out(self, input_features: object = None) -> np.ndarray:
        """Names of the features, in order."""
        return np.asarray(self._CATEGORIES + self._NUMBERS, dtype=object)

    @staticmethod
    def _facts(X: pd.DataFrame) -> pd.DataFrame:
        """What one row tells by itself."""
        title = X["Name"].str.extract(r",\s*([^.,]+)\.", expand=False).str.strip()
        pclass = X["Pclass"].astype("int64").astype("str")
        family_size = (X["SibSp"] + X["Parch"] + 1).astype("float64")
        return pd.DataFrame(
            {
                "sex": X["Sex"],
                "pclass": pclass,
                "embarked": X["Embarked"].fillna("unknown"),
                "title": title.map(TITLES).fillna("rare"),
                "sex_pclass": X["Sex"] + "_" + pclass,
                "deck": X["Cabin"].str[0].fillna("unknown"),
                "age": X["Age"].astype("float64"),
                "fare": X["Fare"].astype("float64"),
                "family_size": family_size,
                "alone": (family_size == 1).astype("float64"),
            }
        )


def build_preprocessor(features: TransformerMixin) -> Pipeline:
    """The unfitted way from the table's columns to a matrix of float64.

    Parameters
    ----------
    features
        A transformer from the table's columns to a DataFrame of features. Its numbers are filled
        with their median and scaled, its other columns one-hot encoded; a category not seen in
        `fit`, or seen fewer than five times, is the group of the rare ones.
    """
    numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    categories = OneHotEncoder(
        min_frequency=5, handle_unknown="infrequent_if_exist", sparse_output=False
    )
    encoder = ColumnTransformer(
        [
            ("numbers", numbers, make_column_selector(dtype_include="number")),
            ("categories", categories, make_column_selector(dtype_exclude="number")),
        ],
        verbose_feature_names_out=False,
    )
    return Pipeline([("features", features), ("encoder", encoder)])
