"""How refusals are told."""

from __future__ import annotations


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
