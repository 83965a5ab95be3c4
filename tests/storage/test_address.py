"""Addresses of tables: what is in them, and what people may see of them."""

from __future__ import annotations

import pytest

from titanic_ml.errors import SettingsError
from titanic_ml.storage.address import SqlAddress, parse, shown, without_secrets

FILES = {
    "-": ("standard", ".csv", False),
    "a.csv": ("local", ".csv", False),
    "A.CSV.GZ": ("local", ".csv.gz", False),
    "data/a.parquet": ("local", ".parquet", False),
    "data/*.parquet": ("local", ".parquet", True),
    "out/": ("local", ".parquet", True),
    "s3://bucket/a/b.csv": ("s3", ".csv", False),
    "s3://bucket/a/": ("s3", ".parquet", True),
    "s3://bucket/a/*.parquet": ("s3", ".parquet", True),
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
    "gs://bucket/a.csv": "unknown kind of table",
    "s3://bucket/a.txt": "unknown kind of table",
    "https://host/folder/": "unknown kind of table",
    "sqlite://a.db?table=t": "expected sqlite:///file.db, or sqlite:////folder/file.db for a whole",
    "sqlite:///?table=t": "expected sqlite:///file.db",
    "sqlite:///a.db": "expected either .table=NAME or .query=SELECT",
    "sqlite:///a.db?table=t&query=SELECT 1": "expected either .table=NAME or .query=SELECT",
    "sqlite:///a.db?table=t&if_exists=ignore": "if_exists is ignore, expected one of fail, append",
    "postgresql://a:b@c@host/db?table=t@": "",
    "postgresql://a:b/c@host/db?table=t": "not an address of a server.*a slash is written %2F",
    "postgresql://host:port/db?table=t": "not an address of a server",
}


@pytest.mark.parametrize("uri", [uri for uri in REFUSED if REFUSED[uri]])
def test_an_address_that_lacks_something_is_told_what(uri):
    with pytest.raises(SettingsError, match=REFUSED[uri]):
        parse(uri)


@pytest.mark.parametrize(
    ("uri", "seen"),
    [
        ("a.csv", "a.csv"),
        ("odd:name@x.csv", "odd:name@x.csv"),
        ("postgresql://ann:pw@host/db?table=t", "postgresql://ann:***@host/db?table=t"),
        ("postgresql://ann:p@w@host/db?table=t", "postgresql://ann:***@host/db?table=t"),
        ("postgresql://ann:p/w@host/db?table=t", "postgresql://ann:***@host/db?table=t"),
        ("postgresql://ann:p?w@host/db?table=t", "postgresql://ann:***"),
        ("postgresql://ann@host/db?password=pw&table=t", "postgresql://ann@host/db?table=t"),
        ("postgresql://host/db?query=SELECT%20%27@%27", "postgresql://host/db?query=SELECT '@'"),
        ("s3://key:pw@bucket/a.csv", "s3://key:***@bucket/a.csv"),
        ("https://ann:pw@host/a.csv?sig=pw#x", "https://ann:***@host/a.csv"),
        ("mysql://ann:pw@host/db", "mysql://ann:***@host/db"),
        ("sqlite:///a.db?query=SELECT '@:'", "sqlite:///a.db?query=SELECT '@:'"),
    ],
)
def test_people_see_an_address_without_its_secrets(uri, seen):
    assert shown(uri) == seen


def test_a_text_that_quotes_the_password_is_told_without_it():
    uri = "postgresql://ann:p%40w@host/db?password=other"
    assert without_secrets('"p@w" "p%40w" other', uri) == '"***" "***" ***'
