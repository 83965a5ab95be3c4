"""Model versions: whole or absent, in the order in which they came, and never half deleted."""

from __future__ import annotations

import os
import re
import shutil
import stat
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from titanic_ml.errors import (
    ModelError,
    ModelNotFound,
    ModelRefused,
    SettingsError,
    StoreUnusable,
)
from titanic_ml.registry import store as model_store
from titanic_ml.registry.store import ModelStore
from titanic_ml.storage.object_store import ObjectStore

FILES = ["model.joblib", "out_of_fold.parquet"]
NOW = timedelta(0)


def contents(folder: Path) -> dict[str, bytes]:
    """Every file under a folder with its bytes."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def test_a_version_that_was_saved_is_the_latest(new, save):
    assert new.latest is None
    name = save(new)
    assert re.fullmatch(r"\d{8}T\d{6}\.\d{3}Z-[0-9a-f]{6}", name)
    assert new.names() == [name] and new.latest == name
    assert [version.name for version in new.versions()] == [name]
    assert new.open("latest") == new.open(name) and new.holds(name)
    assert new.champion.version is None


@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o755), (0o027, 0o750), (0o077, 0o700)])
def test_the_umask_decides_the_mode_of_a_version(folder, save, mask, mode):
    before = os.umask(mask)
    try:
        name = save(folder)
        folder.champion.point(name, "forced")
    finally:
        os.umask(before)
    modes = {stat.S_IMODE(path.stat().st_mode) for path in Path(folder.uri).rglob("*")}
    assert modes == {mode, mode & 0o666}


def test_the_parent_is_the_champion_of_the_time(new, save):
    first = save(new)
    assert new.open(first).manifest.parent is None
    new.champion.point(first, "forced")
    assert new.open(save(new)).manifest.parent == first


@pytest.fixture
def clock(monkeypatch) -> list[datetime]:
    """Current time: always the first of these."""
    times = [datetime(2026, 1, 2, 3, 4, 5, 678_900, tzinfo=UTC)]

    class Clock(datetime):
        @classmethod
        def now(cls, tz=None):
            return times[0]

    monkeypatch.setattr(model_store, "datetime", Clock)
    return times


def test_versions_of_the_same_moment_are_all_kept_in_their_order(new, clock, save):
    names = [save(new) for _ in range(3)]
    assert [name[:20] for name in names] == [f"20260102T030405.{ms}Z" for ms in (678, 679, 680)]
    assert new.names() == names[::-1] and new.latest == names[-1]
    assert {new.open(name).manifest.time for name in names} == {"2026-01-02T03:04:05.678+00:00"}


def test_the_newest_version_is_the_last_that_came_also_when_the_clock_goes_back(new, clock, save):
    first = save(new)
    clock[0] -= timedelta(days=400)
    second = save(new)
    assert new.latest == second and new.names() == [second, first]
    assert second.startswith("20260102T030405.679Z")


def test_a_name_that_another_took_is_left_to_it(new, save, monkeypatch):
    other = save(new)
    names = iter([other, "20990101T000000.000Z-aaaaaa"])
    monkeypatch.setattr(model_store, "_name_after", lambda *_: next(names))
    before = new.open(other)
    assert save(new, "another model") == "20990101T000000.000Z-aaaaaa"
    assert new.open(other) == before and before.model == "a model"
    monkeypatch.setattr(model_store, "_name_after", lambda *_: other)
    with pytest.raises(ModelError, match="took a hundred names of versions; try again"):
        save(new)


def test_a_manifest_whose_first_answer_was_lost_is_kept(folder, save, monkeypatch):
    """The client tries again, and finds what it wrote."""
    create = ObjectStore.create

    def twice(objects, name, data):
        first = create(objects, name, data)
        return create(objects, name, data) if name.endswith("manifest.json") else first

    monkeypatch.setattr(ObjectStore, "create", twice)
    assert folder.open(save(folder)).faults() == []


@pytest.mark.parametrize("failing", [*FILES, "manifest.json"])
def test_a_save_that_fails_midway_leaves_the_store_as_it_was(store, monkeypatch, failing, save):
    writer = ModelStore(str(store))
    before = contents(store)
    fill = {name: getattr(ObjectStore, name) for name in ("create", "replace")}

    def write(method: str):
        def filled(objects, name, data):
            if name.endswith(failing):
                with objects._translate_errors("written"):
                    raise OSError(28, "No space left on device")
            return fill[method](objects, name, data)

        return filled

    for method in fill:
        monkeypatch.setattr(ObjectStore, method, write(method))
    with pytest.raises(ModelError, match="models can't be written: .*No space left"):
        save(writer)
    assert contents(store) == before


def test_what_a_killed_writer_left_is_no_version_and_is_swept_when_it_is_old(
    new, monkeypatch, save
):
    name = save(new)
    new.champion.point(name, "forced")
    monkeypatch.setattr(ModelStore, "_take_back", lambda *_: None)
    create = ObjectStore.create

    def killed(objects, name, data):
        if name.endswith("manifest.json"):
            raise KeyboardInterrupt
        return create(objects, name, data)

    monkeypatch.setattr(ObjectStore, "create", killed)
    with pytest.raises(KeyboardInterrupt):
        save(new)
    monkeypatch.undo()
    (half,) = set(new.objects.folders()) - {name, "aliases"}
    assert new.names() == [name] == [version.name for version in new.versions()]
    assert new.latest == name
    with pytest.raises(ModelNotFound):
        new.open(half)
    assert new.verify().to_dict() == {"versions": 1, "faults": [], "swept": []}  # it is young
    time.sleep(1.1)  # a bucket tells whole seconds
    found = new.verify(NOW)
    assert found.swept == [half] and not found.faults
    assert str(found).splitlines() == [
        f"{half}: left by a killed writer, removed",
        "1 versions read: all as they were saved",
    ]
    assert not [path for path in new.objects.names() if path.startswith(half)]
    assert new.verify(NOW).swept == []


def test_what_a_killed_writer_left_on_disk_is_swept_and_what_is_not_ours_stays(folder, save):
    name, root = save(folder), Path(folder.uri)
    folder.champion.point(name, "forced")
    litter = [f"{name}/report.html#1", "aliases/champion/000002.json#12", ".incoming-abc/x"]
    litter += [".leaving-abc/20260101T000000.000Z-aaaaaa/model.joblib", ".probe/0123456789abcdef#1"]
    litter += ["20260101T000000.000Z-bbbbbb/model.joblib", "20260101T000000.000Z-cccccc/a#1"]
    kept = ["README.md", "notes/about.txt", ".git/config", "20260101/model.joblib", "a#b", "c#1"]
    kept += ["notes/draft#1"]
    for path in (*litter, *kept):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text("x")
    assert folder.verify().swept == []
    old = time.time() - 90_000
    for path in root.rglob("*"):
        os.utime(path, (old, old))
    swept = folder.verify().swept
    assert {path.split("/")[0] for path in swept} == {path.split("/")[0] for path in litter}
    left = {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}
    assert left == {*kept, "aliases/champion/000001.json"} | {
        f"{name}/{path.name}" for path in (root / name).iterdir()
    }
    assert not list(root.glob(".incoming-*")) and not list(root.glob("*-cccccc"))


def test_verify_names_all_that_is_damaged(new, save):
    first, second, third = (save(new) for _ in range(3))
    new.champion.point(first, "forced")
    new.objects.replace(f"{first}/model.joblib", b"")
    new.objects.delete([f"{first}/background.parquet"])
    new.objects.replace(f"{second}/manifest.json", b"{}")
    new.objects.replace("aliases/champion/000002.json", b"{}")
    found = new.verify()
    assert found.versions == 3
    for words in (
        f"{first}/model.joblib: not the file that was saved",
        f"{first}/background.parquet: missing",
        f"{second}/manifest.json: damaged: it lacks its digest",
        "000002.json: damaged",
    ):
        assert len([fault for fault in found.faults if words in fault]) == 1, words
    assert len(found.faults) == 4 and third not in str(found)
    assert str(found).endswith("3 versions read: 4 faults")


def test_without_write_access_the_rest_is_reported(folder, save, monkeypatch):
    name = save(folder)
    folder.objects.replace(f"{name}/model.joblib", b"")
    (folder.objects.folder / "20260101T000000.000Z-abcdef").mkdir()

    def refuse(path: Path, *_: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(shutil, "rmtree", refuse)
    found = folder.verify(NOW)
    assert found.swept == [] and len(found.faults) == 2
    assert re.search("can't be written: .*-abcdef: Permission denied", found.faults[1])


def test_verify_reports_a_champion_that_is_not_there(new, save):
    save(new)
    new.champion.point("gone", "forced")
    assert new.verify().faults == ["the champion gone is not in the store; promote another"]


@pytest.mark.parametrize("place", ["file", "dangling link", "read-only", "below a file"])
def test_a_store_that_cannot_be_written_is_reported_in_a_sentence(
    tmp_path, save, monkeypatch, place
):
    path = tmp_path / "models"
    if place == "dangling link":
        path.symlink_to(tmp_path / "none")
    elif place == "read-only":  # root may write anywhere but here
        path = Path("/proc/models")
    else:
        path.touch()
        path = path / "deep" if place == "below a file" else path
    for call in (save, ModelStore.check_ready):
        with pytest.raises(StoreUnusable, match=rf"^the store {path} can't be written: [^\n]+$"):
            call(ModelStore(str(path)))


def test_a_store_that_is_ready_is_as_it_was(new, save):
    new.check_ready()
    assert not new.objects.names()
    save(new)
    before = new.objects.names()
    new.check_ready()
    assert new.objects.names() == before


def test_checking_a_folder_that_is_not_there_leaves_none(folder, tmp_path):
    folder.check_ready()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("uri", ["ftp://host/models", "s3a://bucket/x", "s3://", "", "gcs://b"])
def test_an_address_of_no_known_kind_is_refused_at_once(uri):
    with pytest.raises(SettingsError, match="is of no known kind, expected a folder, s3://"):
        ModelStore(uri)


def test_an_empty_store_says_how_to_train(new):
    for name in ("champion", "latest", "20260101T000000Z-aaaaaa"):
        with pytest.raises(ModelNotFound, match=r"models|memory.* \(store.uri\) holds no model"):
            new.open(name)
    assert new.names() == new.versions() == []
    assert new.uri.startswith(("s3:", "memory:")) or not Path(new.uri).exists()


@pytest.mark.parametrize("name", ["nope", "", ".", "..", "../models", "*", "/", "aliases"])
def test_an_unknown_name_reports_what_there_is(store, name):
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


def test_a_champion_that_is_gone_is_not_offered(new, save):
    name = save(new)
    new.champion.point("gone", "forced")
    with pytest.raises(ModelNotFound) as caught:
        new.open("champion")
    assert str(caught.value).endswith(f"expected one of latest, {name}")


def test_documents_are_made_with_the_name_that_the_version_gets(new, save):
    name = save(new, documents=lambda o: {"card.md": o.version.encode()})
    assert new.open(name).read("card.md").decode() == name
    with pytest.raises(ModelRefused, match="other.md: missing"):
        new.open(name).read("other.md")


def test_what_is_no_version_is_none_of_ours(folder, save):
    name = save(folder)
    for other in ("notes", ".hidden", "aliases", "20260101"):
        folder.objects.replace(f"{other}/manifest.json", b"{}")
        with pytest.raises(ModelNotFound):
            folder.open(other)
    assert folder.names() == [version.name for version in folder.versions()] == [name]
    assert folder.verify(NOW).to_dict() == {"versions": 1, "faults": [], "swept": []}


def test_a_folder_that_is_named_from_here_is_another_from_elsewhere(tmp_path, save, monkeypatch):
    """A client that is kept must not write where the program was before, or a link pointed."""
    names = {}
    for place in ("a", "b"):
        (tmp_path / place).mkdir()
        monkeypatch.chdir(tmp_path / place)
        names[place] = save(ModelStore("models"))
    for place, name in names.items():
        assert ModelStore(str(tmp_path / place / "models")).names() == [name]
    link = tmp_path / "current"
    for place, name in names.items():
        link.unlink(missing_ok=True)
        link.symlink_to(tmp_path / place / "models")
        assert ModelStore(str(link)).names() == [name]


def test_a_deleted_version_is_gone_with_all_its_files(new, save):
    first, second = save(new), save(new)
    assert new.delete(first) == first
    assert new.names() == [second]
    assert not [name for name in new.objects.names() if name.startswith(first)]
    with pytest.raises(ModelNotFound):
        new.delete(first)


def test_a_damaged_version_can_be_deleted(new, save):
    first, second = save(new), save(new)
    new.objects.replace(f"{first}/manifest.json", b"{}")
    assert "manifest.json: damaged: " in str(new.versions()[1])
    new.delete(first)
    assert new.names() == [second]


def test_what_an_alias_names_is_not_deleted(new, save):
    first, second = save(new), save(new)
    new.champion.point(first, "forced")
    for name, alias in ((first, "champion"), ("champion", "champion"), (second, "latest")):
        with pytest.raises(ModelError, match=f"is the {alias}, and stays as long as it is"):
            new.delete(name)
    assert new.names() == [second, first]


def test_a_store_in_memory_is_found_again_in_the_same_process(save):
    name = save(ModelStore("memory:///found-again"))
    assert ModelStore("memory:///found-again").open("latest").model == "a model"
    assert ModelStore("memory:///another").names() == []
    assert name in repr(ModelStore("memory:///found-again").open(name))


def test_the_key_is_in_no_text_of_a_store(tmp_path):
    assert "s3cret" not in repr(ModelStore(str(tmp_path), "s3cret"))


def test_a_new_key_signs_all_versions_and_is_then_the_only_one(folder, save):
    names = [save(folder), save(folder)]
    first, second = (ModelStore(folder.uri, key) for key in ("first", "second"))
    assert first.sign() == names and first.sign() == []
    first.open(names[0]).check()
    assert second.sign() == names
    second.open(names[0]).check()
    with pytest.raises(ModelRefused, match="its signature is not by store.signing_key"):
        first.open(names[0])


@pytest.mark.parametrize(
    "file, words", [("model.joblib", "not the file that was saved"), ("manifest.json", "damaged")]
)
def test_a_damaged_version_is_not_signed(folder, save, file, words):
    name = save(folder)
    folder.objects.replace(f"{name}/{file}", b"{")
    with pytest.raises(ModelRefused, match=f"{name}/{file}: {words}"):
        ModelStore(folder.uri, "key").sign()
