"""A real MLflow server receives trainings, serves the model, and may be unavailable."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from titanic_ml.registry.store import ModelStore

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(not find_spec("mlflow"), reason="no MLflow: make install-all"),
]
ROOT = Path(__file__).parents[2]
REQUEST = re.search(r"-d '(\{.*?\})'", (ROOT / "docs/mlflow.md").read_text(), re.S)[1]
# What is done with MLflow alone, in a process that knows nothing of the project.
LOAD = """
import mlflow, pandas, sys
uri, name, table, output = sys.argv[1:]
mlflow.set_tracking_uri(uri)
model = mlflow.pyfunc.load_model(f"models:/{name}@champion")
model.predict(pandas.read_csv(table)).to_csv(output, index=False)
"""


def python(*words: object, folder: Path) -> str:
    command = [sys.executable, "-W", "ignore", *map(str, words)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


class Project:
    """A folder of its own; its trainings are tracked by a server under their own name.

    Its store has one version, the champion.
    """

    def __init__(self, folder: Path, uri: str, quick: tuple[str, ...], main: Callable[..., Any]):
        self.folder, self.uri, self.name = folder, uri, f"titanic-{uuid.uuid4().hex[:8]}"
        own = (f"tracking.uri={uri}", f"tracking.name={self.name}", f"scratch={folder / 'scratch'}")
        self.words = [*(word for word in quick if not word.startswith("scratch=")), *own]
        self.store, self.main = ModelStore(str(folder / "models")), main

    def start(self, *words: str) -> subprocess.Popen[str]:
        """The command as a program, which others may hurt meanwhile."""
        command = [sys.executable, str(ROOT / "main.py"), *words, *self.words]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, cwd=self.folder, stdout=pipe, stderr=pipe, text=True)

    def run(self, *words: object, code: int = 0) -> Any:
        """Run a command in this process and return its JSON."""
        done = self.main(*words, *self.words, "--json")
        assert done.code == code, done.err
        return json.loads(done.out)

    def tracked(self) -> tuple[list[str], str]:
        """Return the versions that the server received, and the champion by its alias."""
        from mlflow import MlflowClient  # it takes seconds to import

        client = MlflowClient(self.uri)
        runs = client.search_runs([client.get_experiment_by_name(self.name).experiment_id])
        tags = [run.data.tags for run in runs if "mlflow.parentRunId" not in run.data.tags]
        number = client.get_model_version_by_alias(self.name, "champion").version
        champion = client.get_model_version(self.name, number).tags["titanic_ml.version"]
        return sorted(tag["titanic_ml.version"] for tag in tags), champion


@pytest.fixture
def store(store_here) -> Path:
    return store_here


@pytest.fixture
def in_folder(tmp_path, store, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def project(in_folder, mlflow_server, quick, run) -> Project:
    return Project(in_folder, mlflow_server, quick, run)


@pytest.fixture
def own(in_folder, own_mlflow, quick, run) -> Project:
    return Project(in_folder, own_mlflow.uri, quick, run)


def test_a_training_is_tracked_and_served(project, free_port, wait_for):
    training = project.run("train")
    assert training["tracked"]["runs"].keys() == {training["version"]}
    assert project.tracked() == ([training["version"]], training["version"])

    table, output = ROOT / "data/test.csv", project.folder / "theirs.csv"
    python("-c", LOAD, project.uri, project.name, table, output, folder=project.folder)
    project.run("predict", table, "--output", "ours.csv", "--probability")
    theirs, ours = pd.read_csv(output), pd.read_csv(project.folder / "ours.csv")
    pd.testing.assert_frame_equal(theirs, ours, check_exact=True)

    words = ["models", "serve", "-m", f"models:/{project.name}@champion", "-p", str(free_port)]
    server = subprocess.Popen(
        [sys.executable, "-m", "mlflow", *words, "--env-manager", "local"],
        cwd=project.folder,
        env=os.environ
        | {"MLFLOW_TRACKING_URI": project.uri, "MLFLOW_DISABLE_TELEMETRY": "true"}
        | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        wait_for(f"http://127.0.0.1:{free_port}/ping")
        answers(project, f"http://127.0.0.1:{free_port}/invocations")
    finally:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()


def answers(project: Project, url: str) -> None:
    """Compare the request of docs/mlflow.md, and one with missing values, with `predict`."""

    def ask(row: dict) -> dict:
        body = json.dumps({"dataframe_records": [row]}).encode()
        request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            (found,) = json.load(answer)["predictions"]
            return found

    def ours(row: dict) -> dict:
        columns = pd.read_csv(ROOT / "data/test.csv", nrows=0).columns
        table = pd.DataFrame([row]).reindex(columns=columns)
        (project.folder / "row.csv").write_text(table.to_csv(index=False))
        project.run("predict", "row.csv", "--output", "answer.csv", "--probability")
        (found,) = pd.read_csv(project.folder / "answer.csv").to_dict("records")
        return found

    (row,) = json.loads(REQUEST)["dataframe_records"]
    assert ask(row) == ours(row)
    unknown = {"Age": None, "Cabin": None, "Embarked": None}
    silent = {name: value for name, value in row.items() if name not in unknown}
    assert ask(row | unknown) == ask(silent) == ours(row | unknown)
    with pytest.raises(urllib.error.HTTPError) as refused:
        ask(row | {"Pclass": 7})
    assert "column Pclass: found 7, expected a whole number, one of 1, 2, 3" in json.dumps(
        json.loads(refused.value.read())
    )


def test_promote_and_rollback_move_the_alias(project, add_version):
    first, second = project.store.open("champion").name, add_version().name
    project.run("models", "promote", second)  # neither was sent before
    assert project.tracked() == ([second], second)
    project.run("models", "rollback")
    assert project.tracked() == ([first, second], first)
    project.run("models", "promote", second)
    assert project.tracked() == ([first, second], second)


def test_a_server_that_dies_in_mid_training_loses_nothing(own, own_mlflow, add_version):
    before = own.store.open("champion").name
    process = own.start("train", "--json", "--verbose")
    with process:
        for line in process.stderr:
            if "rows read, all valid" in line:  # the work begins
                break
        own_mlflow.kill()
        out, err = process.communicate()
    assert process.returncode == 0, err
    training = json.loads(out)
    first = training["version"]
    assert training["promoted"] and training["tracked"]["pending"] == [first]
    assert "Connection refused" in training["tracked"]["why"]
    second = add_version().name
    own.run("models", "promote", second, "--force")  # while it is away
    assert own.run("models", "rollback")["champion"] == first
    left = own.run("track", "--pending", code=1)
    assert not left["runs"] and "Connection refused" in left["why"]

    own_mlflow.start()
    tracked = own.run("track", "--pending")
    assert set(tracked["runs"]) == {before, first, second} and not tracked["pending"]
    assert own.run("track", "--pending")["runs"] == {}
    versions, champion = own.tracked()
    assert sorted(versions) == sorted({before, first, second}) and champion == first


def test_a_server_that_dies_during_sending_receives_the_version_once(own, own_mlflow, add_version):
    version, before = add_version().name, own_mlflow.runs()
    with own.start("track", version) as process:
        while own_mlflow.runs() < before + 2:  # its own and a candidate's
            time.sleep(0.01)
        own_mlflow.kill()
        out, err = process.communicate()
    assert process.returncode == 1 and "Not sent yet" in out, err
    own_mlflow.start()
    own.run("track", "--pending")
    assert own_mlflow.runs() > before + 3
    versions, champion = own.tracked()
    assert sorted(versions) == sorted({version, champion})


def test_two_concurrent_programs_send_once(project):
    version = project.store.open("champion").name
    with project.start("track", version) as one, project.start("track", version) as other:
        outputs = [one.communicate(), other.communicate()]
    assert [one.returncode, other.returncode] == [0, 0], outputs
    assert project.tracked() == ([version], version)


def test_what_tracks_nothing_imports_no_mlflow(tmp_path, quick):
    words = [sys.executable, "-X", "importtime", str(ROOT / "main.py"), "train", *quick]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True)
    modules = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert done.returncode == 0 and "sklearn" in modules
    assert not {m for m in modules if "mlflow" in m or m.startswith("titanic_ml.integrations")}
