"""Responses of refusals."""

from __future__ import annotations

import time

import pytest


def test_a_fault_is_named_by_passenger_field_value_and_what_was_expected(service, passenger):
    bad = [passenger, passenger | {"PassengerId": 2, "Age": "old", "Pclass": 4}]
    answer = service.post(bad)
    assert answer.status == 422
    assert answer.json["error"] == "2 faults; rows are counted from 1"
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


def test_no_more_than_twenty_faults_are_shown(service, passenger):
    answer = service.post([passenger | {"PassengerId": n, "Pclass": 9} for n in range(1, 31)])
    assert answer.json["error"].startswith("30 faults") and len(answer.json["faults"]) == 20


def test_paths_and_methods_are_refused_in_the_same_shape(service):
    for path, status in (("/nowhere", 404), ("/predict", 405), ("/predict/", 404)):
        answer = service.get(path)
        assert answer.status == status and list(answer.json) == ["error"]
    assert service.get("/predict").headers["allow"] == "POST"


def test_unknown_query_parameters_are_refused(service, passenger):
    answer = service.ask("POST", "/predict/file?ful=true", b"", Content_Type="text/csv")
    assert (answer.status, answer.json["error"]) == (
        *(422, "unknown query parameter 'ful', expected full, probability"),
    )
    assert service.get("/healthz?x=1").json["error"].endswith("'x', expected none")
    assert service.get("/?model=champion").status == 200


def test_probes_may_ask_by_head(service):
    for path in ("/healthz", "/readyz", "/metrics", "/"):
        answer = service.ask("HEAD", path)
        assert (answer.status, answer.body) == (200, b"")


@pytest.mark.parametrize(
    "field, value",
    [
        ("Age", "9" * 8_000 + "x"),
        ("Age", "9" * 100_000),
        ("Name", "x" * 100_000),
        ("Name", "\ufdfa" * 100_000),
        ("Ticket", " " * 100_000),
        ("PassengerId", 10**4_000),
    ],
    ids=["digits and a letter", "digits", "letters", "ligatures", "spaces", "id"],
)
def test_a_long_value_is_refused_at_once(service, passenger, field, value):
    start = time.perf_counter()
    answer = service.post(passenger | {field: value})
    assert answer.status == 422 and answer.json["faults"][0]["field"] == field
    assert time.perf_counter() - start < 1  # patterns that backtrack took 3.5 s and more
