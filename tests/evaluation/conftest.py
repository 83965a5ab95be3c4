"""A table of which a model uses one column, twice."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline


@pytest.fixture(scope="module")
def X() -> pd.DataFrame:
    random = np.random.default_rng(0)
    frame = pd.DataFrame(random.normal(size=(300, 3)), columns=["used", "ignored", "other"])
    return frame.assign(twin=frame["used"] + random.normal(scale=0.1, size=300))


@pytest.fixture(scope="module")
def y(X) -> pd.Series:
    return (X["used"] > 0).astype("int64")


@pytest.fixture(scope="module")
def model(X, y):
    model = make_pipeline(LogisticRegression()).fit(X, y)
    model[-1].coef_ = np.array([[2.0, 0.0, 0.0, 2.0]])
    return model
