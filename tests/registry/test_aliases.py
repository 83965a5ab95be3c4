"""Aliases: where they point, where they pointed, and the way back."""

from __future__ import annotations

import getpass
import json
from datetime import UTC, datetime, timedelta

import pytest

from titanic_ml.errors import ModelError, ModelNotFound, ModelRefused
from titanic_ml.registry.aliases import Alias


@pytest.fixture
def alias(tmp_path):
    return Alias(tmp_path / "champion.json")


def test_an_alias_without_a_file_points_nowhere_and_makes_none(alias):
    assert alias.version is None
    assert alias.history() == []
    assert not alias.path.exists()


def test_an_alias_in_what_is_no_folder_points_nowhere(tmp_path):
    (tmp_path / "file").touch()
    assert Alias(tmp_path / "file" / "champion.json").version is None


def test_an_alias_points_at_the_last_version(alias):
    for version in "abc":
        alias.point(version, "trained")
    assert alias.version == "c"


def test_the_history_says_which_when_who_and_why(alias, monkeypatch):
    monkeypatch.setattr(getpass, "getuser", lambda: "ada")
    alias.point("a", "trained")
    (entry,) = alias.history()
    time = datetime.fromisoformat(entry.pop("time"))
    assert entry == {"version": "a", "who": "ada", "why": "trained"}
    assert time.utcoffset() == timedelta(0)
    assert abs(datetime.now(UTC) - time) < timedelta(minutes=1)


def test_a_user_without_a_name_is_named_by_number(alias, monkeypatch):
    def getuser():
        raise KeyError("getpwuid(): uid not found: 12345")

    monkeypatch.setattr(getpass, "getuser", getuser)
    monkeypatch.setattr("os.getuid", lambda: 12345)
    alias.point("a", "trained")
    assert alias.history()[0]["who"] == "uid 12345"


def test_any_reason_comes_back(alias):
    why = 'log loss 0.4 — "à peine" pire\n'
    alias.point("a", why)
    assert alias.history()[0]["why"] == why


@pytest.mark.parametrize(
    ("pointed", "back"),
    [
        ("ab", "a"),
        ("abc", "ba"),
        ("abb", "a"),
        ("aba", "ba"),
    ],
)
def test_each_rollback_goes_one_version_back_until_the_first(alias, pointed, back):
    for version in pointed:
        alias.point(version, "trained")
    for version in back:
        assert alias.rollback() == alias.version == version
    before = alias.history()
    assert before[-1]["why"] == "rollback"
    with pytest.raises(ModelNotFound, match="champion pointed at no other version before"):
        alias.rollback()
    assert alias.history() == before


def test_after_a_rollback_a_new_version_is_rolled_back_to_where_it_came_from(alias):
    for version in "ab":
        alias.point(version, "trained")
    alias.rollback()
    alias.point("c", "trained")
    assert alias.rollback() == "a"


@pytest.mark.parametrize("pointed", ["", "a", "aa"])
def test_without_another_version_there_is_no_way_back(alias, pointed):
    for version in pointed:
        alias.point(version, "trained")
    with pytest.raises(ModelNotFound, match="nothing changed"):
        alias.rollback()


@pytest.mark.parametrize(
    "damage",
    [b"", b"{", b"\xff", b"[]", b"7", b"{}", b'{"history": 7}', b'{"history": [{"version": "a"}]}'],
)
def test_a_damaged_alias_is_refused_by_name(alias, damage):
    alias.path.write_bytes(damage)
    for call in (lambda: alias.version, lambda: alias.point("a", "trained"), alias.rollback):
        with pytest.raises(ModelRefused, match="champion.json: damaged: .*; restore it or delete"):
            call()
    assert alias.path.read_bytes() == damage


def test_a_folder_of_that_name_is_refused(alias):
    alias.path.mkdir()
    with pytest.raises(ModelRefused, match="champion.json: damaged: "):
        alias.history()


def test_the_file_names_the_version_for_people_too(alias):
    alias.point("a", "trained")
    assert json.loads(alias.path.read_text())["version"] == "a"


def test_an_alias_that_cannot_be_written_is_no_fault_of_a_table(tmp_path):
    with pytest.raises(ModelError, match="champion.json: can't be written: No such file"):
        Alias(tmp_path / "none" / "champion.json").point("a", "forced")
