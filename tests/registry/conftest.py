"""A store, and versions of next to nothing to save in it."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from titanic_ml.evaluation.result import Estimate
from titanic_ml.registry.store import ModelStore
from titanic_ml.registry.version import Contents, Summary, TrainingTable

TABLE = pd.DataFrame(
    {"id": [1, 2], "row": np.array([1, 2], dtype="uint64"), "y": [0, 1], "repeat_1": [0.2, 0.9]}
)
SUMMARY = Summary(
    estimator="majority",
    parameters={},
    threshold=0.5,
    metrics={"log_loss": Estimate(0.3, 0.2, 0.4)},
    grouped=None,
    candidates={},
    groups=[],
    data=TrainingTable("a.csv", "0" * 64, 2, {}),
    seed=0,
    settings={"evaluation": {"confidence": 0.95}},
)


@pytest.fixture
def folder(tmp_path) -> ModelStore:
    """A store in a folder that isn't there yet."""
    return ModelStore(str(tmp_path / "deep" / "models"))


@pytest.fixture(params=["folder", "memory", pytest.param("bucket", marks=pytest.mark.system)])
def new(request, tmp_path) -> ModelStore:
    """An empty store of each kind."""
    if request.param == "folder":
        return request.getfixturevalue("folder")
    if request.param == "memory":
        return ModelStore(f"memory:///{uuid.uuid4().hex}")
    return ModelStore(request.getfixturevalue("bucket")("deep/models"))


@pytest.fixture
def table() -> pd.DataFrame:
    """A small table in place of each table of a version."""
    return TABLE.copy()


@pytest.fixture
def summary() -> Summary:
    return SUMMARY


@pytest.fixture
def save() -> Callable[..., str]:
    """Save a version with this model and out-of-fold table; return its name."""

    def save(
        store: ModelStore,
        model: object = "a model",
        documents: Callable | None = None,
        out_of_fold: pd.DataFrame = TABLE,
    ) -> str:
        contents = Contents(model, {"majority": 1}, TABLE, out_of_fold)
        return store.save(contents, SUMMARY, documents).name

    return save
