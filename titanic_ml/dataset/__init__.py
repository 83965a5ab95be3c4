"""What a passenger is: the table, its check, its splits and slices."""

from titanic_ml.dataset.dataset import Dataset

__all__ = ["Dataset"]
