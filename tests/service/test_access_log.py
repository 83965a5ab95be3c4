"""Every request has an id, a line in the log and the headers."""

from __future__ import annotations

import logging
import socket

import pytest


def test_a_request_is_reported_in_one_line_without_what_was_asked(service, passenger, caplog):
    with caplog.at_level(logging.INFO, "titanic_ml.service.access"):
        answer = service.post(passenger, X_Request_Id="mine-7")
    assert answer.headers["x-request-id"] == "mine-7"
    (fields,) = [dict(r.fields) for r in caplog.records if r.name.endswith("access")]
    assert fields.pop("seconds") > 0
    assert fields == {"request": "mine-7", "method": "POST", "path": "/predict", "status": 200}


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, 'a"b'])
def test_an_id_that_is_not_plain_is_replaced(service, given):
    name = service.ask("GET", "/healthz", X_Request_Id=given).headers["x-request-id"]
    assert name != given and len(name) == 32


def test_security_headers_are_on_every_answer(service):
    for path in ("/healthz", "/nowhere"):
        headers = service.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "server" not in headers or "uvicorn" == headers["server"]
    refused = service.ask("OPTIONS", "/predict", Origin="https://elsewhere.example")
    assert "access-control-allow-origin" not in refused.headers


def test_a_request_that_takes_too_long_is_ended(service, passenger, monkeypatch):
    monkeypatch.setattr("titanic_ml.service.access_log.SECONDS", 0.3)
    with socket.create_connection(("127.0.0.1", service.port), timeout=20) as slow:
        head = b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        slow.sendall(head + b"Content-Length: 500\r\n\r\n{")
        answer = slow.recv(4_096)
    assert answer.startswith(b"HTTP/1.1 503") and b"retry-after: 1" in answer
    assert b"took longer than 0.3 seconds" in answer
    assert service.post(passenger).status == 200
