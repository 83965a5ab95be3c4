"""A version as MLflow loads it: rows in, classes and probabilities out, without MLflow itself.

MLflow keeps this package's code beside the version's files, and calls `_load_pyfunc` by its name.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from titanic_ml.dataset.dataset import Dataset
from titanic_ml.prediction.predictor import Predictor
from titanic_ml.registry.store import ModelStore
from titanic_ml.registry.version import ModelVersion


class ServedVersion:
    """Predicts with a version as `predict` does, from the same spelling of the same columns."""

    def __init__(self, version: ModelVersion):
        self.version = version

    def predict(self, rows: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        """Id, class and probability of each row. A column that may be missing may be left out.

        Raises
        ------
        InvalidTable
            The rows have faults; it lists all of them.
        """
        version, spec = self.version, self.version.spec
        optional = [n for n in spec.inputs if spec.columns[n].nullable and n not in rows]
        rows = rows.reindex(columns=[*rows, *optional])
        dataset = Dataset.from_frame(rows, spec, "the request", with_target=False)
        return Predictor(version.model, version.threshold).predict(dataset, spec, True)


def _load_pyfunc(path: str) -> ServedVersion:
    """Load the only version of a folder that is laid out as a store; its hashes are checked."""
    store = ModelStore(path)
    (name,) = store.names()
    version = store.open(name)
    version.model  # read now, so that errors come before the first request
    return ServedVersion(version)
