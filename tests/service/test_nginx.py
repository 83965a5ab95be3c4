"""The example configuration of nginx, before a running service."""

from __future__ import annotations

import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress
from http.client import HTTPSConnection
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NAME = "titanic.example.org"
NGINX, OPENSSL = (
    shutil.which(program, path="/usr/sbin:/usr/bin") for program in ("nginx", "openssl")
)
pytestmark = [
    pytest.mark.system,
    pytest.mark.posix,
    pytest.mark.skipif(not (NGINX and OPENSSL), reason="no nginx or openssl"),
]


class Proxy:
    """A running nginx, asked by the name of its certificate."""

    def __init__(self, port: int, certificate: Path) -> None:
        self.port = port
        self.context = ssl.create_default_context(cafile=certificate)

    def connect(self) -> ssl.SSLSocket:
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=60)
        return self.context.wrap_socket(plain, server_hostname=NAME)

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, bytes]:
        connection = HTTPSConnection(NAME, self.port, timeout=60)
        with closing(connection):
            connection.sock = self.connect()
            connection.request(method, path, body or None, {"Host": NAME, **headers})
            answer = connection.getresponse()
            return answer.status, answer.read()


@pytest.fixture(scope="module")
def proxy(trained, tmp_path_factory) -> Iterator[Proxy]:
    folder = tmp_path_factory.mktemp("nginx")
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    words = [OPENSSL, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1"]
    words += ["-keyout", key, "-out", certificate, "-subj", f"/CN={NAME}"]
    words += ["-addext", f"subjectAltName=DNS:{NAME}"]
    subprocess.run(words, check=True, capture_output=True)
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("", 0)) as other:
        port, behind = one.getsockname()[1], other.getsockname()[1]
    example = (ROOT / "deploy/nginx/titanic.conf").read_text()
    for found, ours in {
        "/etc/ssl/certs/titanic.pem": certificate,
        "/etc/ssl/private/titanic.key": key,
        "listen 443": f"listen 127.0.0.1:{port}",
        "127.0.0.1:8000": f"127.0.0.1:{behind}",
    }.items():
        assert found in example
        example = example.replace(found, str(ours))
    (folder / "titanic.conf").write_text(example)
    frame = "daemon off; pid {0}/pid; error_log {0}/error.log; events {{}}\n"
    temporary = " ".join(
        f"{kind}_temp_path {folder}/{kind};"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    http = f"http {{ access_log off; {temporary} include {folder}/titanic.conf; }}\n"
    user = "user root;\n" if os.geteuid() == 0 else ""  # the owner of the folder
    (folder / "nginx.conf").write_text(user + frame.format(folder) + http)
    serve = [sys.executable, ROOT / "main.py", "serve", "--quiet", f"--port={behind}"]
    serve += [f"store.uri={trained}", "monitoring.log=null", f"service.allowed_hosts={NAME}"]
    with ExitStack() as stack:
        for words in (serve, [NGINX, "-c", folder / "nginx.conf", "-e", folder / "error.log"]):
            process = subprocess.Popen(words)
            stack.callback(process.wait)
            stack.callback(process.terminate)
        found = Proxy(port, certificate)
        end = time.monotonic() + 180
        while True:
            with suppress(OSError):
                if found.ask("GET", "/readyz")[0] == 200:
                    break
            assert time.monotonic() < end
            time.sleep(0.2)
        yield found


def test_predictions_and_the_dashboard_come_through(proxy, passenger):
    headers = {"Content-Type": "application/json"}
    status, body = proxy.ask("POST", "/predict", json.dumps(passenger).encode(), **headers)
    assert status == 200 and json.loads(body)["Survived"] in (0, 1)
    assert b"What if?" in proxy.ask("GET", "/")[1]
    table = (ROOT / "data/test.csv").read_bytes()
    status, body = proxy.ask("POST", "/predict/file", table, **{"Content-Type": "text/csv"})
    assert status == 200 and body.count(b"\n") == 419


def test_large_heads_and_bodies_are_refused(proxy):
    assert proxy.ask("GET", "/healthz", **{"X-Long": "x" * 100_000})[0] == 400
    with proxy.connect() as large:
        large.sendall(f"POST /predict HTTP/1.1\r\nHost: {NAME}\r\n".encode())
        large.sendall(b"Content-Length: 100000000\r\n\r\n")
        assert large.recv(100).startswith(b"HTTP/1.1 413")


def test_slow_heads_are_closed_while_others_are_answered(proxy):
    start = time.monotonic()
    with ExitStack() as stack:
        slow = [stack.enter_context(proxy.connect()) for _ in range(18)]
        for connection in slow:
            connection.sendall(b"GET /healthz HTTP/1.1\r\n")
        assert proxy.ask("GET", "/healthz")[0] == 200
        assert all(connection.recv(100) == b"" for connection in slow)
    assert 5 < time.monotonic() - start < 30


def test_a_client_with_too_many_connections_is_refused(proxy):
    with ExitStack() as stack:
        for _ in range(25):  # each waits for a body
            held = stack.enter_context(proxy.connect())
            held.sendall(
                f"POST /predict HTTP/1.1\r\nHost: {NAME}\r\nContent-Length: 9\r\n\r\n".encode()
            )
        assert proxy.ask("GET", "/healthz")[0] == 429
