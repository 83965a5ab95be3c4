"""Where a model comes from."""

from __future__ import annotations

import subprocess
from importlib.metadata import version
from pathlib import Path

import pytest

import titanic_ml
from titanic_ml.registry import provenance
from titanic_ml.registry.provenance import git_commit, libraries, source_hash

GIT = ["git", "-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]


@pytest.fixture
def code(tmp_path, monkeypatch):
    """A module in place of the package's own, in a checkout that is no repository yet."""
    file = tmp_path / "checkout" / "package" / "module.py"
    file.parent.mkdir(parents=True)
    file.write_text("1\n")
    monkeypatch.setattr(provenance, "PACKAGE", file.parent)
    return file


def commit(folder: Path) -> str:
    """Make a repository of a folder with one commit, and name the commit."""
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "One"], ["tag", "v1"]):
        subprocess.run([*GIT, *words], cwd=folder, check=True)
    head = subprocess.run([*GIT, "rev-parse", "HEAD"], cwd=folder, check=True, capture_output=True)
    return head.stdout.decode().strip()


def test_the_libraries_are_the_ones_a_model_depends_on():
    found = libraries()
    assert set(found) == {"python", "titanic_ml", "scikit-learn", "numpy", "pandas", "joblib"}
    assert found["scikit-learn"] == version("scikit-learn")
    assert found["titanic_ml"] == titanic_ml.__version__


def test_code_outside_git_has_no_commit(code):
    assert git_commit() is None


def test_a_repository_further_up_is_somebody_elses(code):
    commit(code.parents[2])
    assert git_commit() is None


def test_the_commit_is_whole_and_says_if_the_code_was_changed(code):
    name = commit(code.parents[1])
    assert git_commit() == name
    code.write_text("2\n")
    assert git_commit() == f"{name}-dirty"


def test_a_machine_without_git_has_no_commit(code, monkeypatch):
    commit(code.parents[1])
    monkeypatch.setenv("PATH", "")
    assert git_commit() is None


def test_the_source_is_that_of_all_folders(code):
    (code.parent / "stage").mkdir()
    inner = code.parent / "stage" / "inner.py"
    inner.write_text("1\n")
    before = source_hash()
    inner.write_text("2\n")
    changed = source_hash()
    inner.rename(inner.with_name("other.py"))
    assert len({before, changed, source_hash()}) == 3
