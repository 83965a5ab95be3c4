"""Each sentence of a verdict follows from a number, and flips when the number does."""

from __future__ import annotations

import copy
import json

import pytest

from titanic_ml.reporting.verdict import verdict, wholes_and_members


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
        ("evaluation.estimates.roc_auc", [0.95, 0.9, 1], "good", "Its ranking is excellent"),
        ("evaluation.estimates.roc_auc", [0.85, 0.8, 0.9], "good", "Its ranking is good"),
        ("evaluation.estimates.roc_auc", [0.75, 0.7, 0.8], "good", "Its ranking is fair"),
        ("evaluation.estimates.roc_auc", [0.6, 0.5, 0.7], "good", "Its ranking is poor"),
        ("evaluation.estimates.calibration_error", [0.03, 0, 1], "good", "taken at their word"),
        ("evaluation.estimates.calibration_error", [0.04, 0, 1], "good", "are nearly right"),
        ("evaluation.estimates.calibration_error", [0.06, 0, 1], "good", "not to be taken at"),
        ("evaluation.baselines.0.gain.log_loss", [0.1, 0.01, 0.2], "good", "It beats the baseline"),
        ("evaluation.baselines.0.gain.log_loss", [0.1, -0.01, 0.2], "good", "not clearly beat"),
        ("learning_curve.-1.train", 9.0, "good", "It hardly overfits"),
        ("learning_curve.-1.train", -9.0, "good", "It overfits"),
        ("learning_curve.-2.test", 9.0, "good", "more rows would still help"),
        ("learning_curve.-2.test", 0.0, "good", "would help little"),
        ("evaluation.worst", None, "worst", "No slice has rows enough"),
        ("evaluation.worst", {"slice": "class", "value": "1"}, "worst", "It is worst for class 1"),
        ("strangers.estimates.log_loss", [9.0, 8.0, 10.0], "not_for", "groups it has never seen"),
        ("evaluation.baselines.0.estimates.accuracy", [0.123, 0, 1], "good", "of rows, not 12.3%"),
        ("dataset.target", "Sunk", "good", "of a row with Sunk 1 and one with Sunk 0"),
        ("dataset.not_for", ["Flying a kite."], "not_for", "Flying a kite."),
    ],
)
def test_a_sentence_follows_from_its_number(facts, path, value, part, words):
    assert words in " ".join(getattr(verdict(changed(facts, path, value)), part))


def test_strangers_are_named_only_where_they_are_judged_worse(facts):
    own = facts["evaluation"]["estimates"]["log_loss"]
    for strangers in (None, {"estimates": {"log_loss": own}}):
        told = verdict({**facts, "strangers": strangers}).not_for
        assert "never seen" not in " ".join(told)


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
    facts["evaluation"]["estimates"] |= {
        "roc_auc": [auc] * 3,
        "calibration_error": [error] * 3,
        "accuracy": [0.876, 0.8, 0.9],
    }
    for baseline in facts["evaluation"]["baselines"]:
        baseline["gain"]["log_loss"] = [0.2, gain, 0.3]
    facts["chosen"]["label"] = "support vectors"
    expected = f"{words}Support vectors won; it is right for 87.6% of unseen rows."
    assert verdict(facts).headline == expected


def test_why_it_won(facts):
    best, *_, last = (c["name"] for c in facts["candidates"])
    facts["chosen"]["name"] = best
    assert "no simpler one was as good" in " ".join(verdict(facts).why)
    facts["chosen"]["name"] = last
    facts["candidates"][-1]["p_value"] = 0.123
    assert "not significantly worse (p = 0.12, above 0.4)" in " ".join(verdict(facts).why)


def test_what_strangers_get_is_told_in_answers_too(facts):
    facts["strangers"]["estimates"] |= {"log_loss": [9.0, 8.0, 10.0], "accuracy": [0.7, 0.6, 0.8]}
    facts["evaluation"]["estimates"]["accuracy"] = [0.8, 0.7, 0.9]
    assert "it is right for 70.0%, not 80.0%" in " ".join(verdict(facts).not_for)


def worst(rows: int, positives: int, auc: list[float] | None, loss: list[float]) -> dict:
    score = {"slice": "port", "value": "Q", "rows": rows, "positives": positives}
    return {**score, "estimates": {"log_loss": loss, "roc_auc": auc, "accuracy": [0.51, 0.4, 0.6]}}


@pytest.mark.parametrize(
    ("score", "said", "unsaid"),
    [
        (worst(500, 250, None, [0.9, 0.8, 1.0]), "50% of them have Survived 1", "less well"),
        (worst(500, 50, [0.5, 0.4, 0.6], [0.9, 0.8, 1.0]), "less well (ROC AUC 0.5", "safe guess"),
        (worst(90, 9, None, [0.9, 0.8, 1.0]), "only 90 to learn from", "chance alone"),
        (worst(500, 50, None, [0.9, 0.1, 1.0]), "chance alone", "to learn from"),
        (worst(500, 50, None, [0.9, 0.8, 1.0]), "0.900 (0.800 to 1.000) against 0.4", "Why"),
    ],
)
def test_why_a_slice_is_worst(facts, score, said, unsaid):
    facts["evaluation"]["estimates"]["log_loss"][0] = 0.4
    facts["evaluation"]["slices"] = [score]
    facts["evaluation"]["worst"] = {"slice": "port", "value": "Q"}
    told = " ".join(verdict(facts).worst)
    assert said in told and unsaid not in told
    assert "it is right for 51.0% of them, over all for" in told


def test_what_matters_is_told_by_groups_and_what_does_not(facts):
    facts["importance"] = [
        {"features": ["a", "b"], "loss": [0.3, 0.2, 0.4]},
        {"features": ["a"], "loss": [0.2, 0.1, 0.3]},
        {"features": ["c"], "loss": [0.1, 0.05, 0.2]},
        {"features": ["b"], "loss": [0.0, -0.1, 0.1]},
        {"features": ["d"], "loss": [0.0, -0.1, 0.1]},
    ]
    relies, without = verdict(facts).matters
    assert relies == "What it relies on most: a + b (+0.300), then c (+0.100) log loss without it."
    assert without == "What it could do without, as far as can be told: d."
    wholes, members = wholes_and_members(facts["importance"])
    assert [item["features"] for item in wholes] == [["a", "b"], ["c"], ["d"]]
    assert [item["features"] for item in members] == [["a"], ["b"]]
    weakest = {**facts, "importance": facts["importance"][-1:]}
    assert [line[:11] for line in verdict(weakest).matters] == ["What it cou"]
    strongest = {**facts, "importance": facts["importance"][:1]}
    assert [line[:11] for line in verdict(strongest).matters] == ["What it rel"]


def test_one_point_is_no_learning_curve(facts):
    facts["learning_curve"] = facts["learning_curve"][:1]
    assert "learning curve" not in " ".join(verdict(facts).good)
