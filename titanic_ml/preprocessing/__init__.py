"""How a column becomes a number."""

from titanic_ml.preprocessing.encoder import build_preprocessor
from titanic_ml.preprocessing.scaling import SquashingScaler
from titanic_ml.preprocessing.table import TableFeatures, group_by
from titanic_ml.preprocessing.titanic import TitanicFeatures, travelling_parties

__all__ = [
    "SquashingScaler",
    "TableFeatures",
    "TitanicFeatures",
    "build_preprocessor",
    "group_by",
    "travelling_parties",
]
