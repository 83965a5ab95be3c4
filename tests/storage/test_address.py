"""Addresses of tables: what is in them, and what people may see of them."""

from __future__ import annotations

import pytest

from titanic_ml.errors import SettingsError
from titanic_ml.storage.address import SqlAddress, parse

FILES = {
    "-": ("standard", ".csv", False),
    "a.csv": ("local", ".csv", False),
    "A.CSV.GZ": ("local", ".csv.gz", False),
    "data/a.parquet": ("local", ".parquet", False),
    "data/*.parquet": ("local", ".parquet", True),
    "out/": ("local", ".parquet", True),
    "s3://bucket/a/b.csv": ("bucket", ".csv", False),
    "gs://bucket/a.csv": ("bucket", ".csv", False),
    "az://container/a.parquet": ("bucket", ".parquet", False),
    "s3://bucket/a/": ("bucket", ".parquet", True),
    "s3://bucket/a/*.parquet": ("bucket", ".parquet", True),
    "https://host/a.csv?token=x": ("http", ".csv", False),
    "http://host/a.parquet": ("http", ".parquet", False),
}


@pytest.mark.parametrize("uri", FILES)
def test_the_address_of_files_says_where_and_what_they_are(uri):
    address = parse(uri)
    assert (address.place, address.suffix, address.many) == FILES[uri]
    assert address.keeps_runs == (address.suffix == ".parquet")


def test_a_folder_that_is_there_needs_no_slash(tmp_path):
    (tmp_path / "runs").mkdir()
    (tmp_path / "odd.parquet").mkdir()
    assert parse(f"{tmp_path}/runs").many and parse(f"{tmp_path}/odd.parquet").many


def test_the_address_of_a_table_says_which():
    assert parse("sqlite:///a/b.db?table=t") == SqlAddress(
        "sqlite", "a/b.db", "t", "", "", "append", "sqlite:///a/b.db?table=t"
    )
    assert parse("sqlite:////a/b.db?table=t").database == "/a/b.db"
    address = parse("postgresql://ann:pw@host:5432/db?sslmode=require&table=a%20b&schema=s")
    assert (address.table, address.schema, address.query) == ("a b", "s", "")
    assert address.database == (
        "postgresql://ann:pw@host:5432/db?sslmode=require&connect_timeout=10"
    )
    assert parse("postgres://host/db?connect_timeout=3&query=SELECT 1+1").query == "SELECT 1+1"
    assert parse("sqlite:///a.db?table=t&if_exists=fail").if_exists == "fail"


REFUSED = {
    "": "unknown kind of table, expected a name ending in .csv",
    "a.xlsx": "a.xlsx: unknown kind of table",
    "file:///a.csv": "unknown kind of table",
    "s3:///a.csv": "s3:///a.csv: no address of a bucket, expected s3://bucket/name",
    "s3://bucket//a.csv": "no address of a bucket.*without empty parts",
    "gs://bucket/a//b.csv": "no address of a bucket",
    "s3://bucket/a.txt": "unknown kind of table",
    "https://host/folder/": "unknown kind of table",
    "sqlite://a.db?table=t": "expected sqlite:///file.db, or sqlite:////folder/file.db for a whole",
    "sqlite:///?table=t": "expected sqlite:///file.db",
    "sqlite:///a.db": "expected either .table=NAME or .query=SELECT",
    "sqlite:///a.db?table=t&query=SELECT 1": "expected either .table=NAME or .query=SELECT",
    "sqlite:///a.db?table=t&if_exists=ignore": "if_exists is ignore, expected one of fail, append",
    "postgresql://a:b@c@host/db?table=t": "not an address of a server.*an @ is written %40",
    "postgresql://a:b/c@host/db?table=t": "not an address of a server.*a slash %2F",
    "postgresql://host:port/db?table=t": "not an address of a server",
    "s3://key:pw@bucket/a.csv": "found a user or a key.*AWS_SECRET_ACCESS_KEY",
    "https://ann:pw@host/a.csv": "found a user or a key in the address, expected none",
}


@pytest.mark.parametrize("uri", REFUSED)
def test_an_address_that_lacks_something_reports_what(uri):
    with pytest.raises(SettingsError, match=REFUSED[uri]):
        parse(uri)


@pytest.mark.posix
def test_a_tilde_is_a_home_folder_or_part_of_a_name(monkeypatch):
    monkeypatch.setenv("HOME", "/home/ann")
    for uri, path in {
        "~/a.csv": "/home/ann/a.csv",
        "~nobody-has-this-name/a.csv": "~nobody-has-this-name/a.csv",
        "~a.csv": "~a.csv",
    }.items():
        assert parse(uri).path == path
    assert parse("sqlite:///~a.db?table=t").database == "~a.db"
