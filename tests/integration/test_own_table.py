"""The tutorial of docs/own-table.md, run as it stands."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from filelock import FileLock

from titanic_ml.dataset.spec import Column, DatasetSpec

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/own-table.md").read_text()

pytestmark = pytest.mark.system


def run(*words: str, folder: Path) -> str:
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def folder(shared):
    """A folder in which the first commands of the page have run, once for all workers."""
    place = shared / "own"
    with FileLock(shared / "own.lock"):
        if not place.exists():
            place.mkdir()
            run_first_commands(place)
    return place


def run_first_commands(place: Path) -> None:
    table = re.findall(r"```python\n(.*?)```", PAGE, re.S)[0]
    run(sys.executable, "-c", table, folder=place)
    shell = re.findall(r"```bash\n(.*?)```", PAGE, re.S)[0]
    for line in shell.splitlines():
        words = line.replace("python main.py", f"{sys.executable} -m titanic_ml").split()
        output = run(*words, folder=place)
        if "init" in words:
            shown = re.findall(r"```console\n\$ python main\.py init.*?\n(.*?)```", PAGE, re.S)[0]
            assert output.startswith(shown)


def test_the_answers_have_the_words_of_the_table(folder):
    shown = re.findall(r"\$ head -3 predictions\.csv\n(.*?)```", PAGE, re.S)[0]
    lines = (folder / "predictions.csv").read_text().splitlines()
    assert lines[:3] == shown.splitlines() and len(lines) == 101


def test_a_version_is_served_without_its_file(folder, tmp_path):
    words = [sys.executable, "-m", "titanic_ml", "serve", "--port", "0"]
    words += [f"store.uri={folder / 'models/tumours'}", "monitoring.log=null"]
    row = (folder / "new.csv").read_text().splitlines()[:4]
    tumour = dict(zip(row[0].split(","), map(float, row[3].split(",")), strict=True))
    with subprocess.Popen(words, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as process:
        try:
            address = _address(process)
            request = urllib.request.Request(f"{address}/predict", json.dumps(tumour).encode())
            request.add_header("Content-Type", "application/json")
            with urllib.request.urlopen(request, timeout=60) as answer:
                found = json.load(answer)
        finally:
            process.terminate()
    assert list(found) == ["row", "diagnosis", "probability", "model_version"]
    assert found["diagnosis"] == "benign" and found["row"] is None


def _address(process: subprocess.Popen) -> str:
    until = time.monotonic() + 120
    while time.monotonic() < until and (line := process.stderr.readline()):
        if match := re.search(r"http://127\.0\.0\.1:\d+", line):
            return match[0]
    raise AssertionError("the service does not say where it listens")


def test_features_of_ones_own_need_one_file(folder):
    code = re.findall(r"```python\n(.*?)```", PAGE, re.S)[1]
    (folder / "tumour_features.py").write_text(code)
    path = folder / "conf/dataset/tumours.yaml"
    text = path.read_text()
    named = re.findall(r"```yaml\nfeatures:\n(  _target_: .*?)\n", PAGE)[0]
    own = re.sub(r"  _target_: titanic_ml\.preprocessing\.TableFeatures", named, text)
    path.with_name("own.yaml").write_text(own.replace('"models/tumours"', '"models/own"'))
    words = ["-m", "titanic_ml", "train", "dataset=own", "selection=quick"]
    run(sys.executable, *words, "estimator=[majority,logistic_regression]", folder=folder)
    words = ["-m", "titanic_ml", "explain", "new.csv", "--id", "3", "dataset=own"]
    assert "area ratio" in run(sys.executable, *words, folder=folder)


def test_every_key_is_described():
    keys = set(re.findall(r"`(\w+)`", PAGE.partition("## Keys of the file")[2]))
    dataset = set(DatasetSpec.__dataclass_fields__) - {"ignored"}
    assert dataset <= keys and set(Column.__dataclass_fields__) <= keys
