"""The hooks before a commit, in a clone: they stop what must not come in, and let the rest pass."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from omegaconf import OmegaConf

pytest.importorskip("pre_commit", reason="of the group lint, which is not installed")

ROOT = Path(__file__).parents[2]
CONFIG = OmegaConf.to_object(OmegaConf.load(ROOT / ".pre-commit-config.yaml"))
HOOKS = {hook["id"]: hook for repo in CONFIG["repos"] for hook in repo["hooks"]}

pytestmark = pytest.mark.usefixtures("unmeasured")


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    """A repository with files as they are here, the hooks installed, and these tests' programs.

    The package is enough: `make check` has every file checked.
    """
    folder = tmp_path_factory.mktemp("hooks") / "clone"
    subprocess.run(["git", "init", "--quiet", folder], check=True)
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    left_out = ":!tests", ":!docs", ":!benchmarks", ":!main.ipynb"
    names = subprocess.run([*listed, *left_out], cwd=ROOT, capture_output=True, check=True).stdout
    for name in filter(None, names.decode().split("\0")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes((ROOT / name).read_bytes())
    (folder / ".venv").mkdir()
    for part in Path(sys.prefix).glob("[!.]*"):
        (folder / ".venv" / part.name).symlink_to(part)
    if (ROOT / ".mypy_cache").exists():
        shutil.copytree(ROOT / ".mypy_cache", folder / ".mypy_cache")
    for stamp in (".made", ".installed", ".installed-all"):  # make has nothing to do
        (folder / ".venv" / stamp).touch()
    commit = ("commit", "--quiet", "--allow-empty", "--message", "As it is here")
    done = git(folder, "add", "--all"), git(folder, *commit)
    assert all(answer.returncode == 0 for answer in done), done
    subprocess.run(["make", "hooks"], cwd=folder, env=environment(), check=True)
    return folder


def environment() -> dict[str, str]:
    """Without what git and make tell the programs that they start."""
    ours = {key: value for key, value in os.environ.items() if not key.startswith(("GIT_", "MAKE"))}
    names = {
        f"GIT_{who}_{what}": "a@b" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
    }
    return ours | names | {"PRE_COMMIT_COLOR": "never"}


def git(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = ["git", *words]
    return subprocess.run(command, cwd=folder, env=environment(), capture_output=True, text=True)


def commit(folder: Path, files: dict[str, str]) -> tuple[bool, str]:
    """Try to commit files with these texts; whether there is a commit, and what was printed."""
    before = git(folder, "rev-parse", "HEAD").stdout
    for name, text in files.items():
        (folder / name).write_text(text)
    git(folder, "add", "--force", *files)
    said = git(folder, "commit", "-m", "A change")
    made = git(folder, "rev-parse", "HEAD").stdout != before
    assert made == (said.returncode == 0)
    git(folder, "rm", "--quiet", "--force", *files)
    return made, said.stdout + said.stderr


@pytest.mark.system
def test_a_commit_that_must_not_be_is_stopped_by_each_hook_that_finds_a_fault(clone):
    faults = {
        "titanic_ml/unformatted.py": '"""A module."""\n\nword = \'single quotes\'\n',
        "titanic_ml/untyped.py": '"""A module."""\n\nnumber: int = "1"\n',
        "table.txt": "one line of a table\n" * 30_000,
        "notes.txt": "postgresql://ann:" + "hUnter2hUnter2@host/db\n",
        "key.pem": "-----BEGIN RSA " + "PRIVATE KEY-----\nabc\n",
    }
    made, said = commit(clone, faults)
    assert not made
    assert re.findall(r"^- hook id: (\S+)$", said, re.MULTILINE) == [
        "format",
        "lint",
        "large-files",
        "secrets",
    ], said
    assert all(name in said for name in faults)


@pytest.mark.system
def test_a_commit_that_is_well_passes(clone):
    made, said = commit(
        clone, {"titanic_ml/dataset/well.py": '"""A module."""\n\nNUMBERS = [1, 2]\n'}
    )
    assert made, said
    assert re.findall(r"\.(Passed|Failed)$", said, re.MULTILINE) == ["Passed"] * 4


def test_each_hook_calls_a_make_target():
    makefile = (ROOT / "Makefile").read_text()
    for hook in HOOKS.values():
        command, target = hook["entry"].split()
        assert command == "make" and re.search(f"^{target}:.* ## ", makefile, re.MULTILINE)
        assert not hook["pass_filenames"] and hook["language"] == "system"
        assert ("files" in hook) != hook.get("always_run", False)


@pytest.mark.parametrize(
    "name, woken",
    [
        ("titanic_ml/pipeline.py", ["format", "lint", "known-database", "notebook"]),
        ("tests/known/load.py", ["format", "lint", "known-database"]),
        ("pyproject.toml", ["format", "lint", "lock"]),
        ("requirements-dev.txt", ["lock", "known-database", "notebook"]),
        ("poetry.lock", ["lock"]),
        ("data/train.csv", ["known-database", "notebook"]),
        ("main.ipynb", ["format", "notebook"]),
        (".github/workflows/ci.yml", ["lint"]),
        ("Dockerfile", ["lint"]),
        ("README.md", []),
    ],
)
def test_a_file_wakes_the_hooks_that_it_may_break(name, woken):
    assert (ROOT / name).is_file()
    found = [key for key, hook in HOOKS.items() if re.search(hook.get("files", "$^"), name)]
    assert found == woken
