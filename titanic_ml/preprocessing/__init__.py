"""How a column becomes a number."""

from titanic_ml.preprocessing.encoder import build_preprocessor
from titanic_ml.preprocessing.titanic import TitanicFeatures, travelling_parties

__all__ = ["TitanicFeatures", "build_preprocessor", "travelling_parties"]
