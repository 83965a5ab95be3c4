"""The schema of a passenger is that of the dataset."""

from __future__ import annotations

import re

from titanic_ml.service.schema import answer_schema, passenger_schema


def test_every_column_but_the_target_is_a_property(spec):
    schema = passenger_schema(spec)
    assert list(schema["properties"]) == [n for n in spec.columns if n != "Survived"]
    assert set(schema["properties"]) - set(schema["required"]) == {
        *("Age", "Fare", "Cabin", "Embarked"),
    }
    assert schema["additionalProperties"] is False


def test_a_property_says_what_the_column_may_hold(spec):
    found = passenger_schema(spec)["properties"]
    assert found["Pclass"]["enum"] == [1, 2, 3] and found["Pclass"]["type"] == "integer"
    assert found["Age"]["type"] == ["number", "null"]
    assert (found["Age"]["minimum"], found["Age"]["maximum"]) == (0, 120)
    assert found["Embarked"]["enum"] == ["C", "Q", "S", None]
    assert re.search(found["Name"]["pattern"], "Braund, Mr. Owen Harris")
    assert not re.search(found["Cabin"]["pattern"], "xC85")
    assert found["Cabin"]["examples"] == ["C85"] and "description" in found["Fare"]


def test_the_answer_has_id_class_probability_and_version(spec):
    assert answer_schema(spec)["required"] == [
        *("PassengerId", "Survived", "probability", "model_version"),
    ]
