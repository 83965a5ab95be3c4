"""No door shows a password or a part of one, however wrong the address is that holds it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from titanic_ml import TitanicPipeline
from titanic_ml.errors import TitanicError
from titanic_ml.storage.secrets import shown

ROOT = Path(__file__).parents[2]
REMOTE = (ROOT / "titanic_ml/conf/env/remote.yaml").read_text()
PARTS = "Zebra", "Yankee", "Xenon"  # of each password; none may be shown
JOINED = "Zebra{0}Yankee{0}Xenon"
MARKS = ["@", ":", "/", "#", "?", "%", " ", "&", "=", ",", "[", "'", "%40", "/@", "?@", "//"]
POSTGRES = "postgresql://ann:{}@127.0.0.1:1/db?table=t"
ADDRESSES = {
    "a server": POSTGRES,
    "a query with an @": "postgresql://ann:{}@127.0.0.1:1/db?query=SELECT '@'",
    "a port that is none": "postgresql://ann:{}@127.0.0.1:port/db?table=t",
    "no host": "postgresql://ann:{}/db?table=t",
    "no user": "postgresql://:{}@127.0.0.1:1/db?table=t",
    "a parameter": "postgresql://ann@127.0.0.1:1/db?password={}&table=t",
    "another driver": "postgresql+psycopg://ann:{}@127.0.0.1:1/db?table=t",
    "another database": "mysql://ann:{}@127.0.0.1:1/db",
    "one slash": "postgresql:/ann:{}@127.0.0.1:1/db?table=t",
    "no colon": "postgresql//ann:{}@127.0.0.1:1/db?table=t",
    "a bucket": "s3://KEY:{}@bucket/x.csv",
    "a folder of a bucket": "s3://KEY:{}@bucket/x/",
    "the web": "https://ann:{}@127.0.0.1:1/x.csv",
    "a token of the web": "https://{}@127.0.0.1:1/x.csv",
    "a signed address": "https://127.0.0.1:1/x.csv?token={}",
    "another cloud": "gs://KEY:{}@bucket/x.csv",
}
DOORS = {
    "argument": ["predict", "{}", "--output", "out.csv"],
    "second argument": ["predict", "data/test.csv", "{}"],
    "output": ["predict", "data/test.csv", "--output", "{}"],
    "rejects": ["predict", "a.csv", "--on-invalid", "quarantine", "--rejects", "{}"],
    "setting": ["validate", "data.uri={}"],
    "settings": ["config", "predictions.uri={}", "monitoring.log={}"],
    "as JSON": ["config", "data.uri={}", "--json"],
    "a list": ["validate", "data.uri=[{}]"],
    "a wrong kind": ["validate", "seed={}"],
    "an unknown name": ["validate", "data.url={}"],
    "no setting": ["validate", "a.csv", "{}"],
    "training": ["train", "{}"],
    "log": ["monitor", "{}"],
    "labels": ["monitor", "data/test.csv", "--labels", "{}"],
    "count": ["count", "{}"],
    "store": ["models", "list", "store.uri={}"],
    "another store": ["predict", "data/test.csv", "--output", "o.csv", "store.uri={}"],
}


def leaked(text: str) -> list[str]:
    return [part for part in PARTS if part in text]


CASES = {(kind, door, "/") for kind in ("a server", "a bucket", "the web") for door in DOORS}
CASES |= {(kind, door, "/") for kind in ADDRESSES for door in ("argument", "settings")}
CASES |= {(kind, "argument", "@") for kind in ADDRESSES if kind != "no host"}  # it looks like one


@pytest.mark.parametrize(("kind", "door", "mark"), sorted(CASES))
def test_a_command_shows_no_part_of_a_password(run, tmp_path, monkeypatch, kind, door, mark):
    monkeypatch.chdir(tmp_path)
    address = ADDRESSES[kind].format(JOINED.format(mark))
    done = run(*[word.format(address) for word in DOORS[door]])
    assert not leaked(done.out + done.err), done
    assert "Traceback" not in done.err, done.err


@pytest.mark.parametrize("mark", MARKS)
def test_no_mark_in_a_password_shows_it(run, tmp_path, monkeypatch, mark):
    monkeypatch.chdir(tmp_path)
    done = run("validate", ADDRESSES["a server"].format(JOINED.format(mark)), "--verbose")
    assert not leaked(done.out + done.err), done
    for kind, address in ADDRESSES.items():
        if kind != "no host" or "@" not in mark:
            assert not leaked(shown(address.format(JOINED.format(mark)))), kind


@pytest.mark.parametrize("kind", ADDRESSES)
def test_a_traceback_shows_none(run, tmp_path, monkeypatch, kind):
    monkeypatch.chdir(tmp_path)
    for mark in "/", "%", "":
        with pytest.raises(TitanicError) as caught:
            run("validate", ADDRESSES[kind].format(JOINED.format(mark)), "--debug")
        seen, error = [], caught.value
        while error is not None:
            seen.append(str(error))
            error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        assert not leaked("\n".join(seen)), seen


def test_a_variable_is_a_door(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = re.findall(r"\$\{oc\.env:(\w+)", REMOTE)
    for mark in "/", "@":
        for name in names:
            monkeypatch.setenv(name, POSTGRES.format(JOINED.format(mark)))
        for words in (
            ["validate"],
            ["config"],
            ["config", "--json"],
            ["predict"],
            ["models", "list"],
        ):
            done = run(*words, "env=remote", "--verbose")
            assert not leaked(done.out + done.err), done


@pytest.mark.parametrize(
    "word",
    [
        "store.signing_key=[Zebra",
        "store.signing_key={{Zebra",
        "store.signing_key='Zebra",
        "store.signing_key=[Zebra]",
        "service.api_keys={a:Zebra}",
        "seed=${oc.env:TITANIC_SIGNING_KEY}",
    ],
)
def test_a_secret_setting_is_not_quoted(run, tmp_path, monkeypatch, word):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TITANIC_SIGNING_KEY", "Zebra")
    done = run("validate", word)
    assert done.code == 2 and not leaked(done.err), done
    with pytest.raises(TitanicError) as caught:
        run("validate", word, "--debug")
    assert not leaked(f"{caught.value} {caught.value.__cause__}")


def test_a_pipeline_shows_none():
    address = POSTGRES.format(JOINED.format("/"))
    assert not leaked(repr(TitanicPipeline(f"data.uri={address}", f"tracking.uri={address}")))


@pytest.mark.system
@pytest.mark.parametrize(
    ("scheme", "mark"),
    [("https", "/"), ("https", "@"), ("http", "%"), ("postgresql", "%"), ("mysql", "%")],
)
def test_mlflow_is_a_door(run, store, quick, computed, monkeypatch, tmp_path, scheme, mark):
    pytest.importorskip("mlflow")
    monkeypatch.chdir(tmp_path)
    address = f"{scheme}://ann:{JOINED.format(mark)}@127.0.0.1:1/x"
    words = (f"store.uri={store}", f"tracking.uri={address}", "scratch=scratch")
    for command in (["track"], ["models", "promote", "latest"], ["train", *quick]):
        done = run(*command, *words, "--verbose")
        assert not leaked(done.out + done.err), done
    for path in tmp_path.rglob("*"):
        assert path.is_dir() or not leaked(path.read_text("latin-1")), path
