"""Prediction stage: classes and probabilities of validated rows."""

from titanic_ml.prediction.predictor import Predictor

__all__ = ["Predictor"]
