"""From the table's columns to a matrix: the features, and their encoding as numbers."""

from __future__ import annotations

from sklearn.base import TransformerMixin, clone
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler


def build_preprocessor(features: TransformerMixin) -> Pipeline:
    """Make an unfitted pipeline from the table's columns to a matrix of float64.

    Missing numbers are filled with the median, and numbers are standardised, or scaled by the
    `scaler` of the features if they have one. Other features are one-hot encoded. Categories with
    fewer than five rows in `fit` share one column, and so do categories that were not seen there;
    if there are no rare ones, an unseen one has zeros only.

    Parameters
    ----------
    features
        Unfitted transformer from the table's columns to a DataFrame of features.

    Returns
    -------
    Pipeline
        Steps `features` and `encoder`.
    """
    scaler = clone(getattr(features, "scaler", StandardScaler()))
    numbers = make_pipeline(SimpleImputer(strategy="median"), scaler)
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
