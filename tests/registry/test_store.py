"""Model versions: whole or absent, checked before they are loaded."""

from __future__ import annotations

import re
import shutil
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from titanic_ml.errors import ModelError, ModelNotFound, ModelRefused
from titanic_ml.registry import store as model_store
from titanic_ml.registry.store import ModelStore

FILES = ["model.joblib", "out_of_fold.parquet"]


def contents(folder: Path) -> dict[str, bytes]:
    """Every file under a folder with its bytes."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def test_saving_makes_the_folder_and_points_latest_at_the_version(new, save):
    name = save(new)
    assert re.fullmatch(r"\d{8}T\d{6}\.\d{3}Z-[0-9a-f]{6}", name)
    assert new.names() == [name]
    assert new.latest.version == name
    assert new.champion.version is None


def test_a_version_can_be_read_by_others(new, save):
    folder = Path(new.uri) / save(new)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o755


def test_the_parent_is_the_champion_of_the_time(new, save):
    first = save(new)
    assert new.open(first).manifest.parent is None
    new.champion.point(first, "forced")
    assert new.open(save(new)).manifest.parent == first


@pytest.fixture
def stopped_clock(monkeypatch) -> None:
    """It is always the same moment."""

    class Clock(datetime):
        @classmethod
        def now(cls, tz=None):
            return cls(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

    monkeypatch.setattr(model_store, "datetime", Clock)


def test_versions_of_the_same_moment_are_all_kept(new, stopped_clock, save):
    names = [save(new) for _ in range(3)]
    assert len(set(names)) == 3
    assert new.names() == sorted(names, reverse=True)
    assert [new.open(name).name for name in names] == names
    assert new.latest.version == names[-1]


def test_the_newest_version_is_first(new, save):
    names = ["20260102T000000Z-aaaaaa", "20260101T000000Z-bbbbbb", save(new)]
    for name in names[:2]:
        shutil.copytree(Path(new.uri) / names[2], Path(new.uri) / name)
    assert new.names() == sorted(names, reverse=True)


@pytest.mark.parametrize("failing", [*FILES, "manifest.json"])
def test_a_save_that_fails_midway_leaves_the_store_as_it_was(store, monkeypatch, failing, save):
    writer = ModelStore(str(store))
    before = contents(store)
    write_file = model_store.write_file

    def write(path, data):
        if path.name == failing:
            raise OSError(28, "No space left on device")
        write_file(path, data)

    monkeypatch.setattr(model_store, "write_file", write)
    with pytest.raises(ModelError, match="models can't be written: .*No space left"):
        save(writer)
    assert contents(store) == before


def test_a_save_that_is_killed_midway_leaves_only_hidden_litter(new, monkeypatch, save):
    save(new)
    before = new.names()
    monkeypatch.setattr(model_store.shutil, "rmtree", lambda *_, **__: None)
    monkeypatch.setattr(Path, "rename", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        save(new)
    monkeypatch.undo()
    litter = [path for path in Path(new.uri).iterdir() if path.name.startswith(".incoming-")]
    assert (litter[0] / "manifest.json").exists()
    assert new.names() == before
    assert [version.name for version in new.versions()] == before


def test_a_store_that_is_a_file_is_told(tmp_path, save):
    (tmp_path / "models").touch()
    with pytest.raises(ModelError, match="models can't be written: "):
        save(ModelStore(str(tmp_path / "models")))


def test_an_empty_store_says_how_to_train(new):
    for name in ("champion", "latest", "20260101T000000Z-aaaaaa"):
        with pytest.raises(ModelNotFound, match=r"models \(store.uri\) holds no model; train one"):
            new.open(name)
    assert new.names() == new.versions() == []
    assert not Path(new.uri).exists()


@pytest.mark.parametrize("name", ["nope", "", ".", "..", "../models", "*", "/", "champion.json"])
def test_an_unknown_name_is_told_what_there_is(store, name):
    known = ModelStore(str(store))
    with pytest.raises(ModelNotFound) as caught:
        known.open(name)
    there = f"expected one of champion, latest, {known.names()[0]}"
    assert str(caught.value) == f"no model {name} in {store}, {there}"


def test_a_version_outside_the_store_is_not_found(store, tmp_path):
    name = ModelStore(str(store)).names()[0]
    shutil.copytree(store / name, tmp_path / "outside")
    for path in ("../outside", str(tmp_path / "outside"), f"{name}/../{name}"):
        with pytest.raises(ModelNotFound):
            ModelStore(str(store)).open(path)


def test_a_champion_that_was_deleted_is_not_offered(new, save):
    name = save(new)
    new.champion.point("gone", "forced")
    with pytest.raises(ModelNotFound) as caught:
        new.open("champion")
    assert str(caught.value).endswith(f"expected one of latest, {name}")


def test_documents_are_made_with_the_name_that_the_version_gets(new, stopped_clock, save):
    names = [save(new, documents=lambda o: {"card.md": o.version.encode()}) for _ in range(2)]
    assert names[1] == f"{names[0]}-2"
    for name in names:
        assert new.open(name).read("card.md").decode() == name
    with pytest.raises(ModelRefused, match="other.md: missing"):
        new.open(names[0]).read("other.md")


def test_what_cannot_be_removed_is_still_there(new, save, monkeypatch):
    name = save(new)

    def refuse(*_: object) -> None:
        raise OSError(13, "Permission denied")

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(ModelError, match=f"{name}: can't be removed: Permission denied"):
        new.delete("latest")
    assert new.names() == [name]
    assert not [path for path in new.root.iterdir() if path.name.startswith(".leaving-")]
