"""ObjectStore: the same in a folder, in memory and in a bucket of a real server."""

from __future__ import annotations

import os
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from titanic_ml.errors import SettingsError, StoreUnusable
from titanic_ml.storage.object_store import ObjectStore


@pytest.fixture(params=["folder", "memory", pytest.param("bucket", marks=pytest.mark.system)])
def objects(request, tmp_path) -> ObjectStore:
    """An empty place of each kind."""
    uris = {"folder": str(tmp_path / "deep" / "a b"), "memory": f"memory:///{uuid.uuid4().hex}"}
    if request.param == "bucket":
        return ObjectStore(request.getfixturevalue("bucket")("deep/prefix"))
    return ObjectStore(uris[request.param])


def test_what_is_created_is_read_and_never_overwritten(objects):
    assert objects.read("a/b") is None and objects.names() == {} and objects.folders() == []
    assert objects.create("a/b", b"one") is True
    assert objects.create("a/b", b"two") is False
    assert objects.read("a/b") == b"one"
    objects.replace("a/b", b"three")
    assert objects.read("a/b") == b"three"
    assert objects.read("a") is None and objects.read("a/b/c") is None


def test_one_of_many_creators_succeeds(objects):
    with ThreadPoolExecutor(16) as threads:
        done = list(threads.map(lambda n: objects.create("a/b", b"%d" % n), range(16)))
    assert done.count(True) == 1
    assert objects.read("a/b") == b"%d" % done.index(True)


def test_names_are_those_under_a_folder_in_order(objects):
    for name in ("b/2", "b/1", "b/deep/3", "bb/4", "c"):
        objects.create(name, b"")
    assert list(objects.names()) == ["b/1", "b/2", "b/deep/3", "bb/4", "c"]
    assert list(objects.names("b")) == ["b/1", "b/2", "b/deep/3"]
    assert objects.folders() == ["b", "bb"]
    now = datetime.now(UTC)
    assert all(abs(now - time) < timedelta(minutes=1) for time in objects.names().values())


def test_several_are_written_and_read_at_the_same_time_in_their_order(objects):
    written = {f"a/{number}": b"%d" % number for number in range(40)}
    objects.write_all(written)
    names = [*reversed(written), "a/none"]
    assert objects.read_all(names) == [*reversed(written.values()), None]
    assert objects.read_all([]) == []
    objects.write_all({})


def test_what_is_not_there_is_deleted_without_a_word(objects):
    objects.create("a/b", b"")
    objects.delete(["a/b", "a/c"])
    assert objects.names() == {}


def test_an_address_is_where_people_look(tmp_path):
    assert ObjectStore("models").address("a/b") == str(Path("models") / "a" / "b")
    assert ObjectStore("s3://bucket/x/").address("a/b") == "s3://bucket/x/a/b"
    assert ObjectStore("~/models").folder == Path.home() / "models"


@pytest.mark.parametrize("uri", ["", "ftp://x/y", "http://x/y", "s3:///", "gs://", "file:///x"])
def test_an_address_of_no_known_kind_is_refused(uri):
    with pytest.raises(SettingsError, match="is of no known kind, expected a folder, s3://"):
        ObjectStore(uri)


def test_a_bucket_that_cannot_be_reached_is_reported_in_a_sentence(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    away = ObjectStore(f"s3://{uuid.uuid4().hex}/models")
    told = f"the store {away.uri} can't be"
    for call, action in (
        (lambda: away.read("a"), "read"),
        (away.names, "read"),
        (away.folders, "read"),
        (lambda: away.create("a", b""), "written"),
        (away.check_writable, "written"),
    ):
        with pytest.raises(StoreUnusable) as caught:
            call()
        assert str(caught.value) == f"{told} {action}: no answer from http://127.0.0.1:9"


def test_a_wrong_secret_is_reported_in_a_sentence(bucket, monkeypatch):
    uri = bucket("models")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    with pytest.raises(StoreUnusable, match=r"http://\S+ says SignatureDoesNotMatch: .*SECRET"):
        ObjectStore(uri).create("a", b"")


def test_a_full_disk_is_reported_in_a_sentence(tmp_path, monkeypatch):
    objects = ObjectStore(str(tmp_path))

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreUnusable, match=f"^the store {tmp_path} can't be written: No space"):
        objects.create("a", b"")
