"""Several worker processes: they share a port and their metrics, and are replaced."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
pytestmark = [pytest.mark.system, pytest.mark.posix, pytest.mark.usefixtures("unmeasured")]


def ask(port: int, method: str, path: str, body: object = None) -> tuple[int, bytes]:
    with closing(HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        headers = {"Content-Type": "application/json"} if body else {}
        connection.request(method, path, json.dumps(body) if body else None, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()


@contextmanager
def service(port: int, log: Path, *words: object) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, ROOT / "main.py", "serve", "--port", str(port), "--workers", "2"]
    with log.open("wb") as file:
        running = subprocess.Popen([*command, *map(str, words)], stderr=file)
        try:
            yield running
        finally:
            running.kill()
            running.wait()
    assert "Traceback" not in log.read_text()


def ready_workers(port: int) -> set[int]:
    """The numbers of the processes that have loaded a version."""
    status, page = ask(port, "GET", "/metrics")
    assert status == 200, page
    return {int(n) for n in re.findall(r'model_version{pid="(\d+)",[^}]*} 1.0', page.decode())}


def test_they_share_a_port_and_metrics_and_a_killed_one_is_replaced(
    trained, free_port, passenger, wait_for, wait_until, tmp_path
):
    def all_counted() -> bool:
        counter = b'titanic_requests_total{path="/predict",status="200"} 20.0'
        return counter in ask(free_port, "GET", "/metrics")[1]

    words = [f"store.uri={trained}", f"monitoring.log={tmp_path}/log/"]
    with service(free_port, tmp_path / "stderr", *words) as running:
        wait_for(f"http://127.0.0.1:{free_port}/readyz")
        wait_until(lambda: len(ready_workers(free_port)) == 2)
        for _ in range(20):
            assert ask(free_port, "POST", "/predict", passenger)[0] == 200
        wait_until(all_counted)  # a request is counted once it has been answered
        first = min(ready_workers(free_port))
        os.kill(first, signal.SIGKILL)
        wait_until(lambda: len(ready_workers(free_port) - {first}) == 2)
        assert first not in ready_workers(free_port) and all_counted()
        running.send_signal(signal.SIGTERM)
        assert running.wait(timeout=35) == 0


def test_they_end_with_a_program_that_is_killed_and_leave_its_port(
    trained, free_port, wait_for, wait_until, tmp_path
):
    words = [f"store.uri={trained}", f"monitoring.log={tmp_path}/log/"]

    def refused() -> bool:
        with suppress(HTTPException, OSError):
            return not ask(free_port, "GET", "/readyz")
        return True

    with service(free_port, tmp_path / "stderr", *words) as running:
        wait_for(f"http://127.0.0.1:{free_port}/readyz")
        running.kill()
        wait_until(refused)
    with service(free_port, tmp_path / "stderr", *words) as running:
        wait_for(f"http://127.0.0.1:{free_port}/readyz")
        running.send_signal(signal.SIGINT)
        assert running.wait(timeout=35) == 0


def test_sigterm_answers_the_requests_that_have_been_read(
    trained, free_port, passengers, wait_for, tmp_path
):
    """Each connection that gets a byte of an answer gets the whole one."""
    rows = json.loads(passengers.drop(columns="Survived").to_json(orient="records"))
    answers, cut_off, started = [], [], threading.Event()

    def load() -> None:
        while True:
            connection = HTTPConnection("127.0.0.1", free_port, timeout=60)
            with closing(connection):
                try:
                    connection.request(
                        "POST", "/predict", json.dumps(rows), {"Content-Type": "application/json"}
                    )
                except OSError:
                    return  # the port is closed
                try:
                    answer = connection.getresponse()
                    answers.append((answer.status, len(json.loads(answer.read())["predictions"])))
                    started.set()
                except (OSError, HTTPException) as error:
                    cut_off.append(error)
                    return

    words = [f"store.uri={trained}", "monitoring.log=null"]
    with service(free_port, tmp_path / "stderr", *words) as running:
        wait_for(f"http://127.0.0.1:{free_port}/readyz")
        threads = [threading.Thread(target=load) for _ in range(4)]
        for thread in threads:
            thread.start()
        assert started.wait(60)
        running.send_signal(signal.SIGTERM)
        assert running.wait(timeout=35) == 0
        for thread in threads:
            thread.join()
    assert set(answers) == {(200, len(rows))}
    # Connections that the kernel had accepted for a worker, and that it had not yet read.
    assert all(isinstance(error, ConnectionError) for error in cut_off)


def test_an_error_of_the_first_workers_ends_the_service_with_a_sentence(
    trained, free_port, tmp_path
):
    (tmp_path / "file").touch()
    words = ["--workers", "2", "--port", str(free_port), f"store.uri={trained}", "--quiet"]
    done = subprocess.run(
        [sys.executable, ROOT / "main.py", "serve", *words, f"monitoring.log={tmp_path}/file/log/"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert f"{tmp_path}/file/log/: can't be written" in done.stderr
    assert "Error: the workers can't start" in done.stderr and "INFO" not in done.stderr


def test_a_later_worker_that_cannot_start_is_tried_again(
    store_here, free_port, passenger, wait_for, wait_until, tmp_path
):
    folder, stderr = tmp_path / "log", tmp_path / "stderr"
    words = [f"store.uri={store_here}", f"monitoring.log={folder}/"]
    with service(free_port, stderr, *words):
        wait_for(f"http://127.0.0.1:{free_port}/readyz")
        wait_until(lambda: len(ready_workers(free_port)) == 2)
        first = min(ready_workers(free_port))
        folder.touch()  # a file where a folder is expected
        os.kill(first, signal.SIGKILL)
        wait_until(lambda: "exited with code 1" in stderr.read_text())
        folder.unlink()
        wait_until(lambda: len(ready_workers(free_port) - {first}) == 2)
        assert ask(free_port, "POST", "/predict", passenger)[0] == 200
