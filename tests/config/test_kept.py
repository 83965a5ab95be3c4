"""Composed settings that are kept for the next start."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from titanic_ml.config import compose, kept
from titanic_ml.config.compose import load_settings
from titanic_ml.config.kept import MOST, digest, keep, recall

ROOT = Path(__file__).parents[2]
# Composes as a new process does, and tells what came of it and whether Hydra was needed.
PROGRAM = """
import json, os, sys
from dataclasses import asdict
from titanic_ml.config.compose import load_settings
from titanic_ml.errors import SettingsError
config_dir, *words = sys.argv[1:]
try:
    found = repr(asdict(load_settings(words, config_dir or None)))
except SettingsError as error:
    found = str(error)
print(json.dumps([found, "hydra" in sys.modules, os.environ.get("FROM_DOTENV")]))
"""


@pytest.fixture
def file(tmp_path, monkeypatch) -> Path:
    """Where settings are kept."""
    path = tmp_path / "cache/titanic_ml/settings.json"
    monkeypatch.setattr(kept, "FILE", path)
    return path


@pytest.fixture
def start(tmp_path):
    """Load settings in a new process: those or the message, and whether they were composed."""
    folder = tmp_path / "here"
    folder.mkdir()

    def start(*words: str, config_dir: object = "", **variables: str) -> tuple[str, bool]:
        home = {"XDG_CACHE_HOME": str(tmp_path / "cache"), "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, str(config_dir), *words],
            env=os.environ | home | variables,
            cwd=folder,
            capture_output=True,
            check=True,
        )
        found, composed, start.dotenv = json.loads(done.stdout)
        return found, composed

    start.folder = folder
    return start


@pytest.mark.system
@pytest.mark.parametrize("words", [(), ("seed=7", "selection=quick", "store.uri=a b")])
def test_the_second_start_needs_no_hydra_and_gets_the_same(start, words):
    first, second = start(*words), start(*words)
    assert first == (repr(asdict(load_settings(words))), True)
    assert second == (first[0], False)


@pytest.mark.system
def test_other_words_or_files_are_composed_anew(start, tmp_path):
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "config.yaml").write_text("seed: 3\n")
    for _ in range(2):
        assert "'seed': 0" in start()[0]
        assert "'seed': 7" in start("seed=7")[0]
        assert "'seed': 3" in start(config_dir=mine)[0]
    os.utime(mine / "config.yaml", (1, 1))  # written, but not changed
    assert not start(config_dir=mine)[1]
    (mine / "config.yaml").write_text("seed: 4\n")
    found, composed = start(config_dir=mine)
    assert "'seed': 4" in found and composed


@pytest.mark.system
def test_what_the_environment_says_is_asked_each_time(start):
    word = "data.uri=${oc.env:TABLE}"
    for table in ("a.csv", "b.csv"):
        found, composed = start(word, TABLE=table)
        assert f"'uri': '{table}'" in found and composed
    assert "TABLE" in start(word)[0]  # is not set


@pytest.mark.parametrize(
    "word",
    [
        "store.signing_key=s3cret-of-16-letters",
        "service.api_keys=s3cret-of-16-letters",
        "predictions.uri=postgresql://ann:s3cret@host/db?table=t",
    ],
)
@pytest.mark.system
def test_no_secret_is_kept(start, tmp_path, word):
    start()
    for _ in range(2):
        found, composed = start(word)
        assert "s3cret" in found and composed
    texts = [p.read_text() for p in (tmp_path / "cache").rglob("*") if p.is_file()]
    assert texts and not any("s3cret" in text for text in texts)


@pytest.mark.system
def test_a_mistake_is_told_each_time(start):
    for _ in range(2):
        assert start("sed=7") == ("unknown setting sed; did you mean seed?", True)
        assert "no such folder" in start(config_dir="nowhere")[0]


@pytest.mark.system
def test_the_file_of_variables_is_read_all_the_same(start):
    start()
    (start.folder / ".env").write_text("FROM_DOTENV=yes\n")
    assert not start()[1] and start.dotenv == "yes"


@pytest.mark.system
def test_nothing_is_written_where_the_program_runs(start):
    start()
    assert not list(start.folder.iterdir())


def test_a_process_that_has_hydra_composes(file):
    assert "hydra" in sys.modules
    load_settings()
    assert not file.exists()


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '{"key": 7}', '{"key": "{"}', '{"key": "{\'seed\': 1}"}', '{"key": "f()"}'],
)
def test_a_file_that_is_not_whole_is_none_and_is_written_anew(file, text):
    file.parent.mkdir(parents=True)
    file.write_text(text)
    assert recall("key") is None
    keep("key", load_settings())
    assert recall("key") == load_settings()


def test_settings_out_of_range_are_none(file):
    keep("key", load_settings())
    file.write_text(file.read_text().replace("'seed': 0", "'seed': -1"))
    assert recall("key") is None


def test_the_latest_are_kept(file):
    settings = load_settings()
    for seed in range(MOST + 3):
        keep(str(seed), replace(settings, seed=seed))
    found = [recall(str(seed)) for seed in range(MOST + 3)]
    assert [s.seed for s in found if s] == list(range(3, MOST + 3))


def test_what_would_come_back_as_something_else_is_not_kept(file):
    keep("key", replace(load_settings(), dataset={"when": Path("somewhere")}))
    assert not file.exists()


@pytest.mark.posix
def test_a_folder_that_cannot_be_written_is_no_fault(file, monkeypatch):
    file.parent.parent.mkdir()
    file.parent.write_text("a file where a folder should be")
    keep("key", load_settings())
    assert recall("key") is None
    monkeypatch.setattr(kept, "FILE", Path("~nobody-of-this-name/settings.json"))  # no such home
    keep("key", load_settings())
    assert recall("key") is None


@pytest.mark.posix
def test_the_folder_is_the_users_alone(file):
    keep("key", load_settings())
    assert file.parent.stat().st_mode & 0o077 == 0


def test_the_key_goes_by_words_in_their_order_and_by_the_code(monkeypatch, tmp_path):
    keys = {
        digest(words, None) for words in ([], ["a=1"], ["a=1", "b=2"], ["b=2", "a=1"], ["a=1b=2"])
    }
    assert len(keys) == 5
    (tmp_path / "kept.py").write_text("changed = True\n")
    monkeypatch.setattr(kept, "__file__", str(tmp_path / "kept.py"))
    assert digest([], None) not in keys


def test_values_with_a_resolver_depend_on_more_than_the_settings():
    def plain(*words: str) -> bool:
        settings, composed, _ = compose._composed(words, None)
        return compose._is_plain(settings, composed)

    assert plain() and plain("tracking.name=${dataset.name}-mine")
    assert not plain("seed=${oc.decode:'3'}") and not plain("scratch=a-${oc.env:HOME}")
