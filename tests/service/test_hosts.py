"""Requests by another host's name are refused."""

from __future__ import annotations

import pytest

from titanic_ml import TitanicPipeline


@pytest.mark.parametrize(
    "host",
    ["localhost", "LOCALHOST:8000", "127.0.0.1", "127.0.0.1:80", "10.1.2.3:8000", "[::1]:80"],
)
def test_localhost_and_addresses_are_allowed(service, host):
    assert service.ask("GET", "/healthz", Host=host).status == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example:80", "1.evil", "[::1", "a"]
)
def test_another_name_is_refused(service, host):
    refused = service.ask("GET", "/healthz", Host=host)
    assert refused.status == 400 and "service.allowed_hosts" in refused.json["error"]


def test_the_settings_name_others(start, store, quick):
    hosts = "service.allowed_hosts='titanic.example, *.internal'"
    own = start(TitanicPipeline(f"store.uri={store}", *quick, hosts), "champion", 0.05)
    for host, status in (("titanic.example:8000", 200), ("a.internal", 200), ("localhost", 400)):
        assert own.ask("GET", "/healthz", Host=host).status == status, host


@pytest.mark.parametrize("hosts", ["http://a.example", "a b", "''"])
def test_what_is_no_name_is_refused(run, hosts):
    done = run("config", f"service.allowed_hosts='{hosts}'")
    assert done.code == 2 and "service.allowed_hosts" in done.err
