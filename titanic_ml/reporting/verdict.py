"""A verdict in words that follows from the numbers, by the rules of the constants below.

The facts are those that a training writes down as `evaluation.json`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Facts = Mapping[str, Any]
Item = Mapping[str, Any]

AUC_WORDS = ((0.9, "excellent"), (0.8, "good"), (0.7, "fair"), (0.0, "poor"))
GOOD_AUC = 0.8
CALIBRATED, NEARLY = 0.03, 0.05  # calibration error up to which probabilities can be believed
OVERFIT = 0.1  # log loss by which unseen rows may be worse than the model's own
FEW = 100  # rows of a slice that are few to learn from
NAMED = 6  # features of no weight that are named
EVEN = (0.35, 0.65)  # share of positives within which guessing by the share is hardly a help


@dataclass(frozen=True)
class Verdict:
    """Sentences about a model: in one line, how good, why it won, for whom not, and what for."""

    headline: str
    good: list[str]
    why: list[str]
    worst: list[str]
    matters: list[str]
    not_for: list[str]


def verdict(facts: Facts) -> Verdict:
    """Put the numbers of a version into words."""
    return Verdict(
        _headline(facts), _good(facts), _why(facts), _worst(facts), _matters(facts), _not_for(facts)
    )


def _beaten(facts: Facts) -> list[bool]:
    """Of each baseline, whether the whole interval of the gain in log loss is above 0."""
    return [b["gain"]["log_loss"][1] > 0 for b in facts["evaluation"]["baselines"]]


def _headline(facts: Facts) -> str:
    estimates, label = facts["evaluation"]["estimates"], facts["chosen"]["label"]
    accuracy, auc = estimates["accuracy"][0], estimates["roc_auc"][0]
    is_good = auc >= GOOD_AUC and estimates["calibration_error"][0] <= NEARLY
    if not all(_beaten(facts)):
        word = "Not a good model: it does not clearly beat every baseline"
    elif not is_good:
        word = "A usable model, with care"
    else:
        word = "A good model"
    return f"{word}. {label.capitalize()} won; it is right for {accuracy:.1%} of unseen rows."


def _good(facts: Facts) -> list[str]:
    evaluation = facts["evaluation"]
    estimates, target = evaluation["estimates"], facts["dataset"]["target"]
    accuracy = estimates["accuracy"][0]
    found = []
    for baseline, beaten in zip(evaluation["baselines"], _beaten(facts), strict=True):
        word = "beats" if beaten else "does not clearly beat"
        value, low, high = baseline["gain"]["log_loss"]
        found.append(
            f"It {word} the baseline “{baseline['label']}”: its log loss is less by "
            f"{value:.3f} ({low:.3f} to {high:.3f}), and it is right for {accuracy:.1%} of rows, "
            f"not {baseline['estimates']['accuracy'][0]:.1%}."
        )
    auc = estimates["roc_auc"][0]
    word = next(word for least, word in AUC_WORDS if auc >= least)
    found.append(
        f"Its ranking is {word}: of a row with {target} 1 and one with {target} 0 it puts the "
        f"first higher in {auc:.1%} of cases (ROC AUC)."
    )
    error = estimates["calibration_error"][0]
    if error <= CALIBRATED:
        word = "can be taken at their word"
    elif error <= NEARLY:
        word = "are nearly right"
    else:
        word = "are not to be taken at their word"
    found.append(
        f"Its probabilities {word}: they are off by {error:.3f} on average (calibration error)."
    )
    return found + _learning(facts)


def _learning(facts: Facts) -> list[str]:
    curve = facts["learning_curve"]
    if len(curve) < 2:
        return []
    last, gain = curve[-1], curve[-2]["test"] - curve[-1]["test"]
    gap = last["test"] - last["train"]
    fit = "It overfits" if gap > OVERFIT else "It hardly overfits"
    helps = gain > last["standard_error"]
    more = "more rows would still help" if helps else "more rows of this kind would help little"
    return [
        f"{fit}: log loss is {gap:.3f} higher on unseen rows than on its own; by its learning "
        f"curve {more}."
    ]


def _why(facts: Facts) -> list[str]:
    candidates, chosen = facts["candidates"], facts["chosen"]
    own = next(c for c in candidates if c["name"] == chosen["name"])
    best = candidates[0]
    level = facts["procedure"]["significance"]
    compared = f"{len(candidates)} candidates were compared on the same folds by log loss."
    if own["name"] == best["name"]:
        reason = f"{own['label'].capitalize()} had the least ({own['log_loss']:.3f})"
        return [compared, f"{reason}, and no simpler one was as good within chance."]
    return [
        compared,
        f"{best['label'].capitalize()} had the least ({best['log_loss']:.3f}), but "
        f"{own['label']} ({own['log_loss']:.3f}) is not significantly worse "
        f"(p = {own['p_value']:.2f}, above {level:g}), and it is simpler: the simplest equal wins.",
    ]


def _worst(facts: Facts) -> list[str]:
    evaluation, target = facts["evaluation"], facts["dataset"]["target"]
    if not evaluation["worst"]:
        return ["No slice has rows enough to be judged apart."]
    at = evaluation["worst"]
    worst = next(
        s for s in evaluation["slices"] if (s["slice"], s["value"]) == (at["slice"], at["value"])
    )
    value, low, high = worst["estimates"]["log_loss"]
    whole, right, auc = (evaluation["estimates"][m][0] for m in ("log_loss", "accuracy", "roc_auc"))
    sentence = (
        f"It is worst for {worst['slice']} {worst['value']} ({worst['rows']} rows): log loss "
        f"{value:.3f} ({low:.3f} to {high:.3f}) against {whole:.3f} over all; it is right for "
        f"{worst['estimates']['accuracy'][0]:.1%} of them, over all for {right:.1%}."
    )
    reasons = []
    share = worst["positives"] / worst["rows"]
    if EVEN[0] <= share <= EVEN[1]:
        reasons.append(f"{share:.0%} of them have {target} 1, so neither answer is a safe guess")
    own = worst["estimates"]["roc_auc"]
    if own and own[0] < auc:
        reasons.append(f"it tells them apart less well (ROC AUC {own[0]:.3f}, over all {auc:.3f})")
    if worst["rows"] < FEW:
        reasons.append(f"there are only {worst['rows']} to learn from")
    if low <= whole:
        reasons.append("but chance alone could make such a difference")
    return [sentence] + [f"Why: {'; '.join(reasons)}."] * bool(reasons)


def _matters(facts: Facts) -> list[str]:
    whole, _ = wholes_and_members(facts["importance"])
    strong = [i for i in whole if i["loss"][1] > 0][:3]
    weak = [i for i in whole if i["loss"][1] <= 0]
    named = [f"{' + '.join(i['features'])} ({i['loss'][0]:+.3f})" for i in strong]
    found = [f"What it relies on most: {', then '.join(named)} log loss without it."] * bool(named)
    if weak:
        names = "; ".join(" + ".join(i["features"]) for i in weak[:NAMED])
        names += f"; and {len(weak) - NAMED} more" * (len(weak) > NAMED)
        found.append(f"What it could do without, as far as can be told: {names}.")
    return found


def wholes_and_members(items: Sequence[Item]) -> tuple[list[Item], list[Item]]:
    """Items of importance: groups and features of no group; and the features of groups, alone."""
    grouped = {name for item in items if len(item["features"]) > 1 for name in item["features"]}
    members = [i for i in items if len(i["features"]) == 1 and i["features"][0] in grouped]
    return [item for item in items if item not in members], members


def _not_for(facts: Facts) -> list[str]:
    found, strangers = list(facts["dataset"].get("not_for") or []), facts["strangers"]
    if strangers:
        theirs, own = (e["estimates"] for e in (strangers, facts["evaluation"]))
        if theirs["log_loss"][0] > own["log_loss"][2]:
            found.append(
                f"Rows of groups it has never seen: there its log loss is "
                f"{theirs['log_loss'][0]:.3f}, not {own['log_loss'][0]:.3f}, and it is right for "
                f"{theirs['accuracy'][0]:.1%}, not {own['accuracy'][0]:.1%}, for part of what it "
                f"knows is how others of the group fared."
            )
    found.append(
        "Rows that come about differently from those of its table: nothing here was measured "
        "on any other."
    )
    return found
