"""The address of a table, taken apart."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias, cast, get_args
from urllib.parse import unquote, urlsplit

from titanic_ml.errors import SettingsError
from titanic_ml.storage.buckets import SCHEMES, check_bucket
from titanic_ml.storage.secrets import OWN, check_no_userinfo, check_userinfo, shown

RUN_ID, PREDICTED_AT = "run_id", "predicted_at"  # columns that identify a run of predictions
SUFFIXES = (".csv", ".csv.gz", ".parquet")
KNOWN = (
    f"a name ending in {', '.join(SUFFIXES)}, a folder or pattern of Parquet files, or an address "
    "that begins with s3://, gs://, az://, https://, sqlite:/// or postgresql://"
)
IfExists = Literal["fail", "append", "replace"]
Driver = Literal["sqlite", "postgresql"]
PATIENCE = 10  # seconds to reach a server


@dataclass(frozen=True)
class FileAddress:
    """One file, or a folder or pattern of Parquet files.

    Attributes
    ----------
    place
        Kind of place; `-` is `standard`, and `http` is read only.
    path
        A local path, or the whole address of a bucket or of the web.
    suffix
        One of `SUFFIXES`.
    many
        Whether it is a folder or a pattern.
    """

    place: Literal["local", "bucket", "http", "standard"]
    path: str
    suffix: str
    many: bool
    shown: str

    @property
    def keeps_runs(self) -> bool:
        """Whether predictions there have a column for the run."""
        return self.suffix == ".parquet"


@dataclass(frozen=True)
class SqlAddress:
    """A table of a database, or what a query gives.

    Attributes
    ----------
    database
        Argument of the driver: a path, or an address with its passwords.
    table, schema, query
        The table (in a schema), or the query; one of them is empty.
    if_exists
        Action if the table exists.
    """

    driver: Driver
    database: str
    table: str
    schema: str
    query: str
    if_exists: IfExists
    shown: str

    keeps_runs = True


Address: TypeAlias = FileAddress | SqlAddress


def parse(uri: str) -> Address:
    """Take an address apart.

    Raises
    ------
    SettingsError
        It is of no known kind, or lacks what its kind needs.
    """
    if uri == "-":
        return FileAddress("standard", uri, ".csv", False, uri)
    scheme, slashes, rest = uri.partition("://")
    check_no_userinfo(uri)
    if uri and not slashes:
        return _file("local", str(Path(os.path.expanduser(uri))) + uri[len(uri.rstrip("/")) :], uri)
    if scheme in ("sqlite", "postgresql", "postgres"):
        return _sql("sqlite" if scheme == "sqlite" else "postgresql", uri, rest)
    if scheme in SCHEMES:
        check_bucket(uri.rstrip("/"))
        return _file("bucket", uri, uri)
    if scheme in ("http", "https"):
        return _file("http", uri, uri)
    raise SettingsError(f"{shown(uri)}: unknown kind of table, expected {KNOWN}")


def _file(place: Literal["local", "bucket", "http"], path: str, uri: str) -> FileAddress:
    name = path.partition("?")[0] if place == "http" else path
    many = place != "http" and (
        name.endswith("/") or "*" in name or (place == "local" and Path(name).is_dir())
    )
    ending = next((suffix for suffix in SUFFIXES if name.lower().endswith(suffix)), "")
    if many and ending in ("", ".parquet"):
        return FileAddress(place, path, ".parquet", True, shown(uri))
    if not ending or not name:
        raise SettingsError(f"{shown(uri)}: unknown kind of table, expected {KNOWN}")
    return FileAddress(place, path, ending, False, shown(uri))


def _sql(driver: Driver, uri: str, rest: str) -> SqlAddress:
    database, _, text = rest.partition("?")
    parts = [part.partition("=") for part in text.split("&") if part]
    own = {name: unquote(value) for name, _, value in parts if name in OWN}
    others = "&".join(f"{name}={value}" for name, _, value in parts if name not in OWN)
    seen = shown(uri)
    if driver == "sqlite":
        if not database.startswith("/") or database == "/":
            raise SettingsError(
                f"{seen}: expected sqlite:///file.db, or sqlite:////folder/file.db for a whole path"
            )
        database = str(Path(os.path.expanduser(database[1:])))
    else:
        _check_server(uri, seen)
        if "connect_timeout=" not in others:
            others = "&".join(filter(None, [others, f"connect_timeout={PATIENCE}"]))
        database = f"postgresql://{database}?{others}"
    if bool(own.get("table")) == bool(own.get("query")):
        raise SettingsError(f"{seen}: expected either ?table=NAME or ?query=SELECT … behind it")
    if_exists = own.get("if_exists", "append")
    if if_exists not in get_args(IfExists):
        raise SettingsError(
            f"{seen}: if_exists is {if_exists}, expected one of {', '.join(get_args(IfExists))}"
        )
    names = own.get("table", ""), own.get("schema", ""), own.get("query", "")
    return SqlAddress(driver, database, *names, cast(IfExists, if_exists), seen)


def _check_server(uri: str, seen: str) -> None:
    """Refuse what the driver would misread."""
    check_userinfo(uri)
    try:
        split = urlsplit(uri)
        right = split.port is None or split.port > 0
    except ValueError:
        right = False
    if not right:
        raise SettingsError(
            f"{seen}: not an address of a server, expected postgresql://user:password@host:port/"
            "database"
        )
