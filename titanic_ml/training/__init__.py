"""How we learn and choose."""

from titanic_ml.training.result import Selection
from titanic_ml.training.trainer import Trainer

__all__ = ["Selection", "Trainer"]
