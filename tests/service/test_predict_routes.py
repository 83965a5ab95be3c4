"""The paths that answer."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pandas as pd
import pytest

ROOT = Path(__file__).parents[2]
CSV, PARQUET = "text/csv", "application/vnd.apache.parquet"


def test_one_passenger_gets_what_predict_says(service, pipeline, passenger):
    whole = [passenger | dict.fromkeys(("Age", "Cabin", "Embarked"))]
    (expected,) = pipeline.predict(whole, probability=True).to_dict("records")
    answer = service.post(passenger)
    assert answer.status == 200 and answer.headers["content-type"] == "application/json"
    version = pipeline.store.resolve("champion")
    assert answer.json == expected | {"model_version": version}


def test_a_list_gets_a_list_in_its_order(service, pipeline, test_frame):
    rows = json.loads(test_frame.to_json(orient="records"))
    answer = service.post(rows)
    found = pd.DataFrame(answer.json["predictions"])
    expected = pipeline.predict(rows, probability=True)
    assert found[list(expected)].equals(expected) and set(found["model_version"]) == {
        pipeline.store.resolve("champion")
    }
    assert service.post(rows[:1]).json == {"predictions": answer.json["predictions"][:1]}


def upload(service, body: bytes, kind: str = CSV, query: str = ""):
    return service.ask("POST", f"/predict/file{query}", body, Content_Type=kind)


@pytest.mark.parametrize("query", ["", "?full=true", "?probability=true"])
def test_a_table_gets_what_the_command_would_write(service, pipeline, tmp_path, query):
    table = ROOT / "data/test.csv"
    answer = upload(service, table.read_bytes(), query=query)
    assert answer.status == 200 and answer.headers["content-type"].startswith(CSV)
    assert answer.headers["x-model-version"] == pipeline.store.resolve("champion")
    output = tmp_path / "out.csv"
    pipeline.predict_into(output, table, full="full" in query, probability="prob" in query)
    found, expected = pd.read_csv(io.BytesIO(answer.body)), pd.read_csv(output)
    same = [name for name in expected if name != "predicted_at"]
    assert list(found) == list(expected) and found[same].equals(expected[same])


def test_a_parquet_table_gets_a_parquet_table(service, pipeline, test_frame):
    body = io.BytesIO()
    test_frame.to_parquet(body)
    answer = upload(service, body.getvalue(), PARQUET)
    found = pd.read_parquet(io.BytesIO(answer.body))
    expected = pipeline.predict(test_frame, probability=True)
    assert answer.status == 200 and found[list(expected)].equals(expected)


def test_a_bad_table_is_refused_with_its_faults_and_nothing_stays(
    service, tmp_path, monkeypatch, wait_until
):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    table = (ROOT / "data/test.csv").read_bytes()
    refused = upload(service, table.replace(b"895,3", b"895,7"))
    assert refused.status == 422
    assert refused.json["faults"] == [
        {
            "passenger": 4,
            "field": "Pclass",
            "found": "7",
            "expected": "a whole number, one of 1, 2, 3",
        }
    ]
    unreadable = upload(service, b"\xff\xfe")
    assert unreadable.status == 422 and unreadable.json["error"].startswith(
        "the table: line 1 is not"
    )
    assert upload(service, table, PARQUET).json["error"].startswith("the table: not a Parquet file")
    assert upload(service, table, "application/octet-stream").status == 415
    assert upload(service, table, query="?full=x").json == {
        "error": "full: found 'x', expected true or false"
    }
    assert upload(service, table).status == 200
    wait_until(lambda: not list(tmp_path.glob("ml-upload-*")))


def test_a_table_that_is_too_large_is_refused_while_it_comes(service, monkeypatch):
    monkeypatch.setattr("titanic_ml.service.requests.MOST_FILE_BYTES", 10_000)
    refused = upload(service, (ROOT / "data/test.csv").read_bytes())
    assert refused.status == 413 and refused.json == {
        "error": "found more than 10,000 bytes, expected fewer"
    }


def test_why_a_passenger_gets_that_probability(service, passenger):
    body = json.dumps(passenger).encode()
    answer = service.ask("POST", "/explain", body, Content_Type="application/json")
    assert answer.status == 200
    found, predicted = answer.json, service.post(passenger).json
    assert found["version"] == predicted["model_version"] and found["subject"] == "PassengerId 1"
    assert found["probability"] == pytest.approx(predicted["probability"], abs=1e-8)
    total = found["base"] + sum(part["contribution"] for part in found["contributions"])
    assert total == pytest.approx(found["probability"])
    several = service.ask("POST", "/explain", b"[" + body + b"]", Content_Type="application/json")
    assert several.status == 422
    bad = json.dumps(passenger | {"Pclass": 9}).encode()
    assert service.ask("POST", "/explain", bad, Content_Type="application/json").status == 422


@pytest.mark.parametrize("place", [2, 4, 257])
def test_a_training_row_gets_over_http_what_the_pipeline_gives_it(
    service, pipeline, passengers, place
):
    frame = passengers.iloc[[place]].drop(columns="Survived").astype("object")
    row = frame.where(frame.notna(), None).to_dict("records")[0]
    expected = pipeline.predict(passengers, probability=True)["probability"][place]
    body = json.dumps(row).encode()
    explained = service.ask("POST", "/explain", body, Content_Type="application/json").json
    found = service.post(row).json, service.post([row]).json["predictions"][0], explained
    assert [answer["probability"] for answer in found] == [expected] * 3


def test_a_single_passenger_needs_no_id(service, passenger, pipeline):
    expected = service.post(passenger).json | {"PassengerId": None}
    alone = {name: value for name, value in passenger.items() if name != "PassengerId"}
    for given in (alone, alone | {"PassengerId": None}, alone | {"PassengerId": ""}):
        assert service.post(given).json == expected
        assert pipeline.predict_one(given) == expected
        body = json.dumps(given).encode()
        explained = service.ask("POST", "/explain", body, Content_Type="application/json").json
        assert explained["subject"] == "the row"
        assert explained["probability"] == expected["probability"]
    assert service.post(alone | {"PassengerId": "x"}).status == 422


def test_passengers_of_a_list_need_ids(service, passenger):
    alone = {name: value for name, value in passenger.items() if name != "PassengerId"}
    answer = service.post([passenger, alone])
    assert answer.status == 422
    assert [(f["passenger"], f["field"]) for f in answer.json["faults"]] == [(2, "PassengerId")]
