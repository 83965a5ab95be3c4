"""The check of a table."""

from __future__ import annotations


def test_a_table_in_memory_is_checked_too(pipeline, passengers):
    assert repr(pipeline.validate(passengers)) == "the table: 891 rows, with target, all right"
    assert pipeline.validate(passengers.drop(columns="Survived")).faults == []
    assert len(pipeline.validate(passengers.drop(columns="Survived"), True).faults) == 1
    assert pipeline.validate().rows == 891
