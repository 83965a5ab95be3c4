"""One run of predictions: its name, and what each row that it writes says of it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd

from titanic_ml.dataset.spec import DatasetSpec

RUN_ID = "run_id"


def derived_id(*parts: str) -> str:
    """The id of the run with this input, version and mode: the same for the same.

    >>> derived_id("input", "version"), derived_id("input", "other")
    ('034c0b3116619114', 'ca82ffd618ccd681')
    """
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Run:
    """What all rows of a run have in common.

    Attributes
    ----------
    model_version
        Name of the version that predicts.
    predicted_at
        When, in UTC.
    run_id
        By which the rows are found again; empty where nothing asks for it.
    """

    model_version: str
    predicted_at: datetime
    run_id: str

    def stamped(self, frame: pd.DataFrame, columns: Mapping[str, str]) -> pd.DataFrame:
        """Those columns of a frame, of which the run's own are added."""
        own: dict[str, Any] = vars(self)
        added = {name: own[name] for name in columns if name in own}
        return frame.assign(**added)[list(columns)]


def prediction_columns(
    spec: DatasetSpec, with_run: bool, full: bool = False, probability: bool = False
) -> dict[str, str]:
    """The columns of predictions with their kinds: by default Kaggle's two.

    Parameters
    ----------
    spec
        Of the rows.
    with_run
        Whether they go where runs are kept apart: all columns, and the run's id.
    full
        Whether probability, version and time are wished.
    probability
        Whether the probability is.
    """
    columns: dict[str, str] = {spec.id: spec.columns[spec.id].kind, spec.target: "integer"}
    if with_run or full or probability:
        columns["probability"] = "number"
    if with_run or full:
        columns |= {"model_version": "text", "predicted_at": "time"}
    if with_run:
        columns[RUN_ID] = "text"
    return columns
