"""How good, and why."""

from titanic_ml.evaluation.evaluator import Evaluator
from titanic_ml.evaluation.result import Estimate, Evaluation

__all__ = ["Estimate", "Evaluation", "Evaluator"]
