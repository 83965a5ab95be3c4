"""Aliases: where they point, where they pointed, and the way back."""

from __future__ import annotations

import getpass
import json
import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from titanic_ml.errors import ModelNotFound, ModelRefused
from titanic_ml.registry import aliases
from titanic_ml.registry.aliases import Alias
from titanic_ml.storage.object_store import ObjectStore


@pytest.fixture
def alias(new):
    """The champion of an empty store of each kind."""
    return new.champion


@pytest.fixture
def on_disk(folder):
    return folder.champion


def go_back(alias: Alias, **words: object) -> str:
    last, target = alias.before(**words)
    assert alias.move(last, target.version, "rolled back", target)
    return target.version


def test_an_alias_without_entries_points_nowhere_and_makes_none(new):
    assert new.champion.version is None
    assert new.champion.history() == []
    assert not new.objects.names()


def test_an_alias_in_what_is_no_folder_points_nowhere(tmp_path):
    (tmp_path / "file").touch()
    assert Alias(ObjectStore(str(tmp_path / "file")), "champion").version is None


def test_an_alias_points_at_the_last_version_and_each_entry_is_an_object(new):
    for version in "abc":
        new.champion.point(version, "trained")
    assert new.champion.version == "c"
    assert [entry.number for entry in new.champion.history()] == [1, 2, 3]
    assert list(new.objects.names()) == [f"aliases/champion/00000{n}.json" for n in (1, 2, 3)]


def test_the_history_says_which_when_who_and_why(alias, monkeypatch):
    monkeypatch.setattr(getpass, "getuser", lambda: "ada")
    alias.point("a", "trained")
    (entry,) = (entry.to_dict() for entry in alias.history())
    time = datetime.fromisoformat(entry.pop("time"))
    assert entry == {
        **{
            "number": 1,
            "version": "a",
            "who": "ada",
            "why": "trained",
            "action": "promote",
            "back": None,
        }
    }
    assert time.utcoffset() == timedelta(0)
    assert abs(datetime.now(UTC) - time) < timedelta(minutes=1)


def test_a_user_without_a_name_is_named_by_number(on_disk, monkeypatch):
    def getuser():
        raise KeyError("getpwuid(): uid not found: 12345")

    monkeypatch.setattr(getpass, "getuser", getuser)
    monkeypatch.setattr("os.getuid", lambda: 12345)
    assert on_disk.point("a", "trained").who == "uid 12345"


def test_any_reason_comes_back(alias):
    why = 'log loss 0.4 — "à peine" pire\n'
    alias.point("a", why)
    assert alias.history()[0].why == why


def test_the_second_is_reported_and_changes_nothing(alias):
    before = alias.last()
    first = alias.move(before, "a", "trained")
    assert first and alias.move(before, "b", "trained") is None
    assert alias.history() == [first] and alias.version == "a"
    assert alias.move(first, "b", "trained") and alias.version == "b"


def test_the_second_in_the_same_moment_with_the_same_words_is_reported_too(
    on_disk, monkeypatch, caplog
):
    """The entries must differ, and each move is logged in a line."""

    class Clock(datetime):
        @classmethod
        def now(cls, tz=None):
            return cls(2026, 1, 2, tzinfo=tz)

    monkeypatch.setattr(aliases, "datetime", Clock)
    caplog.set_level(logging.INFO)
    assert on_disk.move(None, "a", "trained")
    assert on_disk.move(None, "a", "trained") is None
    assert caplog.messages == [
        "champion is a: trained",
        "champion: another has moved it meanwhile",
    ]


def test_a_move_past_the_gate_is_marked_as_forced(on_disk):
    first = on_disk.move(None, "a", "trained")
    second = on_disk.move(first, "b", "by hand", forced=True)
    last, target = on_disk.before()
    on_disk.move(last, target.version, "rolled back", target, forced=True)
    assert (last, target) == (second, first)
    assert [entry.action for entry in on_disk.history()] == ["promote", "force", "rollback"]


def test_an_alias_reads_its_own_entries_alone(folder):
    folder.champion.point("a", "trained")
    for version in "bc":
        Alias(folder.objects, "challenger").point(version, "trained")
    assert folder.champion.version == "a" and len(folder.champion.history()) == 1


def test_a_request_without_a_reply_that_is_retried_is_one_entry(on_disk, monkeypatch):
    """The store has it, but the answer was lost: the second try finds it taken, by itself."""
    create = ObjectStore.create
    monkeypatch.setattr(ObjectStore, "create", lambda *words: create(*words) and create(*words))
    assert on_disk.move(None, "a", "trained")
    assert [entry.version for entry in on_disk.history()] == ["a"]


def test_of_many_who_point_at_once_all_stand_once_in_the_history(alias):
    names = [f"v{number}" for number in range(24)]
    with ThreadPoolExecutor(8) as threads:
        entries = list(threads.map(lambda name: alias.point(name, "trained"), names))
    history = alias.history()
    assert sorted(entry.version for entry in history) == sorted(names)
    assert sorted(history, key=lambda e: e.number) == sorted(entries, key=lambda e: e.number)
    assert alias.version == history[-1].version


@pytest.mark.parametrize(
    ("pointed", "back"),
    [
        ("ab", "a"),
        ("abc", "ba"),
        ("abb", "a"),
        ("aba", "ba"),
    ],
)
def test_each_rollback_goes_one_version_back_until_the_first(on_disk, pointed, back):
    for version in pointed:
        on_disk.point(version, "trained")
    for version in back:
        assert go_back(on_disk) == on_disk.version == version
    before = on_disk.history()
    assert before[-1].action == "rollback"
    with pytest.raises(ModelNotFound, match="champion pointed at no other version before"):
        on_disk.before()
    assert on_disk.history() == before


def test_after_a_rollback_a_new_version_is_rolled_back_to_where_it_came_from(on_disk):
    for version in "ab":
        on_disk.point(version, "trained")
    go_back(on_disk)
    on_disk.point("c", "trained")
    assert go_back(on_disk) == "a"


def test_a_rollback_passes_over_what_is_gone_and_the_next_continues_from_there(on_disk):
    for version in "abcd":
        on_disk.point(version, "trained")
    for expected in "ba":
        assert go_back(on_disk, is_there=lambda version: version != "c") == expected


@pytest.mark.parametrize("pointed", ["", "a", "aa"])
def test_without_another_version_there_is_no_way_back(on_disk, pointed):
    for version in pointed:
        on_disk.point(version, "trained")
    with pytest.raises(ModelNotFound, match="nothing changed"):
        on_disk.before()


WHOLE = {"number": 2, "version": "b", "time": "", "who": "", "why": "", "action": "promote"}


GOES_BACK = WHOLE | {"back": 1, "token": ""}


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        *((text, "") for text in (b"", b"{", b"\xff", b"[]", b"7", b"{}", b'{"version": "a"}')),
        (json.dumps(WHOLE).encode(), ""),
        (json.dumps(GOES_BACK | {"number": 3}).encode(), "it says number 3, promote"),
        (json.dumps(GOES_BACK | {"action": "crown"}).encode(), "it says number 2, crown"),
        (json.dumps(GOES_BACK | {"version": None}).encode(), "its version is None"),
        (json.dumps(GOES_BACK | {"back": 2}).encode(), "it goes back to 2"),
        (json.dumps(GOES_BACK | {"back": 0}).encode(), "it goes back to 0"),
    ],
)
def test_a_damaged_entry_is_refused_by_name(folder, damage, told):
    alias = folder.champion
    alias.point("a", "trained")
    path = folder.objects.folder / alias.entry_name(2)
    path.write_bytes(damage)
    calls = (lambda: alias.version, lambda: alias.point("a", "x"), alias.before, alias.history)
    for call in calls:
        words = f"000002.json: damaged: .*{told}; restore it, or remove"
        with pytest.raises(ModelRefused, match=words):
            call()
    assert path.read_bytes() == damage
    path.unlink()
    assert alias.version == "a"


def test_a_missing_entry_is_reported_by_the_history(folder):
    for version in "abc":
        folder.champion.point(version, "trained")
    (folder.objects.folder / folder.champion.entry_name(2)).unlink()
    assert folder.champion.version == "c"
    folder.champion.point("d", "trained")
    assert go_back(folder.champion) == "c"
    for call in (folder.champion.history, folder.champion.before):
        with pytest.raises(ModelRefused, match="000002.json: missing in the history; restore it"):
            call()


def test_other_objects_beside_the_entries_are_passed_over(folder):
    folder.champion.point("a", "trained")
    folder.objects.replace("aliases/champion/notes.txt", b"")
    assert folder.champion.version == "a" and len(folder.champion.history()) == 1


def test_the_mover_is_the_current_user():
    assert aliases.user() == getpass.getuser()
