"""The features of known rows are what they were: tests/known/matrices.py renews them."""

from __future__ import annotations

import runpy
from pathlib import Path

import pandas as pd
import pytest

KNOWN = Path(__file__).parents[1] / "known"


@pytest.fixture(scope="module")
def matrices():
    return runpy.run_path(str(KNOWN / "matrices.py"))


@pytest.mark.parametrize("table", ["train", "test", "made"])
def test_features_are_what_they_were(matrices, table):
    known = pd.read_parquet(matrices["FEATURES"])
    rows = known["table"] == table
    assert rows.sum() == {"train": 891, "test": 418, "made": 5000}[table]
    found = matrices["features"]()[rows]
    pd.testing.assert_frame_equal(found, known[rows], rtol=0, atol=1e-12)


def test_the_made_up_passengers_have_what_known_ones_have_and_more(matrices):
    known = pd.read_parquet(matrices["FEATURES"])
    features = known[known["table"] == "made"].drop(columns="table")
    words = features.select_dtypes(exclude="number")
    assert words.nunique().to_dict() == {
        **{"sex": 2, "pclass": 3, "embarked": 4, "title": 5, "sex_pclass": 6, "deck": 9}
    }
    outcomes = [name for name in features if name.endswith(("_men", "_women"))]
    assert ((features[outcomes] > 0).any() & (features[outcomes] < 0).any()).all()
    assert (features[outcomes] != 0).mean().min() > 0.05
