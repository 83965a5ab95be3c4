"""The wheel, installed in an empty environment with nothing else of the project."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from poetry.core.masonry import api as poetry_core

ROOT = Path(__file__).parents[2]


def finish(command: list[object], folder: Path) -> str:
    """Return the output of a program without variables of this project or its tools."""
    others = "COVERAGE", "PYTHON", "UV_COMPILE"
    ours = {k: v for k, v in os.environ.items() if not k.startswith(others)}
    done = subprocess.run(
        [str(word) for word in command], cwd=folder, env=ours, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def wheel(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(ROOT)
    (tmp_path / "dist").mkdir()
    return tmp_path / "dist" / poetry_core.build_wheel(str(tmp_path / "dist"))


@pytest.mark.system
def test_it_trains_and_predicts_from_another_folder(wheel, quick, tmp_path):
    where = tmp_path / "elsewhere"
    shutil.copytree(ROOT / "data", where / "tables")
    uv = Path(sys.executable).with_name("uv")
    environment = where / "environment"
    finish([uv, "venv", "--quiet", "--python", sys.executable, environment], where)
    programs = environment / ("bin" if os.name == "posix" else "Scripts")
    python = programs / "python"
    install = [uv, "pip", "install", "--quiet", "--python", python]
    finish([*install, "--require-hashes", "-r", ROOT / "requirements.txt"], where)
    finish([*install, "--no-deps", wheel], where)

    program = programs / "titanic-ml"
    train = ("train", "tables/train.csv", "--json", "--quiet", *quick)
    trained = json.loads(finish([program, *train], where))
    assert trained["promoted"] and (where / "models" / trained["version"]).is_dir()
    predict = ("predict", "tables/test.csv", "--output", "out.csv", "--json")
    assert json.loads(finish([program, *predict], where))["rows"] == 418
    assert len((where / "out.csv").read_text().splitlines()) == 419
    place = "import titanic_ml; print(titanic_ml.__file__)"
    assert finish([python, "-c", place], where).startswith(str(environment))
