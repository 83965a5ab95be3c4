"""Which algorithm."""

from titanic_ml.estimator.candidate import Candidate
from titanic_ml.estimator.one_column import one_column_encoder, one_column_estimator

__all__ = ["Candidate", "one_column_encoder", "one_column_estimator"]
