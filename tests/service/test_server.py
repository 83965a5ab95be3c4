"""The program: it answers, and ends when it is told to."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from http.client import HTTPConnection
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM")
def test_it_answers_until_sigterm_and_exits_with_0(
    trained, free_port, passenger, wait_for, tmp_path
):
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
            start = time.monotonic()
            assert program.wait(timeout=30) == 0
            assert time.monotonic() - start < 10
        finally:
            program.kill()
        told.seek(0)
        log = told.read()
    assert f"INFO: {version} answers from now on" in log
    assert '"path": "/predict", "status": 200' in log and "Traceback" not in log


def test_without_its_extra_it_says_what_to_install(run, monkeypatch):
    from titanic_ml.cli import options

    monkeypatch.setattr(options, "find_spec", lambda name: None if name == "uvicorn" else 1)
    done = run("serve")
    assert done.code == 2 and "pip install 'titanic_ml[serve]'" in done.err
