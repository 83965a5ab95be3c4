"""The commands of docs/remote.md, run by a shell against real servers."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from titanic_ml.registry.store import ModelStore
from titanic_ml.storage.tables import read_table

pytestmark = [pytest.mark.system, pytest.mark.usefixtures("unmeasured")]
ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/remote.md").read_text()
SCRIPT = "\n".join(re.findall(r"```bash\n(.*?)```", PAGE, re.S))


@pytest.fixture
def shell(tmp_path, bucket, postgres):
    """Runs a script in a folder with the project's program and tables."""
    shutil.copytree(ROOT / "data", tmp_path / "data")
    shutil.copy(ROOT / "main.py", tmp_path)
    variables = {
        "PYTHONPATH": str(ROOT),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "BUCKET": bucket("").rstrip("/"),
        "DATABASE": postgres(),
    }

    def run(script: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=tmp_path,
            env=os.environ | variables,
            capture_output=True,
            text=True,
        )

    run.bucket = variables["BUCKET"]
    return run


def test_each_line_of_the_page_does_what_it_says(shell, postgres):
    end = 'echo "KEY $TITANIC_SIGNING_KEY"; python main.py predict data/test.csv env=remote -q'
    done = shell(f"{SCRIPT}\n{end}")
    assert done.returncode == 0, done.stderr
    key = re.search("KEY ([0-9a-f]{64})", done.stdout)[1]
    assert key not in done.stdout.replace(f"KEY {key}", "") + done.stderr
    assert re.search(
        r"^store.signing_key +\*\*\* +environment: TITANIC_SIGNING_KEY", done.stdout, re.M
    )
    store = ModelStore(f"{shell.bucket}/titanic/models", key)
    first, second = reversed(store.versions())
    assert store.champion.version == first.name
    assert [(e.action, e.version) for e in store.champion.history()] == [
        *(("promote", first.name), ("promote", second.name), ("rollback", first.name)),
    ]
    assert store.champion.history()[-1].why == "complaints of passengers"
    assert first.manifest.metrics == second.manifest.metrics  # --like
    assert "2 versions read: all as they were saved" in done.stdout
    assert f"{shell.bucket}/titanic/models/{first.name}/report.html" in done.stdout
    predictions = read_table(postgres("table=predictions"))
    assert len(predictions) == 418 and set(predictions["model_version"]) == {first.name}
    kept = store.objects.read(f"{first.name}/manifest.json").decode()
    secret = f":{urlsplit(postgres()).password}@"
    assert key not in kept and secret not in kept + done.stdout + done.stderr


def test_what_is_missing_is_named_in_one_sentence(shell):
    done = shell("export TITANIC_DATA_URI=a.csv; python main.py train env=remote")
    names = "TITANIC_PREDICTIONS_URI, TITANIC_SIGNING_KEY, TITANIC_STORE_URI"
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"Error: not set in the environment: {names}; ")


def test_the_page_names_every_variable_that_is_read():
    files = [f for kind in ("*.py", "*.yaml") for f in (ROOT / "titanic_ml").rglob(kind)]
    code = "".join(path.read_text() for path in files)
    for name in set(re.findall(r"\b(?:TITANIC|AWS|AZURE)_[A-Z]\w+", code)):
        assert name.removesuffix("_S3") in PAGE or name == "AWS_DEFAULT_REGION", name
