"""What is written twice agrees: pyproject.toml, the lock, its exports, and what builds on them."""

from __future__ import annotations

import hashlib
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
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from poetry.core.masonry import api as poetry_core

ROOT = Path(__file__).parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT = PYPROJECT["project"]
EXTRAS = PROJECT["optional-dependencies"]
GROUPS = PYPROJECT["dependency-groups"]
LOCK = tomllib.loads((ROOT / "poetry.lock").read_text())

# Each export with the groups and the extras it claims.
EXPORTS = {
    "requirements.txt": ({"main", "build"}, {""}),
    "requirements-dev.txt": ({"main", "build", "dev"}, set(EXTRAS)),
    "requirements-image.txt": ({"main"}, {"sql", "serve"}),
    "requirements-build.txt": ({"build"}, {""}),
}
PLATFORMS = {
    "Linux": {"sys_platform": "linux", "os_name": "posix"},
    "Darwin": {"sys_platform": "darwin", "os_name": "posix"},
    "Windows": {"sys_platform": "win32", "os_name": "nt"},
}


def exported(name: str) -> list[tuple[Requirement, frozenset[str]]]:
    """The requirements of an export, each with its hashes."""
    lines = (ROOT / name).read_text().replace("\\\n", "").splitlines()
    parts = [line.split("--hash=") for line in lines]
    return [(Requirement(pin), frozenset(map(str.strip, hashes))) for pin, *hashes in parts]


def is_claimed(
    package: dict, groups: set[str], extras: set[str], environment: dict[str, str]
) -> bool:
    """Whether the lock puts a package into this environment for one of the groups and extras."""
    markers = package.get("markers", {})
    needed = (
        markers.get(group, "") if isinstance(markers, dict) else markers
        for group in groups & set(package["groups"])
    )
    return any(
        not marker or Marker(marker).evaluate({**environment, "extra": extra})
        for marker in needed
        for extra in extras
    )


def test_lock_is_of_this_pyproject():
    """The hash that poetry computes over what decides about dependencies (its ``Locker``)."""
    decides = ("requires-python", "dependencies", "optional-dependencies")
    content = {
        "project": {key: PROJECT[key] for key in decides},
        "dependency-groups": GROUPS,
        "tool": {
            "poetry": {
                key: value
                for key, value in PYPROJECT["tool"]["poetry"].items()
                if key in ("dependencies", "source", "extras", "dev-dependencies", "group")
            }
        },
    }
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    assert LOCK["metadata"]["content-hash"] == digest, "pyproject.toml has changed: run `make lock`"


@pytest.mark.parametrize("python", ["3.11", "3.14"])
@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("export", EXPORTS)
def test_export_installs_what_the_lock_says(export, platform, python):
    environment = {
        **PLATFORMS[platform],
        "platform_system": platform,
        "python_version": python,
        "python_full_version": f"{python}.0",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
    }
    locked = {
        (package["name"], f"=={package['version']}", frozenset(f["hash"] for f in package["files"]))
        for package in LOCK["package"]
        if is_claimed(package, *EXPORTS[export], environment)
    }
    installed = {
        (requirement.name, str(requirement.specifier), hashes)
        for requirement, hashes in exported(export)
        if requirement.marker is None or requirement.marker.evaluate(environment)
    }

    assert installed == locked, "the export is not of this lock: run `make lock`"


@pytest.mark.parametrize("name", ["poetry.lock", *EXPORTS])
def test_lock_and_exports_name_no_index(name):
    text = re.sub("^description = .*$", "", (ROOT / name).read_text(), flags=re.MULTILINE)
    assert not re.search(r"://|^--|package\.source", text, re.MULTILINE)


@pytest.mark.parametrize(
    "wanted",
    sorted({*PROJECT["dependencies"], *chain(*EXTRAS.values(), *GROUPS.values())}),
)
def test_locked_version_satisfies_pyproject(wanted):
    requirement = Requirement(wanted)
    versions = [
        package["version"]
        for package in LOCK["package"]
        if package["name"] == canonicalize_name(requirement.name)
    ]

    assert versions
    holds = any if requirement.marker else all  # elsewhere it may be another version
    assert holds(requirement.specifier.contains(v, prereleases=False) for v in versions)


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
        *("format", "format-check", "lint", "notebook-check", "lock-check", "browser"),
        *("large-files", "secrets"),
        *("run-tests", "run-tests-known", "run-tests-remote", "run-tests-lowest"),
        *("run-tests-newest", "known-results", "hooks", "hooks-run", "check", "clean"),
        *("lock", "wheel", "image", "image-check", "quality", "bench-tables", "bench-formats"),
    }


def test_clean_removes_what_was_made_and_keeps_models_and_predictions(tmp_path):
    shutil.copy(ROOT / "Makefile", tmp_path)
    made = [".titanic_ml/unfinished-a/fold.joblib", ".venv/x", ".venv-formats/x", "coverage/a.html"]
    made += ["titanic_ml/__pycache__/a.pyc", ".hypothesis/x", "coverage.xml"]
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


@pytest.mark.parametrize(
    "tool",
    [["black", "--check", "-"], ["isort", "--check", "-"], ["flake8", "--select=E501", "-"]],
    ids=lambda tool: tool[0],
)
def test_lines_have_a_hundred_columns(tool):
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
