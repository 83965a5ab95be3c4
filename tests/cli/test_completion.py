"""Completion by Tab, as a shell requests it."""

from __future__ import annotations

import pytest


@pytest.fixture
def tab(run, monkeypatch):
    """Completions that bash gets for the last word."""

    def tab(*words: str) -> list[str]:
        line = ["titanic-ml", *words]
        monkeypatch.setenv("COMP_WORDS", " ".join(line))
        monkeypatch.setenv("COMP_CWORD", str(len(line) - 1))
        monkeypatch.setenv("_TITANIC_ML_COMPLETE", "complete_bash")
        done = run()
        assert (done.code, done.err) == (0, "")
        return done.out.split()

    return tab


@pytest.mark.usefixtures("unmeasured")
@pytest.mark.parametrize(
    "before",
    [
        ("evaluate", "--model"),
        ("predict", "a.csv", "--output", "b.csv", "--model"),
        ("models", "compare"),
        ("report",),
    ],
)
def test_versions_and_aliases(tab, store, monkeypatch, before):
    version = next(store.glob("2*")).name
    monkeypatch.chdir(store.parent)  # where the default store, `models`, is
    assert set(tab(*before, "")) >= {"champion", "latest", version}
    assert tab(*before, "c") == ["champion"]
    assert tab(*before, version[:6]) == [version]
    assert tab(*before, "no-such") == []


def test_versions_of_the_store_that_was_named(tab, store, monkeypatch):
    monkeypatch.chdir(store)
    uri = f"store.uri={store}"
    assert tab("evaluate", uri, "--model", "l") == ["latest"]
    assert tab("evaluate", "store.uri", "=", str(store), "--model", "l") == ["latest"]
    assert tab("evaluate", "--model", "l") == []


def test_a_damaged_store_or_setting_offers_nothing(tab, store):
    (store / "aliases" / "champion" / "000002.json").write_text("{")
    assert tab("evaluate", f"store.uri={store}", "--model", "") == []
    assert tab("evaluate", "store.uri=${oc.env:NO_SUCH}", "--model", "") == []


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (("train", "see"), ["seed="]),
        (("train", "seed=7", "promo"), ["promotion.margin=", "promotion.min_rows="]),
        (("evaluate", "evaluation.c"), ["evaluation.confidence="]),
        (("train", "store"), ["store.signing_key=", "store.uri="]),
        (("train", "selection=q"), ["selection=quick"]),
        (("train", "selection", "=", "q"), ["quick"]),
        (("evaluate", "selection", "=", "q"), ["quick"]),
        (("train", "selection", "="), ["quick", "standard", "thorough"]),
        (("train", "env="), ["env=local", "env=remote"]),
        (("train", "seed="), []),
        (("train", "no.such"), []),
        (("report", "selection=th"), ["selection=thorough"]),
    ],
)
def test_settings_and_what_a_group_may_be(tab, words, offered):
    assert tab(*words) == offered
