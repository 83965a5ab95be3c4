"""From the table's columns to a matrix: the features, and their encoding as numbers."""

from __future__ import annotations

from sklearn.base import TransformerMixin
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler


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
