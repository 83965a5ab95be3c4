"""A verdict in words that follows from the numbers, by the rules of the constants below."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from titanic_ml.evaluation.result import Importance, difference
from titanic_ml.reporting.version_report import VersionReport

AUC_WORDS = ((0.9, "excellent"), (0.8, "good"), (0.7, "fair"), (0.0, "poor"))
GOOD_AUC = 0.8
NEARLY = 0.05  # largest calibration error that is small
ALPHA = 0.05  # significance level of all tests
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
    error = estimates["calibration_error"].value
    is_good = estimates["roc_auc"].value >= GOOD_AUC and (error <= NEARLY or _is_calibrated(facts))
    if not facts.evaluation.beats_baselines:
        word = "Not a good model: it does not clearly beat every baseline"
    elif not is_good:
        word = "A usable model, with care"
    else:
        word = "A good model"
    won = facts.chosen.label.capitalize()
    accuracy = estimates["accuracy"].value
    return f"{word}. {won} was selected; its accuracy on unseen rows is {accuracy:.1%}."


def _good(facts: VersionReport) -> list[str]:
    evaluation, data = facts.evaluation, facts.dataset
    accuracy = evaluation.estimates["accuracy"].value
    found = []
    for name, beaten in facts.evaluation.beaten.items():
        word = "beats" if beaten else "does not clearly beat"
        gain, theirs = evaluation.gains[name]["log_loss"], evaluation.baselines[name]["accuracy"]
        found.append(
            f"It {word} the baseline “{name}”: its log loss is {difference(gain)}, its accuracy "
            f"{accuracy:.1%} instead of {theirs.value:.1%}."
        )
    auc = evaluation.estimates["roc_auc"].value
    word = next(word for least, word in AUC_WORDS if auc >= least)
    found.append(
        f"Its ranking is {word}: the ROC AUC is {auc:.3f}, the probability that a row with "
        f"{data.target} {data.positive} is ranked above one with {data.target} {data.negative}."
    )
    return [*found, _calibration(facts), *_learning(facts)]


def _is_calibrated(facts: VersionReport) -> bool:
    p = facts.evaluation.calibration_p
    return p is None or p >= ALPHA


def _calibration(facts: VersionReport) -> str:
    error, p = facts.evaluation.estimates["calibration_error"], facts.evaluation.calibration_p
    if _is_calibrated(facts):
        word = "show no sign of miscalibration"
    elif error.value <= NEARLY:
        word = "are nearly calibrated"
    else:
        word = "are poorly calibrated"
    test = "" if p is None else f"; Spiegelhalter's test: p = {p:.2g}"
    return (
        f"Its probabilities {word}: their calibration error, the RMS distance from "
        f"the observed frequency, is {error}{test}."
    )


def _learning(facts: VersionReport) -> list[str]:
    if len(facts.learning_curve) < 2:
        return []
    before, last = facts.learning_curve[-2:]
    helps = before.test - last.test > last.standard_error
    more = "more rows would still help" if helps else "more rows of this kind would help little"
    return [
        f"Fitted on {last.rows} rows, its log loss is {last.train:.3f} on those rows and "
        f"{last.test:.3f} on unseen rows (means over the {facts.procedure.folds} folds of one "
        f"repetition); by the learning curve {more}."
    ]


def _why(facts: VersionReport) -> list[str]:
    own = next(c for c in facts.candidates if c.name == facts.chosen.name)
    best = facts.candidates[0]
    compared = f"{len(facts.candidates)} candidates were compared on the same folds by log loss."
    if own.name == best.name:
        reason = f"{own.label.capitalize()} has the lowest log loss ({own.log_loss:.3f})"
        within = f"within {facts.procedure.tolerance:g} of it"
        return [compared, f"{reason}, and no simpler candidate is {within}.", _stability(facts)]
    return [
        compared,
        f"{best.label.capitalize()} has the lowest log loss ({best.log_loss:.3f}), but "
        f"{own.label} ({own.log_loss:.3f}) is simpler and within {facts.procedure.tolerance:g} of "
        "it.",
        _stability(facts),
    ]


def _stability(facts: VersionReport) -> str:
    """Return how often each candidate is selected, and the optimism due to the selection."""
    found = facts.stability
    others = [c for c in facts.candidates if c.name != facts.chosen.name and c.chosen_share > 0]
    others.sort(key=lambda c: -c.chosen_share)
    shares = [f"{facts.chosen.label} in {found.shares[facts.chosen.name]:.0%}"]
    shares += [f"{c.label} in {c.chosen_share:.0%}" for c in others]
    return (
        f"In {found.resamples} resamples of the rows the same rule selects {', '.join(shares)}; "
        f"the log loss of the whole procedure, selection included, is estimated as "
        f"{found.nested:.3f}, that of the selected candidate alone as {found.own:.3f}."
    )


def _worst(facts: VersionReport) -> list[str]:
    evaluation, outcome = facts.evaluation, f"{facts.dataset.target} {facts.dataset.positive}"
    worst = evaluation.worst
    if not worst:
        return ["No slice has enough rows to be assessed."]
    loss, right = worst.estimates["log_loss"], worst.estimates["accuracy"].value
    overall = {name: estimate.value for name, estimate in evaluation.estimates.items()}
    sentence = (
        f"The worst slice is {worst.slice} {worst.value} ({worst.rows} rows): log loss {loss} "
        f"against {overall['log_loss']:.3f} overall, accuracy {right:.1%} against "
        f"{overall['accuracy']:.1%}."
    )
    reasons = []
    share = worst.positives / worst.rows
    if EVEN[0] <= share <= EVEN[1]:
        reasons.append(f"{share:.0%} of its rows have {outcome}, so no class dominates")
    auc, whole = worst.estimates.get("roc_auc"), overall["roc_auc"]
    if auc and auc.value < whole:
        reasons.append(f"the ranking is worse (ROC AUC {auc.value:.3f}, overall {whole:.3f})")
    if worst.rows < FEW:
        reasons.append(f"it has only {worst.rows} training rows")
    p = evaluation.worst_p
    if loss.low <= overall["log_loss"] if p is None else p >= ALPHA:
        some = (
            "" if p is None else f": some slice is as bad in {p:.0%} of cases without a difference"
        )
        reasons.append(f"but the difference may be chance{some}")
    return [sentence] + [f"Possible reasons: {'; '.join(reasons)}."] * bool(reasons)


def _matters(facts: VersionReport) -> list[str]:
    whole, _ = wholes_and_members(facts.importance)
    strong = [item for item in whole if _is_clear(item)][:3]
    weak = [item for item in whole if not _is_clear(item)]
    labels_of = facts.dataset.labels_of
    named = [f"{' + '.join(labels_of(item.features))} ({item.loss.value:+.3f})" for item in strong]
    most = "Most important, by the increase of the log loss when permuted"
    found = [f"{most}: {', then '.join(named)}."] * bool(named)
    if weak:
        names = "; ".join(" + ".join(labels_of(item.features)) for item in weak[:NAMED])
        names += f"; and {len(weak) - NAMED} more" * (len(weak) > NAMED)
        found.append(
            f"Without a clear effect: {names}. Such a test misses weak effects in about half of "
            "the cases, so this does not show that there is none."
        )
    return found


def _is_clear(item: Importance) -> bool:
    """Return whether an effect is above 0 beyond chance, all features considered."""
    return item.loss.low > 0 if item.p is None else item.p < ALPHA


def wholes_and_members(
    items: Sequence[Importance],
) -> tuple[list[Importance], list[Importance]]:
    """Split items of importance into groups with single features, and members of groups."""
    grouped = {name for item in items if len(item.features) > 1 for name in item.features}
    members = [item for item in items if len(item.features) == 1 and item.features[0] in grouped]
    return [item for item in items if item not in members], members


def _not_for(facts: VersionReport) -> list[str]:
    found = list(facts.dataset.not_for)
    if facts.grouped:
        theirs, own = facts.grouped.estimates, facts.evaluation.estimates
        gap = facts.grouped_gap
        if gap.low > 0 if gap else theirs["log_loss"].value > own["log_loss"].high:
            more = f" (higher by {gap})" if gap else ""
            found.append(
                f"Rows of unseen groups: there the log loss is {theirs['log_loss'].value:.3f} "
                f"instead of {own['log_loss'].value:.3f}{more} and the accuracy "
                f"{theirs['accuracy'].value:.1%} instead of {own['accuracy'].value:.1%}, since "
                "some features are the outcomes of other members of the group."
            )
    found.append(
        "Rows from another population than the training table: nothing was measured on any other."
    )
    return found
