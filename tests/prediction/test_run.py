"""Ids of runs, and their columns in the output."""

from __future__ import annotations

from datetime import UTC, datetime

import pandas as pd
import pytest

from titanic_ml.errors import SettingsError
from titanic_ml.prediction.run import Run, check_run_id, derived_id, prediction_columns

KAGGLE = ["PassengerId", "Survived"]
ALL = [*KAGGLE, "probability", "model_version", "predicted_at", "run_id"]


@pytest.mark.parametrize(
    ("wishes", "columns"),
    [
        ({}, KAGGLE),
        ({"probability": True}, ALL[:3]),
        ({"full": True}, ALL[:5]),
        ({"full": True, "probability": True}, ALL[:5]),
    ],
)
def test_a_csv_has_the_columns_that_are_requested(spec, wishes, columns):
    assert list(prediction_columns(spec, with_run=False, **wishes)) == columns
    assert list(prediction_columns(spec, with_run=True, **wishes)) == ALL


def test_each_row_says_of_which_run_it_is(spec):
    run = Run("v1", datetime(2026, 11, 25, tzinfo=UTC), "r1")
    frame = pd.DataFrame({"probability": [0.1], "Survived": [0], "PassengerId": [1]})
    columns = prediction_columns(spec, with_run=True)
    (row,) = run.stamped(frame, columns).to_dict("records")
    assert list(row.values()) == [1, 0, 0.1, "v1", datetime(2026, 11, 25, tzinfo=UTC), "r1"]
    assert list(run.stamped(frame, dict.fromkeys(KAGGLE))) == KAGGLE


def test_another_input_version_or_mode_is_another_run():
    ids = {derived_id(*parts) for parts in (("a", "b", "c"), ("a", "bc"), ("a", "b", "d"))}
    assert len(ids) == 3 and all(len(name) == 16 for name in ids)


@pytest.mark.parametrize("given", ["", "a b", "a/b", "é" * 101, "a\n"])
def test_a_run_id_is_a_name_that_a_file_may_have(given):
    with pytest.raises(SettingsError, match="expected 1 to 100 letters, digits or any of"):
        check_run_id(given)
    assert check_run_id("daily-2026:11+25.é") == "daily-2026:11+25.é"
