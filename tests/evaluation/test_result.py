import json

import pytest

from titanic_ml.evaluation.result import FEWEST, Estimate, Evaluation, SliceScore


def estimates(loss, **others):
    """Estimates around these values."""
    values = {"log_loss": loss, **others}
    return {name: Estimate(v, v - 0.1, v + 0.1) for name, v in values.items()}


def part(value, rows, loss, **others):
    return SliceScore("sex", value, rows, rows // 3, estimates(loss, **others))


def evaluation(**changes):
    return Evaluation(
        **{
            "rows": 100,
            "positives": 40,
            "threshold": 0.45,
            "estimates": estimates(0.5, accuracy=0.8),
            "confusion": {0: {0: 50.5, 1: 9.5}, 1: {0: 10, 1: 30}},
            **changes,
        }
    )


def test_estimate_reads_and_is_listed():
    estimate = Estimate(0.51249, 0.4, 0.6006)
    assert str(estimate) == "0.512 (0.400 to 0.601)"
    assert estimate.to_list() == [0.51249, 0.4, 0.6006]


WORST = [
    ([], None),
    ([("a", FEWEST - 1, 0.9)], None),  # too few rows to say
    ([("a", FEWEST, 0.9)], "a"),
    ([("a", FEWEST - 1, 0.9), ("b", 50, 0.4), ("c", FEWEST, 0.6)], "c"),
    ([("a", 50, 0.6), ("b", 50, 0.6)], "a"),
]


@pytest.mark.parametrize("slices, worst", WORST)
def test_worst_slice_has_the_highest_loss_among_the_large(slices, worst):
    found = evaluation(slices=[part(*each) for each in slices])
    assert (found.worst and found.worst.value) == worst
    assert found.to_dict()["worst"] == (worst and {"slice": "sex", "value": worst})


def test_to_dict_is_json_of_the_documented_keys():
    found = evaluation(
        baselines={"majority class": estimates(0.66, accuracy=0.6)},
        gains={"majority class": estimates(0.16, accuracy=0.2)},
        slices=[part("female", 31, 0.4, roc_auc=0.9), part("male", 69, 0.3)],
        curves={"roc": {"x": [0.0, 1.0], "y": [0.0, 1.0]}},
    ).with_seen(7)
    values = found.to_dict()
    assert json.loads(json.dumps(values)) == values  # no key or value that JSON would change
    assert set(values) == {
        *("rows", "positives", "threshold", "confidence", "seen", "estimates", "confusion"),
        *("baselines", "slices", "worst", "curves"),
    }
    assert (values["rows"], values["positives"], values["threshold"]) == (100, 40, 0.45)
    assert values["seen"] == 7
    assert values["estimates"]["accuracy"] == pytest.approx([0.8, 0.7, 0.9])
    assert values["confusion"] == {"0": {"0": 50.5, "1": 9.5}, "1": {"0": 10, "1": 30}}
    (baseline,) = values["baselines"]
    assert baseline["label"] == "majority class"
    assert baseline["estimates"]["log_loss"] == pytest.approx([0.66, 0.56, 0.76])
    assert baseline["gain"]["log_loss"] == pytest.approx([0.16, 0.06, 0.26])
    female, male = values["slices"]
    assert {key: female[key] for key in ("slice", "value", "rows", "positives")} == {
        "slice": "sex",
        "value": "female",
        "rows": 31,
        "positives": 10,
    }
    assert female["estimates"]["roc_auc"] == pytest.approx([0.9, 0.8, 1.0])
    assert male["estimates"]["roc_auc"] is None  # one class alone has none
    assert values["curves"] == {"roc": {"x": [0.0, 1.0], "y": [0.0, 1.0]}}


def test_nothing_to_compare_with_is_empty():
    values = evaluation().to_dict()
    assert (values["baselines"], values["slices"], values["worst"]) == ([], [], None)
    assert (values["curves"], values["seen"]) == ({}, 0)


def test_repr_says_all_that_was_measured():
    plain = repr(evaluation())
    assert plain.splitlines() == [
        "100 rows, 40 of class 1, threshold 0.45, with 95% intervals:",
        "  log_loss           0.500 (0.400 to 0.600)",
        "  accuracy           0.800 (0.700 to 0.900)",
        "  truly 0: answered 50.5 as 0, 9.5 as 1",
        "  truly 1: answered 10 as 0, 30 as 1",
    ]
    full = repr(
        evaluation(
            baselines={"majority class": estimates(0.66)},
            gains={"majority class": estimates(0.16)},
            slices=[part("female", 31, 0.4), part("male", 69, 0.3)],
        ).with_seen(3)
    )
    assert "WARNING: the model was trained on 3 of these 100 rows" in full.splitlines()[1]
    assert "log loss less than that of majority class by 0.160 (0.060 to 0.260)" in full
    assert "worst for sex female (31 rows): log loss 0.400 (0.300 to 0.500)" in full


def test_with_seen_leaves_the_first_alone():
    first = evaluation()
    second = first.with_seen(3)
    assert (first.seen, second.seen) == (0, 3)
    assert second.with_seen(0) == first
