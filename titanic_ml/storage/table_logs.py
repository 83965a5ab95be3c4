"""Tables with a log of their valid Parquet files: they are refused, not read without the log."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from titanic_ml.errors import SettingsError, UnreadableTable

# Imported in functions: the client of buckets, which local files do without.

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


def refuse_logged_objects(files: Any, paths: Iterable[str]) -> None:
    """Refuse objects of a bucket that belong to a table with a log.

    Parameters
    ----------
    files
        A file system of `pyarrow.fs`.
    paths
        Bucket and key of each object.

    Raises
    ------
    UnreadableTable
        A folder above one of them has such a log.
    """
    from pyarrow import fs

    folders = {str(folder) for path in paths for folder in Path(path).parents} - {"."}
    asked = {f"{folder}/{name}": name for folder in sorted(folders) for name in [*LOGS, ICEBERG]}
    for info in files.get_file_info(list(asked)):
        if info.type != fs.FileType.Directory:
            continue
        name, folder = asked[info.path], info.path.rpartition("/")[0]
        if name in LOGS:
            raise _refused(f"s3://{folder}", LOGS[name], name)
        if any(f.path.endswith(METADATA) for f in files.get_file_info(fs.FileSelector(info.path))):
            raise _refused(f"s3://{folder}", "Apache Iceberg", ICEBERG)


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
