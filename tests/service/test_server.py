"""The program `serve`: it responds, and ends after a signal."""

from __future__ import annotations

import json
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
    lines = [json.loads(line) for line in log.splitlines()]
    assert {"INFO"} == {line["level"] for line in lines}
    assert f"{version} predicts from now on" in {line["message"] for line in lines}
    assert ("/predict", 200) in {(line.get("path"), line.get("status")) for line in lines}


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
@pytest.mark.parametrize("kind", ["parquet", "sqlite"])
def test_a_kill_leaves_whole_batches_and_the_next_start_goes_on(
    trained, free_port, passenger, wait_for, wait_until, tmp_path, kind, unmeasured
):
    """The log has every row that it counted as written, and no partial one."""
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
