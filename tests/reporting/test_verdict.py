"""Each sentence of a verdict follows from a number, and flips when the number does."""

from __future__ import annotations

import copy
import json

import pytest

from titanic_ml.reporting import verdict as verdicts
from titanic_ml.reporting.verdict import Verdict, wholes_and_members
from titanic_ml.reporting.version_report import VersionReport


def facts_of(plain: dict) -> VersionReport:
    return VersionReport.from_json(json.dumps(plain).encode())


def verdict(plain: dict) -> Verdict:
    return verdicts.verdict(facts_of(plain))


def e(value: float, low: float, high: float) -> dict[str, float]:
    """A plain estimate."""
    return {"value": value, "low": low, "high": high}


@pytest.fixture
def facts(trained) -> dict:
    """The facts of a version; its own, to be changed."""
    return copy.deepcopy(json.loads(next(trained.glob("2*/evaluation.json")).read_text()))


def changed(facts: dict, path: str, value: object) -> dict:
    *way, last = (int(key) if key.lstrip("-").isdigit() else key for key in path.split("."))
    node = facts
    for key in way:
        node = node[key]
    node[last] = value
    return facts


@pytest.mark.parametrize(
    ("path", "value", "part", "words"),
    [
        ("evaluation.estimates.roc_auc", e(0.95, 0.9, 1), "good", "Its ranking is excellent"),
        ("evaluation.estimates.roc_auc", e(0.85, 0.8, 0.9), "good", "Its ranking is good"),
        ("evaluation.estimates.roc_auc", e(0.75, 0.7, 0.8), "good", "Its ranking is fair"),
        ("evaluation.estimates.roc_auc", e(0.6, 0.5, 0.7), "good", "Its ranking is poor"),
        ("evaluation.calibration_p", 0.06, "good", "show no sign of miscalibration: "),
        ("evaluation.calibration_p", 0.04, "good", "are nearly calibrated: "),
        ("evaluation.gains.Sex alone.log_loss", e(0.1, 0.01, 0.2), "good", "It beats the baseline"),
        ("evaluation.gains.Sex alone.log_loss", e(0.1, -0.01, 0.2), "good", "not clearly beat"),
        ("learning_curve.-1.train", 9.0, "good", "its log loss is 9.000 on those rows and"),
        ("learning_curve.-2.test", 9.0, "good", "more rows would still help"),
        ("learning_curve.-2.test", 0.0, "good", "would help little"),
        ("evaluation.slices", [], "worst", "No slice has enough rows"),
        ("grouped_gap", e(9.0, 8.0, 10.0), "not_for", "Rows of unseen groups"),
        ("evaluation.baselines.Sex alone.accuracy", e(0.123, 0, 1), "good", "instead of 12.3%"),
        ("dataset.target", "Sunk", "good", "a row with Sunk 1 is ranked above one with Sunk 0"),
        ("dataset.not_for", ["Flying a kite."], "not_for", "Flying a kite."),
    ],
)
def test_a_sentence_follows_from_its_number(facts, path, value, part, words):
    assert words in " ".join(getattr(verdict(changed(facts, path, value)), part))


def test_poor_calibration_needs_a_large_error_and_a_significant_test(facts):
    facts["evaluation"]["estimates"]["calibration_error"] = e(0.06, 0.02, 0.1)
    facts["evaluation"]["calibration_p"] = 0.049
    assert "are poorly calibrated: " in " ".join(verdict(facts).good)
    assert "Spiegelhalter's test: p = 0.049." in " ".join(verdict(facts).good)
    facts["evaluation"]["calibration_p"] = 0.051
    assert "show no sign of miscalibration: " in " ".join(verdict(facts).good)


def test_grouped_are_named_only_where_they_are_judged_worse(facts):
    facts["grouped_gap"] = None
    own = facts["evaluation"]["estimates"]["log_loss"]
    for grouped in (None, {**facts["grouped"], "estimates": {"log_loss": own}}):
        told = verdict({**facts, "grouped": grouped}).not_for
        assert "unseen groups" not in " ".join(told)


@pytest.mark.parametrize(
    ("auc", "error", "gain", "words"),
    [
        (0.9, 0.02, 0.1, "A good model. "),
        (0.7, 0.02, 0.1, "A usable model, with care. "),
        (0.9, 0.09, 0.1, "A usable model, with care. "),
        (0.9, 0.02, -0.1, "Not a good model: it does not clearly beat every baseline. "),
    ],
)
def test_the_headline_sums_up(facts, auc, error, gain, words):
    facts["evaluation"]["calibration_p"] = 0.01
    facts["evaluation"]["estimates"] |= {
        "roc_auc": e(auc, auc, auc),
        "calibration_error": e(error, error, error),
        "accuracy": e(0.876, 0.8, 0.9),
    }
    for gains in facts["evaluation"]["gains"].values():
        gains["log_loss"] = e(0.2, gain, 0.3)
    facts["chosen"]["label"] = "support vectors"
    expected = f"{words}Support vectors was selected; its accuracy on unseen rows is 87.6%."
    assert verdict(facts).headline == expected


def test_the_stability_of_the_choice_is_one_sentence(facts):
    facts["stability"] |= {"own": 0.111, "nested": 0.222, "resamples": 50}
    for candidate in facts["candidates"]:
        candidate["chosen_share"] = 0.0
    chosen, other = facts["chosen"]["name"], facts["candidates"][-1]
    other |= {"chosen_share": 0.25, "label": "the other"}
    facts["stability"]["shares"] = {chosen: 0.75, other["name"]: 0.25}
    (sentence,) = (line for line in verdict(facts).why if "resamples" in line)
    label = facts["chosen"]["label"]
    assert f"In 50 resamples of the rows the same rule selects {label} in 75%, the " in sentence
    assert "the other in 25%; the log loss of the whole procedure" in sentence
    assert "is estimated as 0.222, that of the selected candidate alone as 0.111." in sentence


def test_why_it_won(facts):
    best, *_, last = (c["name"] for c in facts["candidates"])
    facts["chosen"]["name"] = best
    facts["procedure"]["tolerance"] = 0.0123
    why = " ".join(verdict(facts).why)
    assert "no simpler candidate is within 0.0123 of it" in why
    facts["chosen"]["name"] = last
    assert "is simpler and within 0.0123 of it" in " ".join(verdict(facts).why)


def test_grouped_fits_are_reported(facts):
    facts["grouped_gap"] = None
    facts["grouped"]["estimates"] |= {"log_loss": e(9.0, 8.0, 10.0), "accuracy": e(0.7, 0.6, 0.8)}
    facts["evaluation"]["estimates"]["accuracy"] = e(0.8, 0.7, 0.9)
    assert "the accuracy 70.0% instead of 80.0%" in " ".join(verdict(facts).not_for)


def worst(rows: int, positives: int, auc: dict | None, loss: dict) -> dict:
    score = {"slice": "port", "value": "Q", "rows": rows, "positives": positives}
    area = {"roc_auc": auc} if auc else {}
    return {**score, "estimates": {**area, "log_loss": loss, "accuracy": e(0.51, 0.4, 0.6)}}


@pytest.mark.parametrize(
    ("score", "said", "unsaid"),
    [
        (worst(500, 250, None, e(0.9, 0.8, 1.0)), "50% of its rows have Survived 1", "ranking"),
        (
            worst(500, 50, e(0.5, 0.4, 0.6), e(0.9, 0.8, 1.0)),
            "the ranking is worse (ROC AUC 0.5",
            "dominates",
        ),
        (worst(90, 9, None, e(0.9, 0.8, 1.0)), "only 90 training rows", "may be chance"),
        (worst(500, 50, None, e(0.9, 0.1, 1.0)), "may be chance", "training rows"),
        (worst(500, 50, None, e(0.9, 0.8, 1.0)), "0.900 (0.800 to 1.000) against 0.4", "reasons"),
    ],
)
def test_why_a_slice_is_worst(facts, score, said, unsaid):
    facts["evaluation"]["estimates"]["log_loss"]["value"] = 0.4
    facts["evaluation"]["slices"] = [score]
    facts["evaluation"]["worst_p"] = 0.3 if said == "may be chance" else 0.01
    text = " ".join(verdict(facts).worst)
    assert said in text and unsaid not in text
    assert "accuracy 51.0% against" in text


def test_what_matters_is_reported_by_groups_and_what_does_not(facts):
    facts["importance"] = [
        {"features": ["a", "b"], "loss": e(0.3, 0.2, 0.4)},
        {"features": ["a"], "loss": e(0.2, 0.1, 0.3)},
        {"features": ["c"], "loss": e(0.1, 0.05, 0.2)},
        {"features": ["b"], "loss": e(0.0, -0.1, 0.1)},
        {"features": ["d"], "loss": e(0.0, -0.1, 0.1)},
    ]
    relies, without = verdict(facts).matters
    assert relies == (
        "Most important, by the increase of the log loss when permuted: "
        "a + b (+0.300), then c (+0.100)."
    )
    assert without.startswith("Without a clear effect: d. Such a test misses weak effects")
    wholes, members = wholes_and_members(facts_of(facts).importance)
    assert [item.features for item in wholes] == [["a", "b"], ["c"], ["d"]]
    assert [item.features for item in members] == [["a"], ["b"]]
    weakest = {**facts, "importance": facts["importance"][-1:]}
    assert [line[:11] for line in verdict(weakest).matters] == ["Without a c"]
    strongest = {**facts, "importance": facts["importance"][:1]}
    assert [line[:11] for line in verdict(strongest).matters] == ["Most import"]


def test_an_effect_is_clear_by_its_corrected_p_value(facts):
    facts["importance"] = [
        {"features": ["a"], "loss": e(0.3, 0.2, 0.4), "p": 0.04},
        {"features": ["b"], "loss": e(0.1, 0.01, 0.2), "p": 0.06},
    ]
    most, without = verdict(facts).matters
    assert most.endswith("a (+0.300).") and "clear effect: b. " in without


def test_the_gap_between_the_two_estimates_is_paired(facts):
    facts["grouped"]["estimates"] |= {"log_loss": e(0.5, 0.4, 0.6), "accuracy": e(0.7, 0.6, 0.8)}
    facts["grouped_gap"] = e(0.05, 0.01, 0.09)
    assert "(higher by 0.050 (0.010 to 0.090))" in " ".join(verdict(facts).not_for)
    facts["grouped_gap"] = e(0.05, -0.01, 0.09)
    assert "unseen groups" not in " ".join(verdict(facts).not_for)


def test_one_point_is_no_learning_curve(facts):
    facts["learning_curve"] = facts["learning_curve"][:1]
    assert "learning curve" not in " ".join(verdict(facts).good)
