"""Which algorithm."""

from titanic_ml.estimator.candidate import Candidate

__all__ = ["Candidate"]
