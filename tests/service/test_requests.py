"""Parsing of requests, and the status of refused ones."""

from __future__ import annotations

import gzip
import json
import socket

import pytest

from titanic_ml.service import requests


@pytest.mark.parametrize(
    "kind", ["text/csv", "", "application/octet-stream", "multipart/form-data"]
)
def test_another_type_is_refused(service, passenger, kind):
    answer = service.post(passenger, Content_Type=kind)
    assert answer.status == 415 and answer.json["error"].endswith("expected application/json")
    assert service.post(passenger, Content_Type="Application/JSON; charset=utf-8").status == 200


@pytest.mark.parametrize(
    "body, said",
    [
        (b"", "Expecting value"),
        (b"{", "Expecting property name"),
        (b'{"Age": NaN}', "NaN is no number of JSON"),
        (b"\xff\xfe\xff", "not JSON in UTF-8"),
        (b'{"Name": "\\ud800"}', "surrogates not allowed"),
        (b"[" * 100_000, "not JSON in UTF-8"),
        (b"9" * 5_000, "not JSON in UTF-8"),
        (b'{"Age": 22, "Age": 70}', "'Age' is named twice in an object"),
    ],
)
def test_what_is_not_json_is_refused(service, body, said):
    answer = service.post(body)
    assert answer.status == 400 and said in answer.json["error"]


@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate"])
def test_a_compressed_body_is_refused_by_the_name_of_the_header(service, passenger, encoding):
    answer = service.post(gzip.compress(b"{}"), Content_Encoding=encoding)
    expected = f"found the content-encoding '{encoding}', expected none"
    assert (answer.status, answer.json["error"]) == (415, expected)


def test_a_pair_of_surrogates_is_a_character(service, passenger):
    body = json.dumps(passenger | {"Name": "Smile, Mr. \U0001f600"}).encode()
    assert b"\\ud83d" in body and service.post(body).status == 200


@pytest.mark.parametrize("body", [1, "x", None, [1], [{}, 1], [[]]])
def test_what_is_no_passenger_is_refused(service, body):
    answer = service.post(body)
    assert answer.status == 422 and "or a list of such" in answer.json["error"]
    assert service.post([]).json["error"] == "found no passenger, expected at least one"


def test_too_many_fields_are_refused(service, passenger):
    answer = service.post([passenger, passenger | dict.fromkeys(map(str, range(100_000)), 1)])
    assert (answer.status, answer.json["error"]) == (
        *(422, "passenger 2 has 100,008 fields, expected at most 1,000"),
    )


def test_too_many_passengers_or_bytes_are_refused(service, passenger, monkeypatch):
    monkeypatch.setattr(requests, "MOST_ROWS", 2)
    assert service.post([passenger | {"PassengerId": n} for n in (1, 2)]).status == 200
    assert service.post([passenger] * 3).json["error"] == ("found 3 rows, expected at most 2")
    monkeypatch.setattr(requests, "MOST_BYTES", 1_000)
    answer = service.post([passenger | {"Name": "x" * 1_000}])
    assert (answer.status, answer.json["error"]) == (
        *(413, "found more than 1,000 bytes, expected fewer"),
    )


def test_a_disconnected_client_harms_no_others(service, passenger):
    for _ in range(20):
        with socket.create_connection(("127.0.0.1", service.port)) as half:
            half.sendall(
                b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                b"Content-Length: 500\r\n\r\n{"
            )
    assert service.post(passenger).status == 200
