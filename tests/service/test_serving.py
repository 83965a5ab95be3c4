"""Common parts of the routes: predictions are counted and logged."""

from __future__ import annotations

import asyncio

import pytest

from titanic_ml.monitoring.log import PredictionLog
from titanic_ml.service import serving
from titanic_ml.service.requests import Refused
from titanic_ml.service.serving import Serving
from titanic_ml.storage.tables import read_table


def test_what_is_answered_is_kept(start, pipeline, tmp_path, passenger, wait_until, monkeypatch):
    log = PredictionLog(f"{tmp_path}/log/", pipeline.spec, seconds=0.1)
    monkeypatch.setattr(serving, "prediction_log", lambda pipeline, spec: log)
    service = start(pipeline, "champion", 0.05)
    answers = [service.post(passenger).json, *service.post([passenger]).json["predictions"]]
    assert service.post(passenger | {"Pclass": 9}).status == 422  # no answer, so nothing to keep
    wait_until(lambda: log.written == 2)
    found = read_table(f"{tmp_path}/log/")
    assert found["probability"].tolist() == [answer["probability"] for answer in answers]
    assert set(found["model_version"]) == {answers[0]["model_version"]}
    page = service.get("/metrics").body.decode()
    assert "titanic_log_rows_total 2.0" in page and "titanic_log_dropped_rows_total 0.0" in page


def test_concurrent_passengers_with_and_without_faults_get_their_own_answers(pipeline, passenger):
    serving = Serving.of(pipeline, "champion")
    rows = [passenger, passenger | {"Pclass": 9}, passenger | {"Sex": "female"}]

    async def ask():
        return await asyncio.gather(*map(serving.answer, rows), return_exceptions=True)

    first, refused, other = asyncio.run(ask())
    assert [first, other] == [pipeline.predict_one(rows[0]), pipeline.predict_one(rows[2])]
    assert "found 9, expected a whole number" in str(refused)


def test_no_version_predicts_before_the_start(pipeline):
    made = Serving.of(pipeline, "champion")
    with pytest.raises(Refused, match="no version is loaded yet"):
        made.answering()
    made.start()
    assert made.answering() == pipeline.store.resolve("champion")
    made.stop()
