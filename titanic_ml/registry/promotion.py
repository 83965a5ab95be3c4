"""The gate: a version becomes the champion if it is not worse on rows that neither had seen."""

from __future__ import annotations

from titanic_ml.errors import PromotionRefused
from titanic_ml.evaluation.gate import compare_out_of_fold
from titanic_ml.registry.aliases import Entry
from titanic_ml.registry.store import ModelStore
from titanic_ml.registry.version import ModelVersion


def promote(
    store: ModelStore, version: ModelVersion, margin: float, force: bool, note: str = ""
) -> str:
    """Make a version the champion unless its log loss is worse by more than the margin.

    Who finds that another became the champion meanwhile compares again, with that one.

    Returns why, with the note if there is one. Raises `PromotionRefused`, and then the champion
    stays.
    """
    while True:
        last = store.champion.last()
        why = _reason(store, version, last, margin, force)
        if note:
            why += f": {note}"
        if store.crown(last, version, why):
            return why


def _reason(
    store: ModelStore, version: ModelVersion, last: Entry | None, margin: float, force: bool
) -> str:
    if force:
        return "forced"
    if last is None:
        return "the first champion"
    if last.version == version.name:
        return "it was the champion already"
    return _gate(version, store.open(last.version), margin)


def _gate(version: ModelVersion, champion: ModelVersion, margin: float) -> str:
    rows, ours, theirs = compare_out_of_fold(version.out_of_fold, champion.out_of_fold)
    if not rows:
        raise PromotionRefused(
            f"no rows in common with {champion.name}; --force promotes all the same"
        )
    words = f"log loss {ours:.4f} against the champion's {theirs:.4f} on {rows} rows"
    if ours > theirs + margin:
        raise PromotionRefused(f"{words}, worse by more than {margin:g}")
    return f"{words}, margin {margin:g}"
