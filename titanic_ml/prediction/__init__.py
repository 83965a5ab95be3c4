"""What we predict."""

from titanic_ml.prediction.predictor import Predictor

__all__ = ["Predictor"]
