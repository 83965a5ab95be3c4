"""A table with odd names and values, from `init` to the service, without a line of code."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from titanic_ml import TitanicPipeline
from titanic_ml.storage.tables import read_table
from titanic_ml.workflows.new_dataset import DatasetDrafter

QUICK = ("selection=quick", "estimator=[majority,one_column,logistic_regression]")
QUICK += ("evaluation.resamples=20", "n_jobs=1", "tracking.name=orders")
ROW = {"on": 1.5, "1": 3, "a: b #c": "${x}", "rate": "5%", "paid": True, "since": "2024-02-29"}
ROW |= {"alley": "none", "self": 1e-9, "city": "new"}


pytestmark = [pytest.mark.system, pytest.mark.usefixtures("unmeasured")]


def orders(rows=600):
    random = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "order id": [10**18 + number for number in range(rows)],
            "run_id": "r",
            "on": random.normal(size=rows),
            "1": random.integers(0, 9, rows),
            "a: b #c": random.choice(["x, y", "${x}", "no"], rows),
            "rate": [f"{number:.1f}%" for number in random.uniform(0, 20, rows)],
            "paid": random.choice(["True", "False", ""], rows),
            "since": pd.Timestamp("2020-01-01") + pd.to_timedelta(np.arange(rows), "D"),
            "alley": random.choice(["none", "paved"], rows),
            "self": random.normal(size=rows) * 1e-9,
            "city": random.choice(["a", "b", "c"], rows, p=[0.6, 0.39, 0.01]),
            "note": [f"free text {number}" for number in range(rows)],
            "empty": np.nan,
        }
    )
    logit = frame["on"] + frame["self"] * 1e9 + (frame["alley"] == "none") - 1
    frame["outcome"] = np.where(random.random(rows) < 1 / (1 + np.exp(-logit)), "won", "lost")
    return frame


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with the table, its dataset and a trained version in a store of its own."""
    before, place = os.getcwd(), tmp_path_factory.mktemp("orders")
    os.chdir(place)
    try:
        orders().to_csv("orders.csv", index=False)
        DatasetDrafter(table="orders.csv", target="outcome").run()
        result = TitanicPipeline("dataset=orders", *QUICK).train()
        assert result.promoted and result.evaluation.beats_baselines
    finally:
        os.chdir(before)
    return place


@pytest.fixture
def pipeline(folder, monkeypatch):
    monkeypatch.chdir(folder)
    return TitanicPipeline("dataset=orders", *QUICK)


@pytest.fixture
def blank(folder, monkeypatch):
    """A pipeline that knows the store, and not the dataset."""
    monkeypatch.chdir(folder)
    return TitanicPipeline("store.uri=models/orders", "monitoring.log=kept/", *QUICK)


def test_the_store_and_the_tables_are_those_of_the_dataset(pipeline):
    s = pipeline.settings
    assert (s.data.uri, s.store.uri) == ("orders.csv", "models/orders")
    assert (s.monitoring.log, s.predictions.uri) == ("served-orders/", "orders-predictions.csv")


def test_predictions_have_the_words_of_the_table(pipeline):
    found = pipeline.predict("orders.csv")
    assert list(found) == ["order id", "outcome"] and set(found["outcome"]) == {"won", "lost"}
    assert found["order id"].tolist()[:2] == ["1000000000000000000", "1000000000000000001"]
    pipeline.predict_into("out.parquet", "orders.csv")
    assert read_table("out.parquet")["outcome"].tolist() == found["outcome"].tolist()


def test_a_row_is_predicted_as_in_the_table(pipeline, blank):
    frame = read_table("orders.csv")
    rows = frame.astype("object").where(frame.notna(), None).to_dict("records")[:20]
    whole = pipeline.predict("orders.csv", probability=True).head(20)
    for one in (pipeline, blank):
        alone = [one.predict_one(row) for row in rows]
        assert [row["outcome"] for row in alone] == whole["outcome"].tolist()
        assert [row["probability"] for row in alone] == whole["probability"].tolist()


def test_small_numbers_count(pipeline):
    low, high = (pipeline.predict_one(ROW | {"self": x})["probability"] for x in (-2e-9, 2e-9))
    assert high > low + 0.1


def test_explanation_report_and_evaluation_speak_of_the_table(pipeline):
    assert pipeline.explain_one(ROW).outcome == "outcome won"
    assert "outcome won" in repr(pipeline.explain(10**18))
    html = next(Path("models/orders").glob("2*/report.html")).read_text()
    assert "probability that outcome is won" in html and "predicted lost" in html
    assert "from 2020-01-01 to 2021-08-22" in html
    evaluation = repr(pipeline.evaluate("orders.csv"))
    assert "600 rows, " in evaluation and " with outcome won, " in evaluation
    assert "true lost: " in evaluation and " predicted won" in evaluation
    assert " with outcome won, " in repr(pipeline.evaluate())


def test_later_rows_are_compared_by_their_days_and_words(pipeline):
    later = orders().assign(since=lambda t: t["since"] + pd.Timedelta(days=2000))
    found = pipeline.monitor(later.assign(paid="True"))
    assert {c.name for c in found.drift.columns if c.drifted} == {"since", "paid"}
    assert "since: median 2020-10-26 before, 2026-04-18 now" in found.drift.verdict


def test_the_service_takes_the_specification_of_the_version(start, blank):
    service = start(blank, "champion", 0.05)
    answer = service.post(ROW).json
    assert answer["outcome"] in ("won", "lost") and answer["order id"] is None
    body = json.dumps(ROW).encode()
    explained = service.ask("POST", "/explain", body, Content_Type="application/json").json
    assert explained["probability"] == answer["probability"]
    refused = service.post(ROW | {"since": "29.2.2024"})
    assert refused.status == 422 and refused.json["faults"] == [
        {
            "row": 1,
            "field": "since",
            "found": "'29.2.2024'",
            "expected": "a date such as 2026-01-31, or nothing",
        }
    ]
    page = service.get("/openapi.json").json
    body = page["paths"]["/predict"]["post"]["requestBody"]["content"]["application/json"]
    properties = body["schema"]["anyOf"][0]["properties"]
    assert properties["since"]["anyOf"][0] == {"type": "string", "format": "date"}
    assert page["info"]["summary"] == "orders: predicts outcome won"
    for example in body["examples"].values():
        assert service.post(example["value"]).status in (200, 422)
    html = service.get("/").body.decode()
    assert "Describe a row" in html and 'type="date"' in html and "assenger" not in html
    assert f'titanic_predictions_total{{prediction="{answer["outcome"]}"}}' in (
        service.get("/metrics").body.decode()
    )


def test_the_log_of_the_service_is_read_by_monitor(start, folder, monkeypatch):
    monkeypatch.chdir(folder)
    blank = TitanicPipeline("store.uri=models/orders", "monitoring.log=logged/", *QUICK)
    service = start(blank, "champion", 0.05)
    rows = read_table("orders.csv").drop(columns=["outcome"]).head(50)
    rows = rows.astype("object").where(rows.notna(), None).to_dict("records")
    assert service.post(rows).status == 200
    service.app.state.serving.log.stop()
    found = blank.monitor()
    assert found.invalid == 0 and sum(one.rows for one in found.volume) == 50
    logged = read_table("logged/")
    assert logged["since"].tolist()[0] == "2020-01-01" and set(logged["outcome"]) <= {"won", "lost"}


def test_rows_without_an_id_keep_their_numbers_beside_rejected_ones(folder, monkeypatch):
    monkeypatch.chdir(folder)
    frame = orders(200).drop(columns="order id")
    frame.to_csv("plain.csv", index=False)
    DatasetDrafter(table="plain.csv", target="outcome", force=True).run()
    pipeline = TitanicPipeline("dataset=plain", *QUICK)
    pipeline.train()
    bad = frame.astype("object")
    bad.loc[[2, 150], "on"] = "x"
    bad.to_csv("bad.csv", index=False)
    found = pipeline.predict_into("good.csv", "bad.csv", rejects="rejects.csv", batch_rows=60)
    assert (found.rows, found.rejected) == (198, 2)
    good = read_table("good.csv")
    expected = [str(number) for number in range(1, 201) if number not in (3, 151)]
    assert good["row"].tolist() == expected
    whole = pipeline.predict("plain.csv")["outcome"].drop(index=[2, 150])
    assert good["outcome"].tolist() == whole.tolist()
    assert read_table("rejects.csv")["rejected_row"].tolist() == ["3", "151"]
    row = ROW | {"city": "a"}
    assert pipeline.online.predict_rows([row, row])[1]["row"] == 2
