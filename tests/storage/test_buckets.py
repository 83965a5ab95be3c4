"""Buckets: addresses and variables that no client should see, and what a server's errors mean."""

from __future__ import annotations

import os

import obstore
import pyarrow
import pytest
from obstore.exceptions import GenericError, PermissionDeniedError
from obstore.store import MemoryStore
from pyarrow import parquet

from titanic_ml.errors import SettingsError
from titanic_ml.storage.buckets import check_bucket, client, is_clients, opened, reason
from titanic_ml.storage.object_store import ObjectStore

SAID = (
    "Generic S3 error: Error performing GET http://127.0.0.1:9000/b?list-type=2 in 3ms - Server "
    "returned non-2xx status code: {status}: <?xml?><Error><Code>{code}</Code><Message>{message}"
    "</Message><Resource>/b</Resource></Error>\n\nDebug source: Generic"
)
CODES = {
    "ExpiredToken": "AWS_SESSION_TOKEN",
    "AccessDenied": "AWS_ACCESS_KEY_ID",
    "InvalidAccessKeyId": "AWS_ACCESS_KEY_ID",
    "NoSuchBucket": "the name behind s3://",
    "SignatureDoesNotMatch": "AWS_SECRET_ACCESS_KEY",
    "RequestTimeTooSkewed": "the clock of this machine",
    "PermanentRedirect": "AWS_REGION",
    "AuthorizationHeaderMalformed": "AWS_REGION",
}


@pytest.mark.parametrize("code", CODES)
def test_the_code_of_a_server_comes_with_what_to_change(code):
    error = GenericError(SAID.format(status="403 Forbidden", code=code, message="It is so."))
    message = reason(error)
    assert message.startswith(f"http://127.0.0.1:9000 says {code}: It is so.; ")
    assert CODES[code] in message and "\n" not in message


def test_a_code_that_is_not_known_is_said_as_it_is():
    error = PermissionDeniedError(SAID.format(status="400 Bad", code="OddThing", message="Odd"))
    assert reason(error) == "http://127.0.0.1:9000 says OddThing: Odd"
    bare = "Error performing HEAD http://h:1/b in 1s - returned non-2xx status code: 301 Moved"
    assert reason(GenericError(bare)) == (
        "http://h:1 says 301 Moved; set AWS_REGION to the region of the bucket"
    )
    assert reason(GenericError("")) == "GenericError"
    asked = "Generic GCS error: Error performing GET http://169.254.169.254/computeMetadata in 1s"
    assert reason(GenericError(asked)).endswith("such as GOOGLE_APPLICATION_CREDENTIALS")
    account = "Generic MicrosoftAzure error: Account must be specified"
    assert "AZURE_STORAGE_ACCOUNT_NAME" in reason(GenericError(account))
    assert is_clients(GenericError("")) and not is_clients(ValueError(""))


@pytest.mark.parametrize(
    "uri", ["s3://", "s3:///x", "s3://b//x", "gs://b/x//y", "az:////", "s3://key:pw@b/x"]
)
def test_an_address_that_no_client_can_use_is_refused(uri):
    with pytest.raises(SettingsError, match="expected") as caught:
        check_bucket(uri)
    assert "key:pw" not in str(caught.value)
    check_bucket("s3://bucket")
    check_bucket("gs://bucket/folder/name.csv")


@pytest.mark.parametrize("name", ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"])
@pytest.mark.parametrize("value", ["localhost:9000", "minio", "http://", "ftp://host"])
def test_an_endpoint_that_is_no_address_is_named(monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=f"^{name} is .*expected an address that begins with"):
        client("s3://bucket")


def test_an_empty_variable_counts_as_unset(monkeypatch):
    for name in ("AWS_ENDPOINT_URL_S3", "AWS_REGION", "AWS_SESSION_TOKEN", "AWS_DEFAULT_REGION"):
        monkeypatch.setenv(name, "")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    config = client("s3://bucket").config
    assert config["endpoint"] == "http://127.0.0.1:1"
    assert not config.get("session_token") and config.get("region") != ""
    assert os.environ["AWS_REGION"] == ""  # the client left it as it was


def test_one_client_serves_a_process_until_its_variables_change(monkeypatch):
    monkeypatch.setenv("AWS_REGION", "eu-north-1")
    first = client("s3://bucket")
    assert client("s3://bucket") is first
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    assert client("s3://bucket") is not first
    assert client("memory:///a") is client("memory:///a") is not client("memory:///b")


def test_an_object_is_read_at_any_place():
    store = MemoryStore()
    table = pyarrow.table({"a": range(100_000)})
    sink = pyarrow.BufferOutputStream()
    parquet.write_table(table, sink, row_group_size=1000)
    obstore.put(store, "a/b.parquet", sink.getvalue().to_pybytes())
    with opened(store, "a/b.parquet") as file:
        assert parquet.ParquetFile(file).read().equals(table)
    obstore.put(store, "c.txt", b"0123456789")
    with opened(store, "c.txt") as file:
        file.seek(7)
        assert file.read() == b"789" and file.tell() == 10
        file.seek(-4, os.SEEK_END)
        assert file.read(2) == b"67"


def test_a_store_of_versions_is_refused_alike():
    for uri in ("s3:///models", "s3://b//models"):
        with pytest.raises(SettingsError, match="no address of a bucket"):
            ObjectStore(uri)
