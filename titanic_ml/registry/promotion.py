"""The gate: a version becomes the champion if it is not worse on rows that neither had seen."""

from __future__ import annotations

import io

import pandas as pd

from titanic_ml.errors import PromotionRefused
from titanic_ml.evaluation.gate import compare_out_of_fold
from titanic_ml.registry.store import ModelStore


def promote(store: ModelStore, version: str, margin: float, force: bool) -> str:
    """Make a version the champion unless its log loss is worse by more than the margin.

    Returns why. Raises `PromotionRefused`, and then the champion stays.
    """
    alias = store.alias("champion")
    champion = alias.version
    if force:
        why = "forced"
    elif champion in (None, version):
        why = "the first champion" if champion is None else "it was the champion already"
    else:
        why = _gate(store, version, champion, margin)
    alias.point(version, why)
    return why


def out_of_fold(store: ModelStore, model: str) -> pd.DataFrame:
    """Row hashes, truth and out-of-fold probabilities of a version. Raises as `load` does."""
    return pd.read_parquet(io.BytesIO(store.read(model, "out_of_fold.parquet")))


def _gate(store: ModelStore, version: str, champion: str, margin: float) -> str:
    tables = (out_of_fold(store, name) for name in (version, champion))
    rows, ours, theirs = compare_out_of_fold(*tables)
    words = f"log loss {ours:.4f} against the champion's {theirs:.4f} on {rows} rows"
    if not rows:
        raise PromotionRefused(f"no rows in common with {champion}; --force promotes all the same")
    if ours > theirs + margin:
        raise PromotionRefused(f"{words}, worse by more than {margin:g}")
    return f"{words}, margin {margin:g}"
