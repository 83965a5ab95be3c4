"""Responses of a running server."""

from __future__ import annotations

import json
import os
import random
import threading

import pytest

from titanic_ml import TitanicPipeline


def test_without_a_champion_it_waits_for_one(start, tmp_path, store, quick, passenger):
    later = tmp_path / "later"
    service = start(TitanicPipeline(f"store.uri={later}", *quick), "champion", 0.05)
    assert service.get("/readyz").status == service.get("/model").status == 503
    refused = service.post(passenger)
    assert refused.status == 503 and "the service's log" in refused.json["error"]
    store.rename(later)
    for _ in range(200):
        if service.get("/readyz").status == 200:
            break
        threading.Event().wait(0.05)
    assert service.post(passenger).status == 200


def test_a_new_champion_predicts_without_a_failed_request(
    start, pipeline, worse, passenger, wait_until
):
    """Twelve swaps under load: each answer is that of the version it names."""
    service, first = start(pipeline, "champion", 0.01), pipeline.store.resolve("champion")
    expected = {}
    for name in (first, worse.name):
        other = TitanicPipeline(f"store.uri={pipeline.store.uri}")
        other.online.warm(name)
        expected[name] = other.predict_one(passenger)["probability"]
    seen, failed, over = set(), [], threading.Event()

    def load():
        asking = type(service)(service.port, service.app)
        while not over.is_set():
            answer = asking.post(passenger)
            name = answer.json.get("model_version")
            if answer.status != 200 or answer.json["probability"] != expected[name]:
                failed.append(answer.json)
            seen.add(name)
        asking.connection.close()

    threads = [threading.Thread(target=load) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        for turn in range(12):
            wanted = (worse.name, first)[turn % 2]
            pipeline.models.promote(wanted, force=True)
            wait_until(lambda: service.get("/readyz").json["model_version"] == wanted)
            assert service.get("/model").json["version"] == wanted
    finally:
        over.set()
        for thread in threads:
            thread.join()
    assert not failed and seen == set(expected)


BODIES = int(os.environ.get("MALFORMED_BODIES", "1000"))  # docs/service.md tells of more
MARKS = [b"{", b"}", b"[", b"]", b'"', b",", b":", b"null", b"1e999", b"-0", b"\\ud800", b"\xff"]
MARKS += [b"\x00", b"NaN", b'"Age"', b'"Name"', b"true", b"9" * 400, "ä\u202e".encode(), b"[" * 50]


@pytest.mark.usefixtures("unmeasured")
@pytest.mark.parametrize(
    "seed", [0, *(pytest.param(seed, marks=pytest.mark.system) for seed in (1, 2, 3))]
)
def test_malformed_bodies_are_refused_and_the_process_lives(service, passenger, seed):
    """A passenger's JSON with one to four random errors, a thousand times."""
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
    for _ in range(BODIES // 8):
        body = good
        for _ in range(chance.randint(1, 4)):
            place = chance.randrange(len(body))
            body = body[:place] + chance.choice(MARKS) + body[place + chance.randrange(4) :]
        assert service.post(body).status in (200, 400, 422), body
    for _ in range(BODIES // 8):
        spoiled = passenger | {chance.choice(list(passenger)): chance.choice(values)}
        given = spoiled if chance.random() < 0.5 else [spoiled, passenger]
        assert service.post(given).status in (200, 400, 422), given
    assert service.post(passenger).status == 200
