"""Stores of the earlier layout are brought up to date in their place."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from titanic_ml.errors import ModelError, ModelRefused, StoreUnusable
from titanic_ml.registry.convert import convert
from titanic_ml.registry.store import ModelStore


@pytest.fixture
def earlier(folder, save) -> tuple[ModelStore, list[str]]:
    """A store as version 0.1 wrote it, with three versions and a rollback."""
    names = [save(folder) for _ in range(3)]
    root = Path(folder.uri)
    for name in names:
        path = root / name / "manifest.json"
        values = json.loads(path.read_text())
        for key in ("digest", "signature", "who"):
            del values[key]
        path.write_text(json.dumps(values, indent=2))
    moves = [(names[0], "the first champion"), (names[1], "forced"), (names[0], "rollback")]
    entries = [
        {"version": version, "time": "2026-01-01T00:00:00+00:00", "who": "ada", "why": why}
        for version, why in moves
    ]
    for alias, history in (("champion", entries), ("latest", entries[:1])):
        text = json.dumps({"version": history[-1]["version"], "history": history}, indent=2)
        (root / f"{alias}.json").write_text(text)
    return folder, names


def test_before_it_is_converted_it_is_refused_with_the_way_out(earlier, save):
    store, names = earlier
    for call in (store.check_ready, lambda: store.open("champion")):
        with pytest.raises(StoreUnusable, match=r"earlier layout \(champion.json\); `models conv"):
            call()
    with pytest.raises(ModelRefused, match="lacks its digest, as in an earlier layout: `models c"):
        store.open(names[0])


@pytest.mark.parametrize("key", [None, "a key"])
def test_versions_and_history_are_taken_over(earlier, key):
    store, names = earlier
    store = ModelStore(store.uri, key)
    assert convert(store) == [*names, "champion.json", "latest.json"]
    assert [version.name for version in store.versions()] == names[::-1]
    assert store.open("champion").name == names[0]
    assert store.open(names[0]).manifest.who == "unknown"
    history = store.champion.history()
    assert [entry.version for entry in history] == [names[0], names[1], names[0]]
    assert [entry.action for entry in history] == ["promote", "promote", "rollback"]
    assert {entry.who for entry in history} == {"ada"}
    assert not list(Path(store.uri).glob("*.json"))
    store.check_ready()
    assert store.verify().faults == [] and convert(store) == []


def test_it_may_be_interrupted_anywhere_and_run_again(earlier, monkeypatch):
    store, names = earlier
    for last in range(1, 12):
        steps = []

        def step(objects, *words, last=last, steps=steps, method=None):
            steps.append(words)
            if len(steps) == last:
                raise KeyboardInterrupt
            return method(objects, *words)

        for name in ("create", "replace", "delete"):
            method = getattr(type(store.objects), name)
            monkeypatch.setattr(
                type(store.objects),
                name,
                lambda objects, *words, method=method: step(objects, *words, method=method),
            )
        try:
            convert(store)
        except KeyboardInterrupt:
            pass
        monkeypatch.undo()
    convert(store)
    assert [entry.number for entry in store.champion.history()] == [1, 2, 3]
    assert store.verify().faults == [] and len(store.names()) == 3


def test_a_damaged_version_is_not_taken_over(earlier):
    store, names = earlier
    store.objects.replace(f"{names[1]}/model.joblib", b"")
    with pytest.raises(ModelRefused, match=f"{names[1]}/model.joblib: not the file that was saved"):
        convert(store)
    store.objects.replace(f"{names[1]}/manifest.json", b"{")
    with pytest.raises(ModelRefused, match=f"{names[1]}/manifest.json: damaged: .*delete"):
        convert(store)
    assert (Path(store.uri) / "champion.json").exists()


@pytest.mark.parametrize("damage", ["{", "[]", '{"history": 7}', '{"history": [{}]}'])
def test_a_damaged_history_is_named(earlier, damage):
    store, _ = earlier
    (Path(store.uri) / "champion.json").write_text(damage)
    with pytest.raises(ModelRefused, match="champion.json: damaged: .*; restore it or remove it"):
        convert(store)


def test_a_champion_that_was_moved_since_is_not_overwritten(earlier):
    store, names = earlier
    store.champion.point(names[2], "forced")
    with pytest.raises(ModelError, match="champion.json: the champion was moved since; remove"):
        convert(store)
    assert store.champion.version == names[2]


def test_a_new_key_signs_what_is_there_and_is_the_only_one_then(folder, save):
    name = save(folder)
    first, second = (ModelStore(folder.uri, key) for key in ("first", "second"))
    assert convert(first) == [name] and convert(first) == []
    assert convert(folder) == []  # without a key a signature stays
    first.open(name).check()
    assert convert(second) == [name]
    second.open(name).check()
    with pytest.raises(ModelRefused, match="its signature is not by store.signing_key"):
        first.open(name)
