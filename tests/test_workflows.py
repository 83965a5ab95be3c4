"""The workflows call make targets that are there, and pin what they use."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
WORKFLOWS = {path.name: path.read_text() for path in (ROOT / ".github/workflows").glob("*.yml")}
MAKEFILE = (ROOT / "Makefile").read_text()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


@pytest.mark.parametrize("name", sorted(WORKFLOWS))
def test_actions_are_pinned_by_commit_with_their_version_beside_it(name):
    used = re.findall(r"uses: (.+)", WORKFLOWS[name])
    assert used
    for action in used:
        assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action), action


def test_each_action_has_one_version():
    used = re.findall(r"uses: (\S+)@(\S+)", "".join(WORKFLOWS.values()))
    assert len(dict(used)) == len(set(used))


@pytest.mark.parametrize("name", sorted(WORKFLOWS))
def test_the_make_targets_are_there(name):
    text = re.sub("#.*", "", WORKFLOWS[name])
    targets = set(re.findall(r"(?:run: |sudo |^ +)make ([a-z-]+)(?=$|\s)", text, re.MULTILINE))
    assert "check" in targets
    for target in targets:
        assert re.search(f"^{target}:.* ## ", MAKEFILE, re.MULTILINE), target


def test_the_pythons_are_those_that_the_project_claims():
    claimed = re.findall(r"Python :: (3\.\d+)", " ".join(PROJECT["classifiers"]))
    (tested,) = re.findall(r"python: \[(.+)\]", WORKFLOWS["ci.yml"])
    assert re.findall(r"3\.\d+", tested) == claimed
    assert PROJECT["requires-python"] == f">={claimed[0]}"
    for versions in re.findall(r"versions: (\w+)", WORKFLOWS["ci.yml"]):
        assert re.search(f"^run-tests-{versions}:", MAKEFILE, re.MULTILINE)
