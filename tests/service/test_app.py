"""What is answered at each path, by a running server."""

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
    assert refused.status == 503 and "holds no model" in refused.json["error"]
    store.rename(later)
    for _ in range(200):
        if service.get("/readyz").status == 200:
            break
        threading.Event().wait(0.05)
    assert service.post(passenger).status == 200


def test_a_new_champion_answers_at_once_without_a_failed_request(start, pipeline, worse, passenger):
    """Twelve swaps under load: each answer is of one that was the champion while it was asked, as
    that one would give it. The alias is looked at by nobody but the requests.
    """
    service, first = start(pipeline, "champion", 600), pipeline.store.resolve("champion")
    expected = {}
    for name in (first, worse.name):
        pipeline.online.warm(name)
        expected[name] = pipeline.predict_one(passenger)["probability"]
    pipeline.online.warm()
    champions = {first}  # two while one takes the other's place
    seen, failed, over = set(), [], threading.Event()

    def load():
        asking = type(service)(service.port, service.app)
        while not over.is_set():
            before = champions
            answer = asking.post(passenger)
            if answer.status != 200 or answer.json["model_version"] not in before | champions:
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
        champions = set(expected)
        pipeline.models.promote(wanted, force=True)
        champions = {wanted}
        assert service.get("/model").json["version"] == wanted
        assert service.get("/readyz").json["model_version"] == wanted
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
    """A passenger whose JSON is spoiled in one to four places, a thousand times in all."""
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
