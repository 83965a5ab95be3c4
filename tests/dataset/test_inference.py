from datetime import date

import numpy as np
import pandas as pd
import pytest

from titanic_ml.dataset.inference import infer_column, normalised_names, repeats

TEN = range(10)


@pytest.mark.parametrize(
    "values, properties",
    [
        (["1", "2", "", "10"] * 10, {"kind": "integer"}),
        (["1", "2.5", "NA"] * 10, {"kind": "number"}),
        (["01234", "02345"] * 10, {"kind": "category", "allowed": ["01234", "02345"]}),
        (["5%", "7.5 %", "10%"] * 10, {"kind": "number", "suffix": "%"}),
        (["True", "false", ""] * 10, {"kind": "bool"}),
        (["2024-01-31", "2024-02-29 10:30", "NaT"] * 10, {"kind": "date"}),
        (["yes", "no", "Yes"] * 10, {"kind": "category", "allowed": ["no", "yes"]}),
        (["a"] * 10 + ["b"] * 9, {"kind": "category"}),
        ([f"text {n}" for n in range(40)], {"kind": "text", "ignore": True}),
        ([str(10**18 + n) for n in range(40)], {"kind": "text", "ignore": True}),
        ([None] * 40, {"kind": "text", "ignore": True}),
        (["", "n/a"] * 20, {"kind": "text", "ignore": True}),
        ([1, 2, 3] * 10, {"kind": "integer"}),
        ([1.5, np.nan] * 10, {"kind": "number"}),
        ([True, False] * 10, {"kind": "bool"}),
        ([date(2024, 1, 31), None] * 10, {"kind": "date"}),
        (list(pd.to_datetime(["2024-01-31", "2024-02-01"])) * 10, {"kind": "date"}),
    ],
)
def test_the_kind_of_a_column(values, properties):
    found = infer_column("a", pd.Series(values))
    assert found.properties == properties and not found.faults


def test_words_for_a_missing_value_are_found_beside_numbers_and_none_is_a_word_beside_words():
    numbers = infer_column("a", pd.Series(["1", "2.5", "unknown", "?"] * 10))
    assert numbers.kind == "number" and numbers.missing == 20
    assert numbers.properties["missing"][:2] == ["?", "unknown"]
    words = infer_column("a", pd.Series(["gravel", "none", "NA"] * 10))
    assert words.properties["allowed"] == ["gravel", "none"] and words.missing == 10
    marked = infer_column("a", pd.Series(["x", "y", "?"] * 10))
    assert marked.properties["allowed"] == ["x", "y"] and marked.missing == 10


def test_remarks_for_a_person():
    codes = infer_column("a", pd.Series(["1", "2", "999"] * 10))
    assert "999 stand for a missing value" in codes.summary and "kind: category" in codes.summary
    assert infer_column("a", pd.Series(["0.5", ""] * 10)).summary.startswith("10 missing (50.0%)")
    dates = infer_column("a", pd.Series(["2024-01-31", "2024-02-29"]))
    assert dates.summary == "2024-01-31 to 2024-02-29, median 2024-02-14"
    assert infer_column("a", pd.Series(["x", "y", "x"] * 10)).summary == "x 20, y 10"


@pytest.mark.parametrize(
    "values, typical",
    [(["1", "3", "9"], 3), (["0.5"] * 3, 0.5), (["yes"] * 20 + ["no"] * 19, "yes")]
    + [(["true", "true", "false"], True), (["2024-01-31"], "2024-01-31"), ([""], None)],
)
def test_a_typical_value_is_one_that_a_request_may_have(values, typical):
    assert infer_column("a", pd.Series(values)).typical == typical


@pytest.mark.parametrize(
    "name, values, is_id, repeated",
    [
        ("PassengerId", TEN, True, False),
        ("row_id", [f"a{n}" for n in TEN], True, False),
        ("customer_id", [1, 1, 2, 2, 3, 3, 4, 4, 5, 6], False, True),
        ("paid", TEN, False, False),
        ("amount", TEN, False, False),
        ("valid", [1, 1, 2, 2, 3, 3, 4, 4, 5, 6], False, False),
    ],
)
def test_ids_are_found_by_name_and_values(name, values, is_id, repeated):
    found = infer_column(name, pd.Series(values))
    assert (found.looks_like_id, repeats(found)) == (is_id, repeated)


def test_names_are_those_that_a_dataset_has():
    assert normalised_names([" a\u00a0b ", 1, "NA"]) == ["a b", "1", "NA"]
