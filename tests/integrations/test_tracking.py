import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from titanic_ml.errors import SettingsError, TrackingError
from titanic_ml.integrations.tracking import Tracked, Tracking
from titanic_ml.registry.store import ModelStore


class Told:
    """A server that writes down what it is told."""

    uri, name = "http://ann:secret@host", "titanic"

    def __init__(self):
        self.calls = []
        self.fails_at = None

    def _call(self, *words):
        if self.fails_at is not None and len(self.calls) >= self.fails_at:
            raise TrackingError("the server is away")
        self.calls.append(words)

    def send(self, version):
        self._call("send", version.name)
        return f"run of {version.name}"

    def crown(self, version):
        self._call("crown", version.name)


@pytest.fixture
def server():
    return Told()


@pytest.fixture
def tracking(store, server, tmp_path) -> Tracking:
    return Tracking(ModelStore(str(store)), server, tmp_path / "queue")


def waiting(tracking):
    return [json.loads(path.read_text())["version"] for path in tracking._files()]


def test_it_tells_in_order_and_once(tracking, server, worse):
    first = tracking.store.champion.version
    tracking.add(first)
    tracking.add(first, "champion")
    tracking.add(worse.name)
    sent = tracking.send()
    assert server.calls == [
        *(("send", first), ("send", first), ("crown", first), ("send", worse.name))
    ]
    runs = {first: f"run of {first}", worse.name: f"run of {worse.name}"}
    assert sent == Tracked("http://***@host", runs)
    assert tracking.send() == Tracked("http://***@host") and len(server.calls) == 4


def test_what_a_server_that_is_away_was_not_told_waits(tracking, server, worse):
    first = tracking.store.champion.version
    for name in (first, worse.name):
        tracking.add(name)
    server.fails_at = 1
    sent = tracking.send()
    assert list(sent.runs) == [first]
    assert (sent.pending, sent.why) == ([worse.name], "the server is away")
    assert f"Not told yet: {worse.name}. the server is away; `track --pending` sends" in repr(sent)
    server.fails_at = None
    assert list(tracking.send().runs) == [worse.name]
    assert server.calls == [("send", first), ("send", worse.name)]


def test_of_a_champion_it_tells_who_it_is_now(tracking, server, worse):
    first = tracking.store.champion.version
    tracking.add(worse.name, "champion")  # who was rolled back before it was told
    assert tracking.send().runs == {}
    assert server.calls == [("send", first), ("crown", first)]


def test_a_deleted_version_is_told_no_more_and_stops_nobody(tracking, server):
    champion = tracking.store.champion.version
    tracking.add("20010101T000000.000Z-000000")
    tracking.add(champion)
    sent = tracking.send()
    assert (list(sent.runs), sent.pending) == ([champion], [])
    assert sent.why.startswith("20010101T000000.000Z-000000 is not told: no model 2001")
    assert sent.why in repr(sent)


def test_a_damaged_version_waits_and_the_others_do_not(tracking, server, worse, store):
    champion = tracking.store.champion.version
    (store / worse.name / "manifest.json").write_text("{}")
    for name in (worse.name, champion):
        tracking.add(name)
    sent = tracking.send()
    assert (list(sent.runs), sent.pending) == ([champion], [worse.name])
    assert "damaged" in sent.why


def test_an_interrupt_leaves_the_rest_waiting(tracking, server, monkeypatch):
    def interrupted(version):
        raise KeyboardInterrupt

    monkeypatch.setattr(server, "send", interrupted)
    champion = tracking.store.champion.version
    tracking.add(champion)
    assert tracking.send() == Tracked("http://***@host", {}, [champion], "interrupted")


def test_another_store_or_server_is_told_nothing_of_it(tracking, server, tmp_path):
    tracking.add(tracking.store.champion.version)
    other = Told()
    other.uri = "http://elsewhere"
    assert Tracking(tracking.store, other, tracking.folder).send() == Tracked("http://elsewhere")
    assert repr(Tracked("http://elsewhere")) == "nothing is to be told to http://elsewhere"
    elsewhere = ModelStore(str(tmp_path / "elsewhere"))
    Tracking(elsewhere, server, tracking.folder).send()
    assert not other.calls and not server.calls and len(waiting(tracking)) == 1


def test_many_who_add_and_send_at_once_lose_and_double_nothing(tracking, server):
    champion = tracking.store.champion.version
    with ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(tracking.add, champion) for _ in range(40)]:
            done.result()
        assert len(waiting(tracking)) == 40
        told = [pool.submit(tracking.send) for _ in range(4)]
        assert sum(len(t.result().runs) for t in told) == 1
    assert len(server.calls) == 40 and not waiting(tracking)


def test_no_password_is_on_disk(tracking):
    tracking.add(tracking.store.champion.version)
    assert "secret" not in tracking._files()[0].read_text()


def test_a_spoiled_entry_is_named(tracking):
    tracking.add(tracking.store.champion.version)
    (path,) = tracking._files()
    path.write_text("{")
    with pytest.raises(TrackingError, match="000001.json: not what was written there; remove it"):
        tracking.send()


@pytest.mark.posix
def test_a_folder_that_cannot_be_made_is_told_at_once(tracking, tmp_path):
    (tmp_path / "file").write_text("")
    blocked = Tracking(tracking.store, tracking.server, tmp_path / "file" / "queue")
    with pytest.raises(SettingsError, match=r"queue \(tracking.queue\): can't be written: "):
        blocked.check_ready()
