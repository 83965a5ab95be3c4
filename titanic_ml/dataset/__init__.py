"""Dataset stage: specification, validation, splits and slices of a table."""

from titanic_ml.dataset.dataset import Dataset

__all__ = ["Dataset"]
