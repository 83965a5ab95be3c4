"""Requests that would exhaust a service: each is refused soon, while others are answered.

All go to one service with two worker processes, on this machine.
"""

from __future__ import annotations

import io
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

ROOT = Path(__file__).parents[2]
SECONDS = 5.0  # for a refusal; one second on a quiet core
HEALTH_SECONDS = 1.0  # median of /healthz meanwhile; 0.2 s on a quiet core
MOST_MEMORY = 600 << 20  # of a worker
JSON = {"Content-Type": "application/json"}
pytestmark = [pytest.mark.system, pytest.mark.posix]


class Service:
    """A running service with two workers."""

    def __init__(self, port: int, process: subprocess.Popen[bytes]) -> None:
        self.port, self.process = port, process

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, str]:
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=60)) as connection:
            connection.request(method, path, body or None, headers)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()

    def post(self, path: str, body: object, kind: str = "application/json") -> tuple[int, str]:
        sent = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.ask("POST", path, sent, **{"Content-Type": kind})

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=60)

    def memory(self) -> int:
        """Bytes of the largest worker at its peak."""
        if not Path("/proc/self/status").exists():
            pytest.skip("no /proc to measure memory with")
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        pages = [Path(f"/proc/{pid}/status").read_text() for pid in children.split()]
        return max(int(page.split("VmHWM:")[1].split()[0]) << 10 for page in pages)


@pytest.fixture(scope="module")
def service(trained, tmp_path_factory) -> Iterator[Service]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [
        sys.executable,
        ROOT / "main.py",
        "serve",
        "--quiet",
        "--workers=2",
        f"--port={port}",
    ]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("COVERAGE_PROCESS")}
    words = [f"store.uri={trained}", "monitoring.log=null"]
    process = subprocess.Popen([*command, *words], env=environment)
    found = Service(port, process)
    try:
        end = time.monotonic() + 180
        while True:
            try:
                if found.ask("GET", "/readyz")[0] == 200:
                    break
            except (OSError, HTTPException):
                assert time.monotonic() < end
            time.sleep(0.1)
        yield found
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=35) == 0
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def healthy(service) -> Callable[..., object]:
    """Ask for `/healthz` all the time while a block runs, and check how long it took."""

    @contextmanager
    def watch() -> Iterator[None]:
        over, seconds = threading.Event(), []

        def probe() -> None:
            while not over.is_set():
                start = time.perf_counter()
                assert service.ask("GET", "/healthz")[0] == 200
                seconds.append(time.perf_counter() - start)
                time.sleep(0.02)

        with ThreadPoolExecutor(1) as pool:
            probing = pool.submit(probe)
            try:
                yield
            finally:
                over.set()
            probing.result()
        assert statistics.median(seconds) < HEALTH_SECONDS
        assert max(seconds) < SECONDS

    return watch


def passenger(**facts: object) -> dict[str, object]:
    return {
        "Pclass": 3,
        "Name": "Braund, Mr. Owen Harris",
        "Sex": "male",
        "SibSp": 1,
        "Parch": 0,
        "Ticket": "A/5 21171",
        **facts,
    }


def many_unknown() -> list[dict[str, object]]:
    unknown = [f"x{place}" for place in range(20)]
    return [passenger(PassengerId=n, **{f"{x}{n}": 1 for x in unknown}) for n in range(4_000)]


def bomb() -> bytes:
    """A Parquet file of some kilobytes, with a long name that many rows share."""
    rows = 3 << 14
    names = pa.DictionaryArray.from_arrays(pa.array([0] * rows), ["x" * 40_000])
    table = pa.table({"Name": names, "a": range(rows)})
    file = io.BytesIO()
    pq.write_table(table, file, compression="zstd")
    assert file.tell() < 1 << 20
    return file.getvalue()


ATTACKS = {
    "digits and a letter": lambda: passenger(Age="1" * 16_000 + "x"),
    "a name without a full stop": lambda: passenger(Name="x" * 100_000),
    "letters that normalise to 18": lambda: passenger(Name="\ufdfa" * 500_000),
    "100 kB in each field": lambda: {name: "1" * 100_000 for name in passenger()},
    "unknown fields of many passengers": many_unknown,
    "120,000 unknown fields": lambda: passenger(**{f"x{n}": n for n in range(120_000)}),
    "deep lists": lambda: b"[" * 1_000_000,
    "deep objects": lambda: b'{"a":' * 1_000_000,
    "a number of 100,000 digits": lambda: b'{"Age": ' + b"9" * 100_000 + b"}",
    "doubled keys": lambda: b"{" + b'"Age": 22, ' * 100_000 + b'"Age": 70}',
}


@pytest.mark.parametrize("kind", ATTACKS)
def test_it_is_refused_soon_while_others_are_answered(service, healthy, kind):
    body = ATTACKS[kind]()
    with healthy():
        start = time.perf_counter()
        status, answer = service.post("/predict", body)
        assert time.perf_counter() - start < SECONDS
    assert 400 <= status < 500 and len(answer) < 10_000, answer[:500]
    assert service.memory() < MOST_MEMORY


def test_eight_at_once_are_refused(service, healthy):
    bodies = [passenger(Age="1" * 100_000 + "x"), passenger(Name="x" * 100_000)] * 4
    with healthy(), ThreadPoolExecutor(len(bodies)) as pool:
        start = time.perf_counter()
        found = list(pool.map(lambda body: service.post("/predict", body)[0], bodies))
        assert time.perf_counter() - start < SECONDS
    assert set(found) == {422}


def test_a_parquet_bomb_is_refused(service, healthy):
    body = bomb()
    with healthy():
        start = time.perf_counter()
        status, answer = service.post("/predict/file", body, "application/vnd.apache.parquet")
        assert time.perf_counter() - start < SECONDS
    assert status == 422, answer
    assert service.memory() < MOST_MEMORY


@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate"])
def test_a_compressed_body_is_refused_by_its_header(service, encoding):
    headers = {**JSON, "Content-Encoding": encoding}
    status, answer = service.ask("POST", "/predict", b"\x1f\x8b" + b"0" * 100_000, **headers)
    assert status == 415 and "content-encoding" in answer


def test_three_hundred_slow_clients_delay_no_others(service, healthy):
    with ExitStack() as stack:
        for place in range(300):
            slow = stack.enter_context(service.connect())
            slow.sendall(b"POST /predict HTTP/1.1\r\nHost: localhost\r\n"[: 10 + place % 40])
        with healthy():
            for _ in range(20):
                assert service.post("/predict", passenger())[0] == 200


def test_a_head_of_a_hundred_megabytes_is_refused(service, healthy):
    with healthy(), service.connect() as large, pytest.raises(OSError):
        large.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: ")
        for _ in range(1_000):
            large.sendall(b"x" * 100_000)
    assert service.memory() < MOST_MEMORY


def test_sixty_explanations_at_once_are_some_answered_and_some_refused(service, healthy):
    with healthy(), ThreadPoolExecutor(60) as pool:
        found = list(pool.map(lambda _: service.post("/explain", passenger())[0], range(60)))
    assert set(found) <= {200, 429} and found.count(200) >= 2
    assert service.post("/explain", passenger())[0] == 200
