"""Who answers: the alias's version, or the one before if that can't be loaded."""

from __future__ import annotations

import pytest

from titanic_ml import TitanicPipeline
from titanic_ml.errors import StoreUnusable
from titanic_ml.service.champion import Champion


@pytest.fixture
def champion(pipeline) -> Champion:
    return Champion(pipeline, "champion", seconds=0.01)


def test_a_broken_version_is_refused_and_the_one_before_goes_on(champion, pipeline, worse, store):
    champion.look()
    first = champion.version
    assert first == pipeline.store.resolve("champion") and champion.refused is None
    pipeline.models.promote(worse.name, force=True)
    kept = (store / worse.name / "model.joblib").read_bytes()
    (store / worse.name / "model.joblib").write_bytes(kept[:-9])
    champion.look()
    assert (champion.version, champion.refused) == (first, worse.name)
    assert "model.joblib" in champion.why
    assert pipeline.predict_one(row())["model_version"] == first
    pipeline.models.rollback()
    champion.look()
    assert (champion.version, champion.refused, champion.why) == (first, None, "")


def test_it_is_not_loaded_again_and_again(champion, pipeline, worse, store, monkeypatch):
    champion.look()
    pipeline.models.promote(worse.name, force=True)
    (store / worse.name / "model.joblib").write_bytes(b"")
    champion.look()
    monkeypatch.setattr(pipeline.online, "warm", None)
    champion.look()
    assert champion.refused == worse.name


def test_a_store_that_is_away_changes_nothing(champion, pipeline, monkeypatch):
    champion.look()
    first = champion.version

    def away(store, name):
        raise StoreUnusable("it is away")

    monkeypatch.setattr(type(pipeline.store), "resolve", away)
    champion.look()
    assert (champion.version, champion.refused) == (first, "champion")
    assert champion.why == "it is away"
    monkeypatch.undo()
    champion.look()
    assert champion.refused is None


def test_a_new_champion_predicts_after_the_next_look(champion, pipeline, worse):
    champion.look()
    first = champion.version
    pipeline.models.promote(worse.name, force=True)
    assert champion.version == first
    champion.look()
    assert champion.version == worse.name
    assert pipeline.predict_one(row())["model_version"] == worse.name


def test_the_first_champion_is_found_later(quick, tmp_path, worse):
    champion = Champion(TitanicPipeline(f"store.uri={tmp_path}/empty", *quick), "champion")
    champion.look()
    assert champion.version is None and champion.refused == "champion"


def test_it_polls_after_any_error(champion, monkeypatch, caplog):
    looks = []

    def look():
        looks.append(1)
        if len(looks) == 2:
            raise OSError("unheard of")

    monkeypatch.setattr(champion, "look", look)
    champion.start()
    while len(looks) < 4:
        pass
    champion.stop()
    assert "the alias champion can't be looked up" in caplog.text


def row():
    return {
        **{"PassengerId": 1, "Pclass": 3, "Name": "A, Mr. B", "Sex": "male", "SibSp": 0},
        **{"Parch": 0, "Ticket": "1", "Fare": 7.25},
    }
