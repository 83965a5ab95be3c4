"""The gate: a version becomes the champion if it is not worse on rows that neither had seen."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator

from titanic_ml.errors import ModelError, PromotionRefused
from titanic_ml.evaluation.gate import PairedComparison, compare_out_of_fold
from titanic_ml.evaluation.result import difference
from titanic_ml.registry.aliases import FORCE, ROLLBACK, Entry
from titanic_ml.registry.store import ModelStore
from titanic_ml.registry.version import ModelVersion

log = logging.getLogger(__name__)
SHARED = 0.5  # share of a version's rows that an earlier champion must share to be compared with


def promote(
    store: ModelStore, version: ModelVersion, margin: float, force: bool, note: str = ""
) -> str:
    """Make a version the champion unless its log loss is worse by more than the margin.

    It is compared with the champion and with the best version that was ever promoted and shares
    its rows, so that a chain of promotions, each worse by less than the margin, does not make the
    champion worse and worse. Retry if the champion changed concurrently.

    Parameters
    ----------
    store : the store of the version
    version : the version to promote
    margin : largest difference in log loss
    force : skip the comparison; later versions are then compared from this one on
    note : addition to the history

    Returns
    -------
    Why it was promoted, with the note if there is one.

    Raises
    ------
    PromotionRefused
        It is worse, or shares no rows with the champion. The champion stays.
    """
    while True:
        last = store.champion.last()
        why = _reason(store, version, last, margin, force)
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
    store: ModelStore, version: ModelVersion, last: Entry | None, margin: float, force: bool
) -> str:
    if force:
        return "forced"
    if last is None:
        return "the first champion"
    if last.version == version.name:
        return "it was the champion already"
    champion = store.open(last.version)
    names = [name for name in reference_names(store.champion.history()) if name != champion.name]
    found = compare_out_of_fold(champion.out_of_fold, version.out_of_fold)
    if not found.rows:
        raise PromotionRefused(
            f"no rows in common with {champion.name}; --force promotes all the same"
        )
    reasons = [_judge(found, "the champion's", margin)]
    for name, other in _best(version, found, _readable(store, names)).items():
        reasons.append(_judge(other, f"that of {name}, the best so far,", margin))
    return "; ".join(reasons)


def _judge(found: PairedComparison, whose: str, margin: float) -> str:
    """Describe a comparison. Raises `PromotionRefused` if the second is worse by the margin."""
    assert found.gain is not None
    words = (
        f"log loss {found.theirs:.4f} against {whose} {found.ours:.4f} on {found.rows} rows, "
        f"{difference(found.gain, digits=4)}"
    )
    if found.theirs > found.ours + margin:
        raise PromotionRefused(f"{words}, which is more than the margin of {margin:g}")
    return f"{words}, margin {margin:g}"


def _best(
    version: ModelVersion, champion: PairedComparison, earlier: Iterable[ModelVersion]
) -> dict[str, PairedComparison]:
    """Find the earlier champion with the largest lead, if larger than the champion's."""
    best: dict[str, PairedComparison] = {}
    least = champion.gain.value if champion.gain else 0.0
    for one in earlier:
        found = compare_out_of_fold(one.out_of_fold, version.out_of_fold)
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
