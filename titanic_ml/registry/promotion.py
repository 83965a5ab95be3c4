"""The gate: a version becomes the champion if it is not worse on rows that neither had seen."""

from __future__ import annotations

from titanic_ml.errors import PromotionRefused
from titanic_ml.evaluation.gate import compare_out_of_fold
from titanic_ml.registry.store import ModelStore
from titanic_ml.registry.version import ModelVersion


def promote(store: ModelStore, version: ModelVersion, margin: float, force: bool) -> str:
    """Make a version the champion unless its log loss is worse by more than the margin.

    Returns why. Raises `PromotionRefused`, and then the champion stays.
    """
    alias = store.champion
    champion = alias.version
    if force:
        why = "forced"
    elif champion is None:
        why = "the first champion"
    elif champion == version.name:
        why = "it was the champion already"
    else:
        why = _gate(version, store.open(champion), margin)
    alias.point(version.name, why)
    return why


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
