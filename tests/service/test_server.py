"""The program: it answers, and ends when it is told to."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import pytest

from titanic_ml.storage.tables import read_table

ROOT = Path(__file__).parents[2]


@pytest.mark.system
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM")
def test_it_answers_until_sigterm_and_exits_with_0(
    trained, free_port, passenger, wait_for, tmp_path
):
    from titanic_ml.service.server import GRACE

    words = ["serve", "--port", str(free_port), f"store.uri={trained}"]
    with open(tmp_path / "log", "w+") as told:
        program = subprocess.Popen(
            [sys.executable, ROOT / "main.py", *words], stdout=told, stderr=told, cwd=tmp_path
        )
        try:
            wait_for(f"http://127.0.0.1:{free_port}/healthz")
            connection = HTTPConnection("127.0.0.1", free_port, timeout=30)
            kind = {"Content-Type": "application/json"}
            connection.request("POST", "/predict", json.dumps(passenger), kind)
            answer = connection.getresponse()
            assert answer.status == 200 and "server" not in dict(answer.getheaders())
            version = json.loads(answer.read())["model_version"]
            connection.close()
            program.send_signal(signal.SIGTERM)
            assert program.wait(timeout=GRACE - 5) == 0  # it waits for nothing
        finally:
            program.kill()
        told.seek(0)
        log = told.read()
    assert f"INFO: {version} predicts from now on" in log
    assert '"path": "/predict", "status": 200' in log and "Traceback" not in log


def ask(port: int, method: str, path: str, body: object = None) -> tuple[int, bytes]:
    with closing(HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
        kind = {"Content-Type": "application/json"} if body else {}
        connection.request(method, path, json.dumps(body) if body else None, kind)
        answer = connection.getresponse()
        return answer.status, answer.read()


@contextmanager
def program(*words: object) -> Iterator[subprocess.Popen[bytes]]:
    given = [sys.executable, ROOT / "main.py", "serve", *map(str, words)]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    started = subprocess.Popen(given, **quiet)
    try:
        yield started
    finally:
        started.kill()
        started.wait()


@pytest.mark.system
@pytest.mark.posix
def test_several_workers_share_a_port_and_put_their_numbers_together(
    trained, free_port, passenger, wait_for, wait_until, tmp_path
):
    words = ["--port", free_port, "--workers", 2, f"store.uri={trained}"]
    with program(*words, f"monitoring.log={tmp_path}/log/") as running:
        wait_for(f"http://127.0.0.1:{free_port}/readyz")

        def metrics() -> str:
            status, page = ask(free_port, "GET", "/metrics")
            assert status == 200, page
            return page.decode()

        def workers() -> set[int]:
            page = metrics()
            return {int(n) for n in re.findall(r'model_version{pid="(\d+)",[^}]*} 1.0', page)}

        def all_counted() -> bool:
            return 'titanic_requests_total{path="/predict",status="200"} 20.0' in metrics()

        wait_until(lambda: len(workers()) == 2)
        for _ in range(20):
            assert ask(free_port, "POST", "/predict", passenger)[0] == 200
        wait_until(all_counted)  # a request is counted once it has been answered
        first = min(workers())
        os.kill(first, signal.SIGKILL)  # it is replaced, and what it counted stays
        wait_until(lambda: len(workers() - {first}) == 2)
        assert first not in workers() and all_counted()
        running.send_signal(signal.SIGTERM)
        assert running.wait(timeout=30) == 0


def test_a_worker_can_say_that_it_lives_before_it_imports_what_takes_long():
    """Its supervisor asks from its start on, and would replace it forever on a slow machine."""
    needs = "import sys, titanic_ml.service.server, titanic_ml.cli.app"
    slow = "{'fastapi', 'numpy', 'pandas', 'pydantic', 'scipy', 'sklearn'}"
    told = subprocess.run(
        [sys.executable, "-c", f"{needs}; print(sorted({slow} & set(sys.modules)))"],
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert told.stdout.strip() == "[]", told.stderr


@pytest.mark.system
@pytest.mark.posix
def test_workers_end_with_a_program_that_is_killed_and_leave_its_port(
    trained, free_port, wait_for, wait_until, tmp_path
):
    words = ["--port", free_port, f"store.uri={trained}", f"monitoring.log={tmp_path}/log/"]
    address = f"http://127.0.0.1:{free_port}/readyz"

    def refused() -> bool:
        with suppress(HTTPException, OSError):
            return not ask(free_port, "GET", "/readyz")
        return True

    with program(*words, "--workers", 2) as running:
        wait_for(address)
        running.kill()
        wait_until(refused)
    with program(*words):
        wait_for(address)


@pytest.mark.system
@pytest.mark.posix
@pytest.mark.parametrize("kind", ["parquet", "sqlite"])
def test_a_kill_leaves_whole_batches_and_the_next_start_goes_on(
    trained, free_port, passenger, wait_for, wait_until, tmp_path, kind, unmeasured
):
    """What the log said it had written is there, and no file or row is half written."""
    uri = {"parquet": f"{tmp_path}/log/", "sqlite": f"sqlite:///{tmp_path}/log.db?table=log"}[kind]
    words = ["--port", free_port, f"store.uri={trained}", f"monitoring.log={uri}"]
    written, over, answered = [0.0], threading.Event(), []

    def load() -> None:
        with suppress(OSError, HTTPException):
            while not over.is_set():
                answered.append(ask(free_port, "POST", "/predict", passenger)[0])

    def count() -> float:
        page = ask(free_port, "GET", "/metrics")[1].decode()
        return float(re.search(r"(?m)^titanic_log_rows_total (\S+)", page)[1])

    with program(*words) as running:
        wait_for(f"http://127.0.0.1:{free_port}/readyz")
        threads = [threading.Thread(target=load) for _ in range(4)]
        for thread in threads:
            thread.start()
        wait_until(lambda: written.append(count()) or written[-1] > 0)
        running.kill()
        over.set()
        for thread in threads:
            thread.join()
    assert set(answered) == {200}
    found = read_table(uri)
    assert written[-1] <= len(found) <= len(answered)
    assert found["PassengerId"].astype(int).eq(1).all() and found["Survived"].notna().all()
    with program(*words):
        wait_for(f"http://127.0.0.1:{free_port}/readyz")
        assert ask(free_port, "POST", "/predict", passenger)[0] == 200
        assert len(read_table(uri)) == len(found)


def test_without_its_extra_it_says_what_to_install(run, monkeypatch):
    from titanic_ml.cli import options

    monkeypatch.setattr(options, "find_spec", lambda name: None if name == "uvicorn" else 1)
    done = run("serve")
    assert done.code == 2 and "pip install 'titanic_ml[serve]'" in done.err


def test_an_address_that_cannot_be_used_is_named(run, trained, free_port):
    with socket.create_server(("127.0.0.1", free_port)):
        done = run("serve", "--port", free_port, f"store.uri={trained}")
    expected = f"can't listen at --host 127.0.0.1 --port {free_port}: address already in use"
    assert done.code == 2 and done.err.startswith(f"Error: {expected}")
    done = run("serve", "--host", "no.such.host.invalid", f"store.uri={trained}")
    assert done.code == 2 and "can't listen at --host no.such.host.invalid" in done.err
