"""The log of predictions: complete batches, every loss counted, no request delayed."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pandas as pd
import pytest

from titanic_ml.errors import SettingsError, UnwritableTable
from titanic_ml.monitoring import log as log_module
from titanic_ml.monitoring.log import PredictionLog
from titanic_ml.storage.tables import read_table

ROW = {
    **{"PassengerId": 1, "Pclass": 3, "Name": "Braund, Mr. Owen Harris", "Sex": "male"},
    **{"Age": 22, "SibSp": 1, "Parch": 0, "Ticket": "A/5 21171"},
}


def answer(id: int) -> dict[str, object]:
    return {"PassengerId": id, "Survived": 0, "probability": 0.25, "model_version": "v"}


@pytest.fixture
def started(spec):
    """Start logs; they are stopped when the test ends."""
    logs = []

    def start(uri: object, seconds: float = 0.1, **more: int) -> PredictionLog:
        logs.append(PredictionLog(str(uri), spec, seconds, **more))
        logs[-1].start()
        return logs[-1]

    yield start
    for log in logs:
        log.stop()


@pytest.mark.parametrize(
    "kind", ["parquet", "sqlite", pytest.param("postgresql", marks=pytest.mark.system)]
)
def test_rows_are_in_the_table_with_their_answers(started, wait_until, tmp_path, kind, request):
    if kind == "sqlite":
        pytest.importorskip("adbc_driver_sqlite", reason="no ADBC: make install-all")
    uri = {"parquet": f"{tmp_path}/log/", "sqlite": f"sqlite:///{tmp_path}/log.db?table=log"}.get(
        kind
    )
    uri = uri or request.getfixturevalue("postgres")("table=log")
    log, before = started(uri), int(time.time())
    log.add([ROW, ROW | {"PassengerId": 2, "Age": None, "Cabin": "C85"}], [answer(1), answer(2)])
    wait_until(lambda: log.written == 2)
    log.add([ROW | {"Fare": 7.25}], [answer(1)])  # one passenger may be asked about twice
    log.stop()
    assert (log.written, log.dropped, log.why) == (3, 0, "")
    found = read_table(uri).astype({"Age": float, "Fare": float, "probability": float})
    found = found.astype({"PassengerId": int}).sort_values("PassengerId")
    assert found["PassengerId"].tolist() == [1, 1, 2]
    assert found["Name"].unique().tolist() == [ROW["Name"]]
    assert found["Age"].isna().tolist() == [False, False, True]
    assert found["Fare"].dropna().tolist() == [7.25] and found["Cabin"].dropna().tolist() == ["C85"]
    assert found["Survived"].astype(int).eq(0).all() and found["probability"].eq(0.25).all()
    times = pd.to_datetime(found["predicted_at"], utc=True)
    assert times.ge(pd.Timestamp(before, unit="s", tz="UTC")).all()
    assert found["run_id"].nunique() == 2 and set(found["model_version"]) == {"v"}


def test_a_number_as_a_text_is_kept_as_a_number(started, tmp_path):
    log = started(f"{tmp_path}/log/")
    log.add([ROW | {"Age": " 22 ", "Pclass": "3.0"}, ROW], [answer(1), answer(1)])
    log.stop()
    found = read_table(f"{tmp_path}/log/")
    assert found["Age"].tolist() == [22.0, 22.0] and found["Pclass"].tolist() == [3, 3]


def test_what_finds_no_place_is_dropped_and_counted_and_no_request_waits(
    started, wait_until, tmp_path, monkeypatch
):
    """While the table takes a batch for ever, others are handed over all the same."""
    begun, go_on, plain = threading.Event(), threading.Event(), log_module.open_sink

    def slow(*given):
        begun.set()
        assert go_on.wait(20)
        return plain(*given)

    monkeypatch.setattr(log_module, "open_sink", slow)
    log = started(f"{tmp_path}/log/", most=1000)
    log.add([ROW] * 10, [answer(1)] * 10)
    assert begun.wait(20)
    for _ in range(499):
        log.add([ROW] * 10, [answer(1)] * 10)
    assert (log.written, log.dropped) == (0, 4000)
    go_on.set()
    log.stop()
    assert (log.written, log.dropped) == (1000, 4000)
    assert len(read_table(f"{tmp_path}/log/")) == 1000


def test_a_table_that_is_away_is_tried_again(started, wait_until, tmp_path, caplog):
    folder = tmp_path / "there"
    folder.mkdir()
    log = started(f"{folder}/log/")
    folder.rename(tmp_path / "away")
    log.add([ROW], [answer(1)])
    wait_until(lambda: log.why)
    assert "can't be written" in log.why and log.written == log.dropped == 0
    time.sleep(0.5)
    assert [record.message for record in caplog.records if "tries again" in record.message] == [
        f"the prediction log waits, and tries again: {log.why}"
    ]
    (tmp_path / "away").rename(folder)
    wait_until(lambda: log.written == 1)
    assert log.why == "" and len(read_table(f"{folder}/log/")) == 1


def test_what_can_never_be_written_is_counted_at_the_end(started, tmp_path, caplog):
    folder = tmp_path / "there"
    folder.mkdir()
    log = started(f"{folder}/log/")
    folder.rmdir()
    log.add([ROW], [answer(1)])
    log.stop()
    assert (log.written, log.dropped) == (0, 1) and "1 rows are lost" in caplog.text


def test_an_unknown_error_loses_what_it_was_about_and_no_more(
    started, wait_until, tmp_path, caplog
):
    log = started(f"{tmp_path}/log/")
    log.add([ROW | {"Name": object()}], [{}])
    wait_until(lambda: log.dropped == 1)
    log.add([ROW], [answer(1)])
    log.stop()
    assert (log.written, log.dropped) == (1, 1)


def test_many_threads_hand_over_and_nothing_is_lost(started, tmp_path):
    log = started(f"{tmp_path}/log/", 0.05)

    def ask(place: int) -> None:
        for turn in range(200):
            log.add([ROW | {"PassengerId": 1 + place * 1000 + turn}], [answer(1)])

    threads = [threading.Thread(target=ask, args=(place,)) for place in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    log.stop()
    assert (log.written, log.dropped) == (800, 0)
    assert read_table(f"{tmp_path}/log/")["PassengerId"].is_unique
    assert not [path for path in Path(tmp_path, "log").iterdir() if path.suffix != ".parquet"]


def test_a_file_is_no_place_for_it(spec, tmp_path):
    with pytest.raises(SettingsError, match=r"monitoring.log is .*log.parquet, expected a folder"):
        PredictionLog(str(tmp_path / "log.parquet"), spec)
    with pytest.raises(UnwritableTable, match="No such file or directory"):
        PredictionLog(str(tmp_path / "no" / "log") + "/", spec)


def test_an_answer_without_an_id_is_kept_and_monitored(tmp_path, spec, pipeline):
    uri = f"{tmp_path}/log/"
    log = PredictionLog(uri, spec)
    row = {name: value for name, value in ROW.items() if name != "PassengerId"}
    log.start()
    log.add([row] * 40, [pipeline.predict_one(row)] * 40)
    log.stop()
    assert log.written == 40 and log.dropped == 0
    assert read_table(uri)["PassengerId"].isna().all()
    found = pipeline.monitor(uri)
    assert found.invalid == 0 and found.drift.rows == 40
