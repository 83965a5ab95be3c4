"""Settings in several places agree: pyproject.toml, the Makefile, the editor, the wheel.

That pyproject.toml, the lock and its exports agree is checked by Poetry itself: `make lock-check`.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from importlib.util import find_spec
from itertools import chain
from pathlib import Path

import pytest
from coverage.config import CoverageConfig
from omegaconf import OmegaConf
from poetry.core.masonry import api as poetry_core

ROOT = Path(__file__).parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT = PYPROJECT["project"]
EXTRAS = PROJECT["optional-dependencies"]

EXPORTS = sorted(path.name for path in ROOT.glob("requirements*.txt"))


@pytest.mark.parametrize("name", ["poetry.lock", *EXPORTS])
def test_lock_and_exports_name_no_index(name):
    text = re.sub("^description = .*$", "", (ROOT / name).read_text(), flags=re.MULTILINE)
    assert not re.search(r"://|^--|package\.source", text, re.MULTILINE)


def test_extra_all_is_the_union_of_the_others():
    others = set(chain(*(needs for name, needs in EXTRAS.items() if name != "all")))

    assert sorted(EXTRAS["all"]) == sorted(others)


def test_conda_installs_the_same_export():
    environment = OmegaConf.to_object(OmegaConf.load(ROOT / "environment.yml"))

    assert environment["dependencies"] == [
        f"python {PROJECT['requires-python']}",
        "pip",
        {"pip": ["-r requirements.txt"]},
    ]


def test_wheel_holds_every_file_of_the_package(tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    files = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "titanic_ml").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }

    wheel = zipfile.ZipFile(tmp_path / poetry_core.build_wheel(str(tmp_path)))

    assert "titanic_ml/conf/config.yaml" in files
    assert files <= set(wheel.namelist())


@pytest.mark.parametrize("name", ["train", "predict", "tests", "current file"])
def test_vscode_launches(name):
    launch = json.loads((ROOT / ".vscode/launch.json").read_text())
    settings = json.loads((ROOT / ".vscode/settings.json").read_text())
    entries = {entry["name"]: entry for entry in launch["configurations"]}
    entry = entries[name]

    assert entry["envFile"] == settings["python.envFile"] == "${workspaceFolder}/.env"
    assert "PYTHONPATH=." in (ROOT / ".env.example").read_text().splitlines()
    if "module" in entry:
        assert find_spec(entry["module"])
    elif entry["program"] != "${file}":
        assert Path(entry["program"].replace("${workspaceFolder}", str(ROOT))).is_file()
    assert all((ROOT / arg).is_file() for arg in entry.get("args", []) if arg.startswith("data/"))


def test_vscode_recommends_the_extensions_it_configures():
    recommended = json.loads((ROOT / ".vscode/extensions.json").read_text())["recommendations"]
    settings = json.loads((ROOT / ".vscode/settings.json").read_text())
    configured = {key.split(".")[0] for key in settings if key.endswith(".importStrategy")}

    assert settings["[python]"]["editor.defaultFormatter"] in recommended
    assert {f"ms-python.{name}" for name in configured} <= set(recommended)


def test_make_alone_lists_the_targets():
    # Without the flags of the `make` that may be running these tests.
    environment = {key: value for key, value in os.environ.items() if not key.startswith("MAKE")}

    answer = subprocess.run(
        ["make"], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    ).stdout

    assert set(re.findall(r"^  (\S+) +\S", answer, re.MULTILINE)) == {
        *(
            "help",
            "install",
            "install-serve",
            "install-all",
            "train",
            "evaluate",
            "predict",
            "serve",
            "mlflow",
        ),
        *("airflow", "airflow-run", "airflow-lock", "notebook"),
        *("format", "format-check", "lint", "notebook-check", "lock-check", "browser", "pictures"),
        *("docs", "docs-serve", "docs-links"),
        *("large-files", "secrets", "run-tests-system", "coverage", "mutants"),
        *("run-tests", "run-tests-known", "run-tests-remote", "run-tests-lowest"),
        *("run-tests-newest", "known-results", "hooks", "hooks-run", "check", "clean"),
        *("lock", "wheel", "image", "image-check", "quality", "bench-tables", "bench-formats"),
    }


def test_clean_removes_what_was_made_and_keeps_models_and_predictions(tmp_path):
    shutil.copy(ROOT / "Makefile", tmp_path)
    made = [".titanic_ml/unfinished-a/fold.joblib", ".venv/x", ".venv-formats/x", "coverage/a.html"]
    made += ["titanic_ml/__pycache__/a.pyc", ".hypothesis/x", "coverage.xml"]
    made += [".coverage", ".coverage.a", ".coverage-system", "mutants/a.py"]
    made += ["docs/site/index.html", "docs/api/a.rst"]
    kept = ["Makefile", "models/a/manifest.json", "submission.csv", "titanic_ml/a.py"]
    for name in (*made, *kept[1:]):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    environment = {key: value for key, value in os.environ.items() if not key.startswith("MAKE")}

    subprocess.run(["make", "clean"], cwd=tmp_path, env=environment, check=True)

    left = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert left == set(kept)


def test_ci_runs_the_same_check():
    script = ROOT / ".ci/run"

    assert os.access(script, os.X_OK)
    assert script.read_text().splitlines()[-3:] == [
        "make browser",
        "make check",
        "make image-check",
    ]


@pytest.mark.system
@pytest.mark.parametrize(
    "tool",
    [["black", "--check", "-"], ["isort", "--check", "-"], ["flake8", "--select=E501", "-"]],
    ids=lambda tool: tool[0],
)
def test_lines_have_a_hundred_columns(tool):
    pytest.importorskip(tool[0], reason="of the group lint, which is not installed")

    def is_accepted(columns: int) -> bool:
        line = "from package import first, " + "s" * columns
        command = [sys.executable, "-m", *tool]
        answer = subprocess.run(
            command, cwd=ROOT, input=f"{line[:columns]}\n", capture_output=True, text=True
        )
        return answer.returncode == 0

    assert is_accepted(100)
    assert not is_accepted(101)


def test_pytest_and_coverage_are_strict(pytestconfig):
    # Not through Coverage(): a second one in this process loses what the first has measured.
    coverage = CoverageConfig()
    assert coverage.from_file(str(ROOT / "pyproject.toml"), warn=pytest.fail, our_file=True)

    assert pytestconfig.getini("filterwarnings")[0] == "error"
    assert pytestconfig.getini("xfail_strict") is True
    assert coverage.get_option("run:branch") is True
    assert coverage.get_option("report:fail_under") >= 95
    assert not PYPROJECT["tool"]["coverage"]["report"].keys() & {"omit", "exclude_lines"}
    assert not PYPROJECT["tool"]["coverage"]["run"].keys() & {"omit", "include"}
