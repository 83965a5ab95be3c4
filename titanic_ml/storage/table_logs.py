"""Tables with a log of their valid Parquet files: they are refused, not read without the log."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from titanic_ml.errors import SettingsError, UnreadableTable

# Imported in functions: obstore, which local files do without.

# The folder of the log, by the specification of each format.
LOGS = {
    "_delta_log": "Delta Lake",
    ".hoodie": "Apache Hudi",
    "_spark_metadata": "Spark Structured Streaming",
}
ICEBERG, METADATA = "metadata", ".metadata.json"


def refuse_logged(paths: Iterable[Path]) -> None:
    """Refuse files that belong to a table with a log: the log may have removed them.

    Parameters
    ----------
    paths
        Files or folders; a log in any folder above them counts.

    Raises
    ------
    UnreadableTable
        One is in a folder with such a log.
    """
    folders = {folder for path in paths for folder in _with_parents(path)}
    for folder in sorted(folders):
        for name, kind in LOGS.items():
            if (folder / name).is_dir():
                raise _refused(str(folder), kind, name)
        if next((folder / ICEBERG).glob(f"*{METADATA}"), None):
            raise _refused(str(folder), "Apache Iceberg", ICEBERG)


def refuse_logged_objects(store: Any, root: str, keys: Iterable[str]) -> None:
    """Refuse objects of a bucket that belong to a table with a log.

    Parameters
    ----------
    store
        Client of the bucket.
    root
        Address of the bucket.
    keys
        Prefix of the objects.

    Raises
    ------
    UnreadableTable
        A folder above one of them has such a log.
    """
    import obstore

    folders = {
        "/".join(key.split("/")[:depth]) for key in keys for depth in range(key.count("/") + 1)
    }
    for folder in sorted(folders):
        listed = obstore.list_with_delimiter(store, folder or None)
        names = {path.rpartition("/")[2] for path in listed["common_prefixes"]}
        where = f"{root}/{folder}".rstrip("/")
        for name, kind in LOGS.items():
            if name in names:
                raise _refused(where, kind, name)
        if ICEBERG in names:
            inside = obstore.list_with_delimiter(store, f"{folder}/{ICEBERG}".lstrip("/"))
            if any(one["path"].endswith(METADATA) for one in inside["objects"]):
                raise _refused(where, "Apache Iceberg", ICEBERG)


def refuse_to_write(path: Path, shown: str) -> None:
    """Refuse an output inside a table with a log, which would not know of it.

    Raises
    ------
    SettingsError
        It is in a folder with such a log.
    """
    try:
        refuse_logged([path])
    except UnreadableTable as error:
        raise SettingsError(f"{shown}: can't be written: {error}") from None


def _with_parents(path: Path) -> Iterable[Path]:
    whole = path.absolute()
    return {whole, *whole.parents, *whole.resolve().parents}


def _refused(folder: str, kind: str, log: str) -> UnreadableTable:
    return UnreadableTable(
        f"{folder} is a table of {kind}: {log} says which of its files are valid, and without "
        "it deleted rows would come back; export the table to plain Parquet files, or read it with "
        "a library of that format in Python and pass its Arrow table"
    )
