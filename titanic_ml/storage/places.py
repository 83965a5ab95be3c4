"""Where the files of a table are: on disk, in a bucket, on the web, on standard input."""

from __future__ import annotations

import fnmatch
import glob
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from titanic_ml.errors import MissingTable, UnreadableTable
from titanic_ml.storage.address import FileAddress
from titanic_ml.storage.buckets import client, is_clients, opened, reason
from titanic_ml.storage.files import filling_temporary, temporary_file
from titanic_ml.storage.secrets import without_secrets
from titanic_ml.storage.table_logs import refuse_logged, refuse_logged_objects

# Imported in functions: clients of buckets and of the web, which local files do without.

CHUNK = 1 << 20
PATIENCE = 30.0  # seconds without a byte, of the web


@dataclass(frozen=True)
class Place:
    """A file that can be opened, as often as needed.

    Attributes
    ----------
    name
        Name of the file in messages.
    open
        Opens the file for reading from its start.
    size
        Number of bytes.
    """

    name: str
    open: Callable[[], BinaryIO]
    size: int


@contextmanager
def located(address: FileAddress) -> Iterator[list[Place]]:
    """List the files of an address in the order of their names.

    What can be read only once (the web, standard input, a named pipe) is copied to a temporary file
    first.

    Raises
    ------
    UnreadableTable
        There is none, or it can't be reached.
    """
    with ExitStack() as stack:
        if address.place == "bucket":
            places = _in_bucket(address)
        elif address.place == "local" and not Path(address.path).is_fifo():
            places = _local(address)
        else:
            places = [_copied(address, stack.enter_context(temporary_file()))]
        if not places:
            raise MissingTable(f"{address.shown}: contains no .parquet file")
        yield places


@contextmanager
def translate_errors(name: str) -> Iterator[None]:
    """Turn an error of the operating system or of a bucket into a sentence."""
    try:
        yield
    except OSError as error:
        words = error.strerror or reason(error)
        raise UnreadableTable(f"{name}: can't be read: {words}") from error
    except Exception as error:
        if not is_clients(error):
            raise
        raise UnreadableTable(f"{name}: can't be read: {reason(error)}") from error


def _copied(address: FileAddress, copy: BinaryIO) -> Place:
    """Copy a source that can be read only once to a file."""
    name = "standard input" if address.place == "standard" else address.shown
    with filling_temporary():
        if address.place == "standard" and sys.stdin is None:
            raise UnreadableTable("standard input is closed; name a file instead of -")
        if address.place == "standard":
            shutil.copyfileobj(sys.stdin.buffer, copy)
        elif address.place == "local":
            with _open(Path(address.path), name) as pipe:
                shutil.copyfileobj(pipe, copy)
        else:
            _download(address, copy)
        copy.flush()
    return Place(name, partial(_again, copy), copy.tell())


def _again(file: BinaryIO) -> BinaryIO:
    """Return a new handle at the start of an open file; it may be closed."""
    again = open(os.dup(file.fileno()), "rb")
    again.seek(0)
    return again


def _local(address: FileAddress) -> list[Place]:
    path = Path(address.path)
    if not address.many:
        paths = [path]
    elif path.is_dir():
        paths = [found for found in path.rglob("*") if is_part(found.relative_to(path).parts)]
    else:
        paths = [Path(name) for name in glob.glob(address.path, recursive=True)]
        if not paths and not glob.has_magic(address.path):
            raise MissingTable(f"{address.shown}: no such folder (looked for {path.absolute()})")
    refuse_logged([path, *paths])
    places = []
    for path in sorted(paths):
        name = address.shown if not address.many else str(path)
        try:
            with translate_errors(name):
                places.append(Place(name, partial(_open, path, name), path.stat().st_size))
        except UnreadableTable as error:
            if isinstance(error.__cause__, FileNotFoundError):
                raise MissingTable(f"{name}: no such file (looked for {path.absolute()})") from None
            raise
    return places


def _open(path: Path, name: str) -> BinaryIO:
    with translate_errors(name):
        return open(path, "rb")


def is_part(parts: tuple[str, ...]) -> bool:
    """Check whether a path in a folder is a file of the table; hidden files are not."""
    hidden = any(part.startswith((".", "_")) for part in parts)
    return parts[-1].lower().endswith(".parquet") and not hidden


def _in_bucket(address: FileAddress) -> list[Place]:
    scheme, _, path = address.path.partition("://")
    bucket, _, key = path.partition("/")
    root = f"{scheme}://{bucket}"
    with translate_errors(address.shown):
        store = client(root)
        found = _listed(store, key) if address.many else {key: _size(store, key, address.shown)}
        refuse_logged_objects(store, root, found)
    return [
        Place(f"{root}/{key}", partial(_open_object, store, key, f"{root}/{key}"), size)
        for key, size in sorted(found.items())
    ]


def _size(store: Any, key: str, name: str) -> int:
    import obstore

    try:
        return int(obstore.get(store, key).meta["size"])  # not head: its errors say nothing
    except FileNotFoundError as error:
        if "NoSuchBucket" in str(error):
            raise
        raise MissingTable(f"{name}: no such file") from None


def _listed(store: Any, key: str) -> dict[str, int]:
    """List the Parquet files of a folder or pattern with their sizes."""
    import obstore

    folder = key.partition("*")[0].rpartition("/")[0]
    pattern = key if "*" in key else f"{key.rstrip('/')}/*".lstrip("/")
    pages = obstore.list(store, prefix=folder or None)
    files = {one["path"]: one["size"] for page in pages for one in page}
    inside = len(folder) + 1 if folder else 0
    return {
        name: size
        for name, size in files.items()
        if fnmatch.fnmatchcase(name, pattern) and is_part(tuple(name[inside:].split("/")))
    }


def _open_object(store: Any, key: str, name: str) -> BinaryIO:
    with translate_errors(name):
        return opened(store, key)


def _download(address: FileAddress, copy: BinaryIO) -> None:
    from http.client import HTTPException
    from urllib.error import HTTPError, URLError
    from urllib.request import urlopen

    try:
        with urlopen(address.path, timeout=PATIENCE) as answer:
            shutil.copyfileobj(answer, copy, CHUNK)
            expected = answer.headers.get("Content-Length")
    except HTTPError as error:
        words = f"{error.code} {error.reason}"
    except URLError as error:
        words = str(getattr(error.reason, "strerror", None) or error.reason)
    except (HTTPException, TimeoutError, ConnectionError, ValueError) as error:
        words = str(error) or type(error).__name__
    else:
        if expected is None or int(expected) == copy.tell():
            return
        words = f"only {copy.tell():,} of {int(expected):,} bytes came; try again"
    words = without_secrets(words, address.path)
    raise UnreadableTable(f"{address.shown}: can't be read: {words}")
