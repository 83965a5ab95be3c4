"""Addresses in messages: without passwords, also in messages of drivers."""

from __future__ import annotations

import pytest

from titanic_ml.errors import SettingsError
from titanic_ml.storage.secrets import (
    cause,
    check_no_userinfo,
    check_userinfo,
    shown,
    without_secrets,
)


@pytest.mark.parametrize(
    ("uri", "seen"),
    [
        ("a.csv", "a.csv"),
        ("odd:name@x.csv", "odd:name@x.csv"),
        ("postgresql://ann:pw@host/db?table=t", "postgresql://ann:***@host/db?table=t"),
        ("postgresql://ann:p@w@host/db?table=t", "postgresql://ann:***@host/db?table=t"),
        ("postgresql://ann:p/w@host/db?table=t", "postgresql://ann:***@host/db?table=t"),
        ("postgresql://ann:p?w@host/db?table=t", "postgresql://ann:***@host/db?table=t"),
        ("postgresql://ann:pw/db?table=t", "postgresql://ann:***?table=t"),
        ("postgresql://[::1]:5432/db?table=t", "postgresql://[::1]:5432/db?table=t"),
        ("postgresql:/ann:pw@host/db", "postgresql:/ann:***@host/db"),
        ("s3://bucket/a@b.csv", "s3://bucket/a@b.csv"),
        ("data.uri=https://pw@host", "data.uri=https://***@host"),
        ("postgresql://ann@host/db?password=pw&table=t", "postgresql://ann@host/db?table=t"),
        ("postgresql://host/db?query=SELECT%20%27@%27", "postgresql://host/db?query=SELECT '@'"),
        ("s3://key:pw@bucket/a.csv", "s3://***@bucket/a.csv"),
        ("https://ann:pw@host/a.csv?sig=pw#x", "https://***@host/a.csv"),
        ("mysql://ann:pw@host/db", "mysql://ann:***@host/db"),
        ("sqlite:///a.db?query=SELECT '@:'", "sqlite:///a.db?query=SELECT '@:'"),
    ],
)
def test_people_see_an_address_without_its_secrets(uri, seen):
    assert shown(uri) == seen


def test_a_text_that_quotes_the_password_is_reported_without_it():
    uri = "postgresql://ann:p%40w@host/db?password=other"
    assert without_secrets('"p@w" "p%40w" other', uri) == '"***" "***" ***'
    assert without_secrets('host "w@host"', "postgresql://ann:long/w@host/db") == 'host "w@host"'
    assert (
        without_secrets('port "long"', "data.uri=postgresql://ann:long/w@host/db") == 'port "***"'
    )
    assert without_secrets("?x=sign", "https://host/a.csv?x=sign") == "?***"
    assert without_secrets("a text", "a.csv", "sqlite:///a.db?table=text") == "a text"


def test_an_error_that_quotes_the_password_is_no_cause():
    quoting, harmless = ValueError("no host secret@host"), ValueError("no host")
    assert cause(quoting, "postgresql://ann:secret@host/db") is None
    assert cause(harmless, "postgresql://ann:secret@host/db") is harmless


@pytest.mark.parametrize("mark", "@/?#")
def test_a_mark_that_ends_the_host_is_refused_in_a_password(mark):
    with pytest.raises(SettingsError, match="expected user:password@host with one @") as caught:
        check_userinfo("postgresql://ann:" + f"first{mark}second@host/db")
    assert "first" not in str(caught.value) and "second" not in str(caught.value)
    check_userinfo("postgresql://ann:p%40w@host:1/db?query=SELECT '@'")


def test_a_key_in_an_address_is_refused():
    for uri in ("s3://key:pw@bucket/x", "gs://pw@bucket/x", "http://pw@host/x"):
        with pytest.raises(SettingsError, match="AWS_SECRET_ACCESS_KEY") as caught:
            check_no_userinfo(uri)
        assert "pw" not in str(caught.value)
    for uri in ("s3://bucket/a@b.csv", "https://host:80/a.csv", "postgresql://a:b@host/db", "a@b"):
        check_no_userinfo(uri)
