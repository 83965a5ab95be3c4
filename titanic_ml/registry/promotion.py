"""The promotion gate: a version becomes the champion if it is not worse, out of fold.

It is a test of non-inferiority on paired rows: the whole confidence interval of the increase of the
log loss must lie below the margin.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import ceil

from titanic_ml.errors import ModelError, PromotionRefused
from titanic_ml.evaluation.gate import PairedComparison, compare_out_of_fold
from titanic_ml.evaluation.result import difference
from titanic_ml.registry.aliases import FORCE, ROLLBACK, Entry
from titanic_ml.registry.store import ModelStore
from titanic_ml.registry.version import ModelVersion

log = logging.getLogger(__name__)
SHARED = 0.5  # smallest share of the smaller table's rows, if that is less than `min_rows`


@dataclass(frozen=True)
class Gate:
    """Conditions of a promotion.

    Attributes
    ----------
    margin
        Largest increase of the log loss that is accepted.
    min_rows
        Smallest number of shared rows; half of the smaller table if that is less.
    confidence
        Confidence of the interval of the increase.
    """

    margin: float
    min_rows: int = 100
    confidence: float = 0.95

    def compare(self, other: ModelVersion, version: ModelVersion) -> PairedComparison:
        """Compare two versions on the rows that both were scored on."""
        return compare_out_of_fold(other.out_of_fold, version.out_of_fold, self.confidence)

    def needed(self, *versions: ModelVersion) -> int:
        """Return the number of rows that versions must share to be compared."""
        smaller = min(len(version.out_of_fold) for version in versions)
        return max(1, min(self.min_rows, ceil(SHARED * smaller)))


def promote(
    store: ModelStore, version: ModelVersion, gate: Gate, force: bool, note: str = ""
) -> str:
    """Make a version the champion unless it may be worse than the champion by the margin.

    It is compared with the champion and with the best version that was ever promoted and shares
    its rows, so that a chain of promotions, each worse by less than the margin, does not make the
    champion worse and worse. Retry if the champion changed concurrently.

    Parameters
    ----------
    store
        Store of the version.
    version
        Version to promote.
    gate
        Conditions of the promotion.
    force
        Whether to skip the comparison; later versions are then compared from this one on.
    note
        Text that is added to the history.

    Returns
    -------
    str
        Reason of the promotion, with the note if there is one.

    Raises
    ------
    PromotionRefused
        The version is worse, may be worse, or shares too few rows. The champion stays.
    """
    while True:
        last = store.champion.last()
        why = _reason(store, version, last, gate, force)
        if note:
            why += f": {note}"
        if store.set_champion(last, version, why, forced=force):
            return why


def reference_names(entries: list[Entry]) -> list[str]:
    """Return the versions that a new champion is compared with, the present champion first.

    These are the versions promoted since the last forced promotion, that one included, except
    versions that were rolled back.

    Parameters
    ----------
    entries : history of the champion, the oldest first
    """
    names: list[str] = []
    for number, entry in enumerate(entries):
        if entry.action == FORCE:
            names = []
        if entry.action == ROLLBACK:
            left = entries[number - 1].version
            names = [name for name in names if name != left]
        names = [entry.version, *(name for name in names if name != entry.version)]
    return names


def _reason(
    store: ModelStore, version: ModelVersion, last: Entry | None, gate: Gate, force: bool
) -> str:
    if force:
        return "forced"
    if last is None:
        return "the first champion"
    if last.version == version.name:
        return "it was the champion already"
    champion = store.open(last.version)
    names = [name for name in reference_names(store.champion.history()) if name != champion.name]
    found = gate.compare(champion, version)
    if found.rows < gate.needed(champion, version):
        raise PromotionRefused(
            f"{found.rows or 'no'} rows in common with {champion.name}, expected at least "
            f"{gate.needed(champion, version)}; --force promotes all the same"
        )
    reasons = [_judge(found, "the champion's", gate)]
    for name, other in _best(gate, version, found, _readable(store, names)).items():
        reasons.append(_judge(other, f"that of {name}, the best so far,", gate))
    return "; ".join(reasons)


def _judge(found: PairedComparison, reference: str, gate: Gate) -> str:
    """Describe a comparison. Raises `PromotionRefused` if the second may be worse by the margin."""
    assert found.gain is not None
    words = (
        f"log loss {found.theirs:.4f} against {reference} {found.ours:.4f} on {found.rows} rows, "
        f"{difference(found.gain, digits=4)}"
    )
    margin = f"the margin of {gate.margin:g}"
    if found.theirs > found.ours + gate.margin:
        raise PromotionRefused(f"{words}, which is more than {margin}")
    if -found.gain.low > gate.margin:
        raise PromotionRefused(
            f"{words}; these rows are too few to show that it is not higher by more than {margin}; "
            "--force promotes all the same"
        )
    return f"{words}, within {margin}"


def _best(
    gate: Gate,
    version: ModelVersion,
    champion: PairedComparison,
    earlier: Iterable[ModelVersion],
) -> dict[str, PairedComparison]:
    """Find the earlier champion with the largest lead, if larger than the champion's."""
    best: dict[str, PairedComparison] = {}
    least = champion.gain.value if champion.gain else 0.0
    for one in earlier:
        found = gate.compare(one, version)
        enough = found.rows >= SHARED * len(version.out_of_fold)
        if enough and found.gain and found.gain.value < least:
            best, least = {one.name: found}, found.gain.value
    return best


def _readable(store: ModelStore, names: list[str]) -> Iterator[ModelVersion]:
    """Return the versions that are still in the store and not damaged."""
    for name in names:
        try:
            version = store.open(name)
            version.out_of_fold
            yield version
        except ModelError as error:
            log.info("%s is not compared with: %s", name, error)
