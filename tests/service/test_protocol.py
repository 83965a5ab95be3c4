"""Slow and oversized heads don't hold connections."""

from __future__ import annotations

import socket
import time
from contextlib import ExitStack

import pytest

from titanic_ml.service import protocol

START = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"


@pytest.fixture
def connect(service):
    with ExitStack() as stack:
        yield lambda: stack.enter_context(
            socket.create_connection(("127.0.0.1", service.port), timeout=20)
        )


def closed(connection: socket.socket) -> bytes:
    """Return the bytes until the server closes the connection."""
    found = b""
    try:
        while data := connection.recv(4_096):
            found += data
    except ConnectionResetError:
        pass
    return found


@pytest.mark.parametrize("sent", [b"", START])
def test_an_incomplete_head_is_closed(connect, service, monkeypatch, sent):
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.2)
    slow = connect()
    slow.sendall(sent)
    assert closed(slow) == b""
    assert service.get("/healthz").status == 200


def test_a_dripping_head_is_closed_also_in_a_later_request(connect, monkeypatch):
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.5)
    slow = connect()
    slow.sendall(START + b"\r\n")
    assert slow.recv(4_096).startswith(b"HTTP/1.1 200")
    start = time.monotonic()
    with pytest.raises(OSError):
        for byte in START * 100:
            slow.sendall(bytes([byte]))
            time.sleep(0.02)
    assert time.monotonic() - start < 10


def test_a_large_head_is_refused(connect, service):
    large = connect()
    with pytest.raises(OSError):
        large.sendall(START)
        for _ in range(1_000):
            large.sendall(b"x" * 100_000)
    assert service.get("/healthz").status == 200


def test_three_hundred_slow_clients_delay_no_others(connect, service, passenger):
    for _ in range(300):
        connect().sendall(START)
    start = time.perf_counter()
    assert service.get("/healthz").status == 200
    assert time.perf_counter() - start < 0.2
    assert service.post(passenger).status == 200


def test_a_body_that_continues_after_its_answer_is_cut_off(connect, monkeypatch):
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.3)
    slow = connect()
    slow.sendall(b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: x/y\r\n")
    slow.sendall(b"Content-Length: 1000000\r\n\r\n")
    assert slow.recv(4_096).startswith(b"HTTP/1.1 415")
    with pytest.raises(OSError):
        for _ in range(1_000):
            slow.sendall(b"x")
            time.sleep(0.02)
