"""What is answered at each path, by a running server."""

from __future__ import annotations

import json
import random
import threading

import pandas as pd
import pytest

from titanic_ml import TitanicPipeline


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


def test_a_fault_is_named_by_passenger_field_value_and_what_was_expected(service, passenger):
    bad = [passenger, passenger | {"PassengerId": 2, "Age": "old", "Pclass": 4}]
    answer = service.post(bad)
    assert answer.status == 422
    assert answer.json["error"] == "2 faults; passengers are counted from 1"
    assert answer.json["faults"][0] == {
        "passenger": 2,
        "field": "Age",
        "found": "'old'",
        "expected": "a number, at least 0, at most 120, or nothing",
    }
    alone = service.post(bad[1])
    assert [fault["field"] for fault in alone.json["faults"]] == ["Age", "Pclass"]
    assert service.post(passenger | {"Shoe": 43}).json["faults"][0]["field"] == "Shoe"
    del passenger["Sex"]
    assert service.post(passenger).json["faults"][0]["found"] == "no column of this name"


def test_what_it_says_of_itself(service, pipeline):
    version = pipeline.store.open("champion")
    assert service.get("/model").json == version.manifest.to_dict()
    assert service.get("/healthz").json == {"status": "alive"}
    ready = service.get("/readyz")
    assert (ready.status, ready.json["model_version"]) == (200, version.name)
    assert service.get("/docs").status == 404  # it would fetch scripts from elsewhere
    assert service.ask("GET", "/predict").status == 405


def test_metrics_count_requests_predictions_and_faults(service, passenger):
    service.post(passenger)
    service.post([passenger | {"Pclass": 9}])
    service.get("/nowhere")
    page = service.get("/metrics").body.decode()
    for line in (
        'titanic_requests_total{path="/predict",status="200"} 1.0',
        'titanic_requests_total{path="/predict",status="422"} 1.0',
        'titanic_requests_total{path="other",status="404"} 1.0',
        'titanic_predictions_total{prediction="0"} 1.0',
        "titanic_rejected_rows_total 1.0",
        "titanic_model_refused 0.0",
        f'titanic_model_version{{version="{service.get("/readyz").json["model_version"]}"}} 1.0',
    ):
        assert line in page.splitlines()


def test_openapi_describes_the_passenger_by_the_dataset(service):
    paths = service.get("/openapi.json").json["paths"]
    assert set(paths) == {"/predict", "/model", "/healthz", "/readyz", "/metrics"}
    content = paths["/predict"]["post"]["requestBody"]["content"]["application/json"]
    assert content["schema"]["anyOf"][0]["properties"]["Pclass"]["enum"] == [1, 2, 3]


def test_without_a_champion_it_waits_for_one(start, tmp_path, store, quick, passenger):
    later = tmp_path / "later"
    service = start(TitanicPipeline(f"store.uri={later}", *quick), "champion", 0.05)
    assert service.get("/readyz").status == service.get("/model").status == 503
    refused = service.post(passenger)
    assert refused.status == 503 and "holds no model" in refused.json["error"]
    store.rename(later)
    for _ in range(200):
        if service.get("/readyz").status == 200:
            break
        threading.Event().wait(0.05)
    assert service.post(passenger).status == 200


def test_a_new_champion_answers_without_a_failed_request(service, pipeline, worse, passenger):
    """Twelve swaps under load: each answer is of one of the two, as that one would give it."""
    first = pipeline.store.resolve("champion")
    expected = {}
    for name in (first, worse.name):
        pipeline.warm(name)
        expected[name] = pipeline.predict_one(passenger)["probability"]
    pipeline.warm()
    seen, failed, over = set(), [], threading.Event()

    def load():
        asking = type(service)(service.port, service.app)
        while not over.is_set():
            answer = asking.post(passenger)
            if answer.status != 200:
                failed.append(answer.body)
            elif answer.json["probability"] != expected[answer.json["model_version"]]:
                failed.append(answer.json)
            else:
                seen.add(answer.json["model_version"])
        asking.connection.close()

    threads = [threading.Thread(target=load) for _ in range(4)]
    for thread in threads:
        thread.start()
    for turn in range(12):
        wanted = (worse.name, first)[turn % 2]
        pipeline.promote(wanted, force=True)
        for _ in range(400):
            if service.app.state.champion.version == wanted:
                break
            threading.Event().wait(0.02)
        assert service.get("/readyz").json["model_version"] == wanted
    over.set()
    for thread in threads:
        thread.join()
    assert not failed and seen == set(expected)


MARKS = [b"{", b"}", b"[", b"]", b'"', b",", b":", b"null", b"1e999", b"-0", b"\\ud800", b"\xff"]
MARKS += [b"\x00", b"NaN", b'"Age"', b'"Name"', b"true", b"9" * 400, "ä\u202e".encode(), b"[" * 50]


@pytest.mark.parametrize("seed", range(4))
def test_malformed_bodies_are_refused_and_the_process_lives(service, passenger, seed):
    """A passenger whose JSON is spoiled in one to four places, 250 times."""
    chance, good = random.Random(seed), json.dumps(passenger).encode()
    values = [
        None,
        "",
        "x" * 5000,
        -1,
        1e308,
        [],
        {},
        [[1]],
        True,
        "\ud800",
        "١",
        2**70,
        "Ö, Mr. Ä",
    ]
    for _ in range(125):
        body = good
        for _ in range(chance.randint(1, 4)):
            place = chance.randrange(len(body))
            body = body[:place] + chance.choice(MARKS) + body[place + chance.randrange(4) :]
        assert service.post(body).status in (200, 400, 422), body
    for _ in range(125):
        spoiled = passenger | {chance.choice(list(passenger)): chance.choice(values)}
        given = spoiled if chance.random() < 0.5 else [spoiled, passenger]
        assert service.post(given).status in (200, 400, 422), given
    assert service.post(passenger).status == 200
