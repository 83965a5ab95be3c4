"""Versions that MLflow lacks are sent once and in order."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from titanic_ml.errors import SettingsError, TrackingError
from titanic_ml.integrations.tracking import Tracked, Tracking
from titanic_ml.registry.store import ModelStore


class FakeServer:
    """A server that keeps what it receives."""

    uri = "http://ann:secret@host"

    def __init__(self):
        self.calls, self.versions, self.alias = [], set(), None
        self.fails_at = None

    def _call(self, *words):
        if self.fails_at is not None and len(self.calls) >= self.fails_at:
            raise TrackingError("the server is away")
        self.calls.append(words)

    def sent(self):
        if self.fails_at == 0:
            raise TrackingError("the server is away")
        return set(self.versions)

    def champion(self):
        return self.alias

    def send(self, version):
        self._call("send", version.name)
        self.versions.add(version.name)
        return f"run of {version.name}"

    def set_champion(self, version):
        self._call("champion", version.name)
        self.alias = version.name


@pytest.fixture
def server():
    return FakeServer()


@pytest.fixture
def tracking(store, server, tmp_path) -> Tracking:
    return Tracking(ModelStore(str(store)), server, tmp_path / "scratch")


def test_all_versions_and_the_champion_are_sent_once(tracking, server, worse):
    first = tracking.store.champion.version
    sent = tracking.send()
    assert server.calls == [("send", worse.name), ("send", first), ("champion", first)]
    runs = {worse.name: f"run of {worse.name}", first: f"run of {first}"}
    assert sent == Tracked("http://***@host", runs)
    assert tracking.send() == Tracked("http://***@host") and len(server.calls) == 3
    assert repr(tracking.send()) == "http://***@host has all versions already"


def test_of_a_store_that_was_not_tracked_only_the_named_version_is_sent(tracking, server, worse):
    first = tracking.store.champion.version
    older, newer = sorted([first, worse.name])
    tracking.store.champion.point(newer, "by hand")
    assert list(tracking.send(newer).runs) == [newer]
    assert list(tracking.send().runs) == []
    assert list(tracking.send(older).runs) == [older]


def test_what_a_server_that_was_away_lacks_is_sent_later(tracking, server, worse):
    first = tracking.store.champion.version
    server.fails_at = 1
    sent = tracking.send()
    assert (list(sent.runs), sent.pending) == ([worse.name], [first])
    assert f"Not sent yet: {first}. the server is away; `track --pending` sends" in repr(sent)
    server.fails_at = 0
    assert tracking.send(first) == Tracked(sent.uri, {}, [first], "the server is away")
    assert repr(tracking.send()).startswith("the server is away; `track --pending`")
    server.fails_at = None
    assert list(tracking.send().runs) == [first]
    assert (server.versions, server.alias) == ({first, worse.name}, first)


def test_the_alias_follows_the_champion(tracking, server, worse):
    tracking.send()
    tracking.store.champion.point(worse.name, "by hand")
    assert tracking.send().runs == {}
    assert server.calls[-1] == ("champion", worse.name) and len(server.calls) == 4


def test_a_damaged_version_is_pending_and_the_others_are_sent(tracking, server, worse, store):
    (store / worse.name / "manifest.json").write_text("{}")
    sent = tracking.send()
    assert (list(sent.runs), sent.pending) == ([tracking.store.champion.version], [worse.name])
    assert "damaged" in sent.why


def test_an_interrupt_leaves_the_rest_pending(tracking, server, monkeypatch):
    def interrupted(version):
        raise KeyboardInterrupt

    monkeypatch.setattr(server, "send", interrupted)
    champion = tracking.store.champion.version
    assert tracking.send() == Tracked("http://***@host", {}, [champion], "interrupted")


def test_concurrent_programs_send_once(tracking, server, worse):
    with ThreadPoolExecutor(8) as pool:
        results = [pool.submit(tracking.send) for _ in range(8)]
        assert sum(len(result.result().runs) for result in results) == 2
    assert len(server.calls) == 3


@pytest.mark.posix
def test_a_folder_that_cannot_be_made_is_named(tracking, tmp_path):
    (tmp_path / "file").write_text("")
    blocked = Tracking(tracking.store, tracking.server, tmp_path / "file" / "scratch")
    with pytest.raises(SettingsError, match=r"scratch \(scratch\): can't be written: "):
        blocked.send()
