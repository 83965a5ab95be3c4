"""Who answers: the alias's version, or the one before if that can't be loaded."""

from __future__ import annotations

import threading

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


def test_a_move_is_known_at_once_where_the_store_is_a_folder(champion, pipeline, worse):
    champion.look()
    assert not champion.moved
    pipeline.models.promote(worse.name, force=True)
    assert champion.moved
    champion.follow()
    assert champion.version == worse.name and not champion.moved


def test_the_first_champion_is_known_at_once(quick, tmp_path):
    pipeline = TitanicPipeline(f"store.uri={tmp_path}/empty", *quick)
    champion = Champion(pipeline, "champion")
    champion.look()
    assert champion.version is None and not champion.moved
    pipeline.store.champion.point("20260101T000000.000Z-000001", "by hand")
    assert champion.moved


@pytest.mark.parametrize("model", ["latest", "20260101T000000.000Z-000001"])
def test_what_is_no_alias_of_a_folder_is_not_asked_for(pipeline, worse, model):
    champion = Champion(pipeline, model)
    champion.look()
    pipeline.models.promote(worse.name, force=True)
    assert not champion.moved


def test_a_broken_champion_is_looked_at_once_by_those_who_ask(
    champion, pipeline, worse, store, monkeypatch
):
    champion.look()
    first = champion.version
    pipeline.models.promote(worse.name, force=True)
    (store / worse.name / "model.joblib").write_bytes(b"")
    champion.follow()
    monkeypatch.setattr(champion, "look", None)
    champion.follow()
    assert (champion.version, champion.refused, champion.moved) == (first, worse.name, False)


def test_who_asks_while_it_is_loaded_waits_for_it(champion, pipeline, worse, monkeypatch):
    champion.look()
    pipeline.models.promote(worse.name, force=True)
    loading, go_on, warm = threading.Event(), threading.Event(), pipeline.online.warm

    def slowly(name):
        loading.set()
        assert go_on.wait(30)
        return warm(name)

    monkeypatch.setattr(pipeline.online, "warm", slowly)
    found = []
    threads = [threading.Thread(target=champion.follow)]
    threads.append(threading.Thread(target=lambda: found.append((champion.follow(), one())[1])))

    def one():
        return pipeline.predict_one(row())["model_version"]

    threads[0].start()
    assert loading.wait(30) and champion.moved
    threads[1].start()
    go_on.set()
    for thread in threads:
        thread.join()
    assert found == [worse.name]


def test_it_goes_on_looking_whatever_happens(champion, monkeypatch, caplog):
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
