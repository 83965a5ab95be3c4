"""One run of predictions: its name, and what each row that it writes says of it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd

from titanic_ml.dataset.spec import DatasetSpec
from titanic_ml.errors import SettingsError
from titanic_ml.storage.address import PREDICTED_AT, RUN_ID


def derived_id(*parts: str) -> str:
    """Derive the id of a run from its input, version and mode.

    >>> derived_id("input", "version"), derived_id("input", "other")
    ('034c0b3116619114', 'ca82ffd618ccd681')
    """
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def check_run_id(given: str) -> str:
    """Check an id of a user, which is a file's name too. Raises `SettingsError`."""
    if not re.fullmatch(r"[\w.:+@-]{1,100}", given):
        raise SettingsError(
            f"run id {given!r}: expected 1 to 100 letters, digits or any of . : + @ _ -"
        )
    return given


@dataclass(frozen=True)
class Run:
    """Run of predictions: the values that all its rows share.

    Attributes
    ----------
    model_version
        Name of the version that predicts.
    predicted_at
        When, in UTC.
    run_id
        Identifies the rows of the run; empty where it is not written.
    """

    model_version: str
    predicted_at: datetime
    run_id: str

    def stamped(self, frame: pd.DataFrame, columns: Iterable[str]) -> pd.DataFrame:
        """Return these columns of a frame, with those of the run added."""
        names = list(columns)
        own: dict[str, Any] = {name: value for name, value in vars(self).items() if name in names}
        return frame.assign(**own)[names]


def prediction_columns(
    spec: DatasetSpec, with_run: bool, full: bool = False, probability: bool = False
) -> dict[str, str]:
    """Return the columns of a table of predictions, by default id and class.

    Parameters
    ----------
    spec
        Specification of the rows.
    with_run
        Whether the output stores the id of the run; it then has all columns.
    full
        Whether to add probability, version and time.
    probability
        Whether to add the probability.

    Returns
    -------
    dict
        Kinds by name of the column.
    """
    columns: dict[str, str] = {spec.id: spec.columns[spec.id].kind}
    columns[spec.target] = spec.answer_kind
    if with_run or full or probability:
        columns["probability"] = "number"
    if with_run or full:
        columns |= {"model_version": "text", PREDICTED_AT: "time"}
    if with_run:
        columns[RUN_ID] = "text"
    return columns
