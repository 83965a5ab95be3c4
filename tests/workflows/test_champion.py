"""Promotion, rollback and comparison of versions."""

from __future__ import annotations

import pandas as pd
import pytest

from titanic_ml import TitanicPipeline
from titanic_ml.errors import (
    ModelNotFound,
    PromotionRefused,
)


def test_the_first_version_becomes_the_champion(trained):
    history = TitanicPipeline(f"store.uri={trained}").store.champion.history()
    assert [entry.why for entry in history] == ["the first champion"]


@pytest.fixture
def out_of_fold(pipeline) -> pd.DataFrame:
    """The out-of-fold table of the champion."""
    return pipeline.store.open("champion").out_of_fold.copy()


def test_a_better_version_becomes_the_champion(pipeline, add_version, out_of_fold):
    better = 0.9 * out_of_fold["repeat_1"] + 0.1 * out_of_fold["y"]
    version = add_version(out_of_fold.assign(repeat_1=better))
    why = pipeline.models.promote()
    assert "against the champion's" in why and "on 891 rows" in why
    assert pipeline.store.champion.version == version.name
    assert pipeline.store.champion.history()[-1].why == why


@pytest.mark.usefixtures("unmeasured", "undrawn")
def test_a_version_that_is_worse_is_kept_but_not_promoted(pipeline, quick, passengers):
    champion = pipeline.store.champion.version
    words = f"store.uri={pipeline.store.uri}", *quick
    training = TitanicPipeline(*words, "estimator=majority").train(passengers.head(300))
    assert not training.promoted
    assert "which is more than the margin of 0.005" in training.why
    assert f"{training.version} did not become the champion: {training.why}" in repr(training)
    assert pipeline.store.champion.version == champion
    assert pipeline.store.latest == training.version
    assert training.version in pipeline.store.names()
    with pytest.raises(PromotionRefused, match="more than the margin"):
        pipeline.models.promote("latest")


def test_a_version_that_is_worse_within_the_margin_becomes_the_champion(pipeline, worse):
    loose = TitanicPipeline(f"store.uri={pipeline.store.uri}", "promotion.margin=10")
    assert "margin of 10" in loose.models.promote(worse.name)
    assert pipeline.store.champion.version == worse.name


def test_an_equal_version_becomes_the_champion_without_any_margin(pipeline, add_version):
    equal = add_version()
    strict = TitanicPipeline(f"store.uri={pipeline.store.uri}", "promotion.margin=0")
    strict.models.promote()
    assert pipeline.store.champion.version == equal.name


def test_versions_without_a_row_in_common_are_not_compared(pipeline, add_version, out_of_fold):
    add_version(out_of_fold.assign(row=out_of_fold["row"] ^ 1, id=out_of_fold["id"] + 5000))
    with pytest.raises(PromotionRefused, match="no rows in common with .*--force"):
        pipeline.models.promote()


def test_versions_are_compared_on_the_rows_in_common_alone(pipeline, add_version, out_of_fold):
    rest = out_of_fold.iloc[600:].assign(repeat_1=0.5)  # of others
    add_version(
        pd.concat([out_of_fold.iloc[:600], rest.assign(row=rest["row"] ^ 1, id=rest["id"] + 5000)])
    )
    assert "on 600 rows" in pipeline.models.promote()


def test_force_skips_the_gate_and_the_history_says_so(pipeline, worse):
    assert pipeline.models.promote(worse.name, force=True) == "forced"
    entry = pipeline.store.champion.history()[-1]
    assert (entry.version, entry.why) == (worse.name, "forced")


def test_the_champion_may_be_promoted_again(pipeline):
    assert pipeline.models.promote("champion") == "it was the champion already"


def test_what_is_not_there_is_not_promoted(pipeline):
    before = pipeline.store.champion.history()
    for force in (False, True):
        with pytest.raises(ModelNotFound):
            pipeline.models.promote("nope", force)
    assert pipeline.store.champion.history() == before
