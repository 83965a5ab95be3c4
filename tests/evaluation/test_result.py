import json

import pytest

from titanic_ml.evaluation.result import FEWEST, Curve, Curves, Estimate, Evaluation, SliceScore


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


def test_an_estimate_reads_with_its_interval():
    assert str(Estimate(0.51249, 0.4, 0.6006)) == "0.512 (0.400 to 0.601)"


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


def test_to_dict_has_the_names_of_the_attributes():
    found = evaluation(
        baselines={"majority class": estimates(0.66, accuracy=0.6)},
        gains={"majority class": estimates(0.16, accuracy=0.2)},
        slices=[part("female", 31, 0.4, roc_auc=0.9), part("male", 69, 0.3)],
        curves=Curves(Curve([0.0, 1.0], [0.0, 1.0]), Curve([], []), []),
        seen=7,
    )
    values = found.to_dict()
    json.dumps(values)
    assert set(values) == set(vars(found))
    assert values["seen"] == 7
    assert values["estimates"]["accuracy"] == pytest.approx({"value": 0.8, "low": 0.7, "high": 0.9})
    assert values["gains"]["majority class"]["log_loss"]["value"] == pytest.approx(0.16)
    female, male = values["slices"]
    assert (female["slice"], female["value"], female["rows"]) == ("sex", "female", 31)
    assert "roc_auc" in female["estimates"] and "roc_auc" not in male["estimates"]
    assert values["curves"]["roc"] == {"x": [0.0, 1.0], "y": [0.0, 1.0]}


def test_repr_says_all_that_was_measured():
    plain = repr(evaluation())
    assert plain.splitlines() == [
        "100 rows, 40 with class 1, threshold 0.45, with 95% intervals:",
        "  log_loss           0.500 (0.400 to 0.600)",
        "  accuracy           0.800 (0.700 to 0.900)",
        "  confusion matrix at threshold 0.45:",
        "    true 0: 50.5 predicted 0, 9.5 predicted 1",
        "    true 1: 10 predicted 0, 30 predicted 1",
    ]
    named = repr(evaluation(target="diagnosis", answers=("benign", "malignant"))).splitlines()
    assert named[0].startswith("100 rows, 40 with diagnosis malignant, threshold 0.45")
    assert named[-1] == "    true malignant: 10 predicted benign, 30 predicted malignant"
    full = repr(
        evaluation(
            baselines={"majority class": estimates(0.66)},
            gains={"majority class": estimates(0.16)},
            slices=[part("female", 31, 0.4), part("male", 69, 0.3)],
            seen=3,
        )
    )
    assert "WARNING: the model was trained on 3 of these 100 rows" in full.splitlines()[1]
    assert "log loss against majority class: lower by 0.160 (0.060 to 0.260)" in full
    assert "worst slice: sex female (31 rows): log loss 0.400 (0.300 to 0.500)" in full
