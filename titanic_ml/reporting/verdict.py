"""A verdict in words that follows from the numbers, by the rules of the constants below."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from titanic_ml.evaluation.result import Importance, difference
from titanic_ml.reporting.version_report import VersionReport

AUC_WORDS = ((0.9, "excellent"), (0.8, "good"), (0.7, "fair"), (0.0, "poor"))
GOOD_AUC = 0.8
CALIBRATED, NEARLY = 0.03, 0.05  # calibration error up to which probabilities can be believed
FEW = 100  # rows of a slice that are few to learn from
NAMED = 6  # features of no weight that are named
EVEN = (0.35, 0.65)  # share of positives within which guessing by the share is hardly a help


@dataclass(frozen=True)
class Verdict:
    """Sentences about a model: headline, quality, reasons, weak slices, and uses."""

    headline: str
    good: list[str]
    why: list[str]
    worst: list[str]
    matters: list[str]
    not_for: list[str]


def verdict(facts: VersionReport) -> Verdict:
    """Put the numbers of a version into words."""
    return Verdict(
        _headline(facts), _good(facts), _why(facts), _worst(facts), _matters(facts), _not_for(facts)
    )


def _headline(facts: VersionReport) -> str:
    estimates = facts.evaluation.estimates
    is_good = (
        estimates["roc_auc"].value >= GOOD_AUC and estimates["calibration_error"].value <= NEARLY
    )
    if not facts.evaluation.beats_baselines:
        word = "Not a good model: it does not clearly beat every baseline"
    elif not is_good:
        word = "A usable model, with care"
    else:
        word = "A good model"
    won = facts.chosen.label.capitalize()
    return f"{word}. {won} won; it is right for {estimates['accuracy'].value:.1%} of unseen rows."


def _good(facts: VersionReport) -> list[str]:
    evaluation, target = facts.evaluation, facts.dataset.target
    accuracy = evaluation.estimates["accuracy"].value
    found = []
    for name, beaten in facts.evaluation.beaten.items():
        word = "beats" if beaten else "does not clearly beat"
        gain, theirs = evaluation.gains[name]["log_loss"], evaluation.baselines[name]["accuracy"]
        found.append(
            f"It {word} the baseline “{name}”: its log loss is {difference(gain)}, and it is right "
            f"for {accuracy:.1%} of rows, not {theirs.value:.1%}."
        )
    auc = evaluation.estimates["roc_auc"].value
    word = next(word for least, word in AUC_WORDS if auc >= least)
    found.append(
        f"Its ranking is {word}: of a row with {target} 1 and one with {target} 0 it puts the "
        f"first higher in {auc:.1%} of cases (ROC AUC)."
    )
    error = evaluation.estimates["calibration_error"].value
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


def _learning(facts: VersionReport) -> list[str]:
    if len(facts.learning_curve) < 2:
        return []
    before, last = facts.learning_curve[-2:]
    helps = before.test - last.test > last.standard_error
    more = "more rows would still help" if helps else "more rows of this kind would help little"
    return [
        f"Fitted on {last.rows} rows, its log loss is {last.train:.3f} on those rows and "
        f"{last.test:.3f} on the other rows (means over the {facts.procedure.folds} folds of one "
        f"repetition); by its learning curve {more}."
    ]


def _why(facts: VersionReport) -> list[str]:
    own = next(c for c in facts.candidates if c.name == facts.chosen.name)
    best = facts.candidates[0]
    compared = f"{len(facts.candidates)} candidates were compared on the same folds by log loss."
    if own.name == best.name:
        reason = f"{own.label.capitalize()} had the least ({own.log_loss:.3f})"
        within = f"within {facts.procedure.tolerance:g}, which is what simplicity is worth"
        return [
            compared,
            f"{reason}, and no simpler one was as good {within}.",
            _stability(facts),
        ]
    return [
        compared,
        f"{best.label.capitalize()} had the least ({best.log_loss:.3f}), but "
        f"{own.label} ({own.log_loss:.3f}) is simpler, and worse by no more than "
        f"{facts.procedure.tolerance:g}, which is what simplicity is worth.",
        _stability(facts),
    ]


def _stability(facts: VersionReport) -> str:
    """How often each candidate is chosen, and by how much choosing flatters the log loss."""
    found = facts.stability
    others = [c for c in facts.candidates if c.name != facts.chosen.name and c.chosen_share > 0]
    others.sort(key=lambda c: -c.chosen_share)
    shares = [f"{facts.chosen.label} in {found.shares[facts.chosen.name]:.0%}"]
    shares += [f"{c.label} in {c.chosen_share:.0%}" for c in others]
    return (
        f"Over {found.resamples} resamples of the rows the same rule chooses {', '.join(shares)}; "
        f"the whole procedure, choice included, has an estimated log loss of {found.nested:.3f}, "
        f"the chosen candidate's own is {found.own:.3f}."
    )


def _worst(facts: VersionReport) -> list[str]:
    evaluation, target = facts.evaluation, facts.dataset.target
    worst = evaluation.worst
    if not worst:
        return ["No slice has rows enough to be judged apart."]
    loss, right = worst.estimates["log_loss"], worst.estimates["accuracy"].value
    overall = {name: estimate.value for name, estimate in evaluation.estimates.items()}
    sentence = (
        f"It is worst for {worst.slice} {worst.value} ({worst.rows} rows): log loss {loss} against "
        f"{overall['log_loss']:.3f} over all; it is right for {right:.1%} of them, over all for "
        f"{overall['accuracy']:.1%}."
    )
    reasons = []
    share = worst.positives / worst.rows
    if EVEN[0] <= share <= EVEN[1]:
        reasons.append(f"{share:.0%} of them have {target} 1, so neither class is a safe guess")
    auc, whole = worst.estimates.get("roc_auc"), overall["roc_auc"]
    if auc and auc.value < whole:
        reasons.append(
            f"it tells them apart less well (ROC AUC {auc.value:.3f}, over all {whole:.3f})"
        )
    if worst.rows < FEW:
        reasons.append(f"there are only {worst.rows} to learn from")
    if loss.low <= overall["log_loss"]:
        reasons.append("but chance alone could make such a difference")
    return [sentence] + [f"Why: {'; '.join(reasons)}."] * bool(reasons)


def _matters(facts: VersionReport) -> list[str]:
    whole, _ = wholes_and_members(facts.importance)
    strong = [item for item in whole if item.loss.low > 0][:3]
    weak = [item for item in whole if item.loss.low <= 0]
    labels_of = facts.dataset.labels_of
    named = [f"{' + '.join(labels_of(item.features))} ({item.loss.value:+.3f})" for item in strong]
    found = [f"What it relies on most: {', then '.join(named)} log loss without it."] * bool(named)
    if weak:
        names = "; ".join(" + ".join(labels_of(item.features)) for item in weak[:NAMED])
        names += f"; and {len(weak) - NAMED} more" * (len(weak) > NAMED)
        found.append(f"What it could do without, as far as can be told: {names}.")
    return found


def wholes_and_members(
    items: Sequence[Importance],
) -> tuple[list[Importance], list[Importance]]:
    """Items of importance: groups and features of no group; and the features of groups, alone."""
    grouped = {name for item in items if len(item.features) > 1 for name in item.features}
    members = [item for item in items if len(item.features) == 1 and item.features[0] in grouped]
    return [item for item in items if item not in members], members


def _not_for(facts: VersionReport) -> list[str]:
    found = list(facts.dataset.not_for)
    if facts.grouped:
        theirs, own = facts.grouped.estimates, facts.evaluation.estimates
        if theirs["log_loss"].value > own["log_loss"].high:
            found.append(
                f"Rows of groups it has never seen: there its log loss is "
                f"{theirs['log_loss'].value:.3f}, not {own['log_loss'].value:.3f}, and it is right "
                f"for {theirs['accuracy'].value:.1%}, not {own['accuracy'].value:.1%}, for part of "
                "what it knows is how others of the group fared."
            )
    found.append(
        "Rows that come about differently from those of its table: nothing here was measured "
        "on any other."
    )
    return found
