"""Later rows against the training of a version."""

from __future__ import annotations

import pandas as pd
import pytest

from titanic_ml.errors import (
    DataError,
    ModelError,
)


def test_monitor_compares_a_log_by_what_was_answered(pipeline, test_frame):
    version = pipeline.store.resolve("champion")
    log = test_frame.assign(
        model_version=version, predicted_at=pd.Timestamp("2026-11-20", tz="UTC")
    )
    log["probability"] = pipeline.predict(test_frame, probability=True)["probability"]
    found = pipeline.monitor(log)
    assert not found.alarm and found.version == version and found.drift.rows == 418
    assert "no drift in 418 rows" in repr(found)
    computed = pipeline.monitor(test_frame)  # without known predictions
    assert repr(computed) == repr(found)
    surer = pipeline.monitor(log.assign(probability=log["probability"] ** 3))
    assert [column.name for column in surer.drift.drifted] == ["probability"]
    other = pipeline.monitor(log.assign(model_version="another"))
    assert "probability" not in [column.name for column in other.drift.columns]
    assert pipeline.monitor(log, since="2026-11-21").drift.rows == 0


def test_monitor_looks_at_rows_with_a_fault_too(pipeline, test_frame):
    bad = test_frame.astype("object")
    for row, (name, value) in enumerate([("Name", "nobody"), ("Sex", "x"), ("Pclass", "9")]):
        bad.loc[row, name] = value
    bad.loc[3, "Ticket"] = None
    found = pipeline.monitor(bad)
    assert found.invalid == 4 and found.drift.rows == 418 and not found.alarm
    assert "rows with a fault: 4" in repr(found)
    nobody = pipeline.monitor(bad.assign(Sex="x"))
    assert nobody.invalid == 418 and [c.name for c in nobody.drift.drifted] == ["Sex"]


def test_monitor_leaves_rows_of_the_training_out_of_the_probability(pipeline, passengers):
    found = pipeline.monitor(passengers)
    assert found.known == 891 and not found.alarm
    assert "probability" not in [column.name for column in found.drift.columns]
    with pytest.raises(DataError, match="0 outcomes of rows that .* expected some of both classes"):
        pipeline.monitor(passengers, labels=passengers)


def test_monitor_measures_again_where_outcomes_are_known(pipeline, passengers):
    later = passengers.assign(PassengerId=passengers["PassengerId"] + 5000)
    later["Fare"] = later["Fare"] + 0.5  # others than those of the training
    fine = pipeline.monitor(later, labels=later[["PassengerId", "Survived"]])
    assert fine.performance.now.rows == 891 and not fine.performance.worse
    wrong = later.assign(Survived=1 - later["Survived"])
    found = pipeline.monitor(later, labels=wrong[["PassengerId", "Survived"]])
    assert found.alarm and found.performance.worse and "worse, by more than chance" in repr(found)


def test_monitor_needs_a_version_with_a_profile(pipeline, add_version, test_frame):
    with pytest.raises(ModelError, match="was trained before profiles were kept; train anew"):
        pipeline.monitor(test_frame, model=add_version().name)
