"""Rows that were answered some time."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from titanic_ml.errors import DataError, InvalidTable, SettingsError
from titanic_ml.monitoring.logged import Logged, moment, newest, truths


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


def test_only_what_was_answered_since(log):
    start = datetime(2026, 11, 24, tzinfo=UTC)
    parts = [log.head(5), log.tail(1)]
    assert newest(parts, "the log", start).index.tolist() == [0, 1]
    assert newest(parts, "the log", start)["PassengerId"].equals(
        log["PassengerId"][4:].reset_index(drop=True)
    )
    texts = log.assign(predicted_at=log["predicted_at"].astype(str))  # as SQLite has them
    assert len(newest([texts], "the log", start)) == 2
    with pytest.raises(DataError, match="the table: has no column predicted_at"):
        newest([log[["PassengerId"]]], "the table", start)


def test_no_more_rows_are_kept_than_are_looked_at(log):
    parts = [log.assign(part=number) for number in range(20)]
    found = newest(parts, "the log", most=15)
    assert found["part"].tolist() == [17] * 3 + [18] * 6 + [19] * 6
    assert newest([], "the log").empty and len(newest(parts, "the log")) == 120


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


def test_the_volume_is_by_day_or_by_hour(log, spec):
    log["Survived"] = [1, 0, 1, 1, 0, 1]
    days = Logged.of(log, spec, "the log").volume()
    assert [(one.span, one.time, one.rows, one.positives) for one in days][:2] == [
        ("day", "2026-11-20", 1, 1),
        ("day", "2026-11-21", 1, 0),
    ]
    log["predicted_at"] = pd.Timestamp("2026-11-20 10:30", tz="UTC")
    (hour,) = Logged.of(log, spec, "the log").volume()
    assert (hour.span, hour.time, hour.rows, hour.positives) == ("hour", "2026-11-20 10:00", 6, 4)
    assert Logged.of(log.drop(columns="predicted_at"), spec, "the log").volume() == []
