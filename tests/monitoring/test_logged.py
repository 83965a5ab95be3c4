"""Rows that were answered some time."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from titanic_ml.errors import DataError, InvalidTable, SettingsError
from titanic_ml.monitoring.logged import Logged, moment, truths


@pytest.fixture
def log(test_frame) -> pd.DataFrame:
    rows = test_frame.head(6).assign(Survived=0, probability=0.5, model_version="a", run_id="r")
    rows["predicted_at"] = pd.date_range("2026-11-20", periods=6, freq="D", tz="UTC")
    return rows


def test_a_log_has_the_facts_and_what_was_answered(log, spec):
    log.loc[2:, "model_version"] = "b"
    twice = pd.concat([log, log], ignore_index=True)
    rows = Logged.of(twice, spec, "the log")
    assert len(rows.X) == 12 and list(rows.X) == spec.inputs and rows.invalid == 0
    assert np.isfinite(rows.probability_by("a")).sum() == 4
    assert rows.X["Name"].iloc[0] == "KELLY, MR. JAMES"


def test_only_what_was_answered_since(log, spec):
    rows = Logged.of(log, spec, "the log", datetime(2026, 11, 24, tzinfo=UTC))
    assert rows.ids.tolist() == log["PassengerId"].astype(int).tolist()[4:]
    texts = log.assign(predicted_at=log["predicted_at"].astype(str))  # as SQLite has them
    assert len(Logged.of(texts, spec, "the log", datetime(2026, 11, 24, tzinfo=UTC)).X) == 2
    with pytest.raises(DataError, match="the table: has no column predicted_at"):
        Logged.of(log[["PassengerId"]], spec, "the table", datetime(2026, 11, 24, tzinfo=UTC))


def test_another_table_has_no_answers_and_its_faults_are_counted(test_frame, spec):
    test_frame.loc[0, "Fare"] = "5000"
    test_frame.loc[0, "Age"] = "-1"
    rows = Logged.of(test_frame, spec, "the table")
    assert rows.probability_by("a") is None and rows.invalid == 1
    assert rows.X["Fare"].iloc[0] == 5000  # a fault may be the drift
    with pytest.raises(InvalidTable, match="column Sex: found no column of this name"):
        Logged.of(test_frame.drop(columns="Sex"), spec, "the table")


def test_truths_by_id(passengers, spec):
    assert truths(passengers, spec, "train.csv")[2] == 1
    with pytest.raises(InvalidTable, match="column Survived: found no column"):
        truths(passengers.drop(columns="Survived"), spec, "train.csv")


def test_a_moment_is_a_time_or_how_long_ago():
    now = datetime(2026, 11, 26, tzinfo=UTC)
    assert moment("2w", now) == datetime(2026, 11, 12, tzinfo=UTC)
    assert moment("2026-11-01T12:00+02:00") == datetime(2026, 11, 1, 10, tzinfo=UTC)
    for wrong in ("soon", "3x", "", "-1d"):
        with pytest.raises(SettingsError, match="expected a time such as 2026-11-01"):
            moment(wrong)
