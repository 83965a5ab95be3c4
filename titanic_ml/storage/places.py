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
from typing import Any, BinaryIO, cast

from titanic_ml.errors import MissingTable, UnreadableTable
from titanic_ml.storage.address import FileAddress
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
        What to call it in a message.
    open
        Opens it for reading from its start.
    size
        Its bytes.
    """

    name: str
    open: Callable[[], BinaryIO]
    size: int


@contextmanager
def located(address: FileAddress) -> Iterator[list[Place]]:
    """The files of an address, by name in order.

    What can be read only once (the web, standard input, a named pipe) is copied to a temporary file
    first.

    Raises
    ------
    UnreadableTable
        There is none, or it can't be reached.
    """
    with ExitStack() as stack:
        if address.place == "s3":
            places = _in_bucket(address)
        elif address.place == "local" and not Path(address.path).is_fifo():
            places = _local(address)
        else:
            places = [_copied(address, stack.enter_context(temporary_file()))]
        if not places:
            raise MissingTable(f"{address.shown}: holds no file whose name ends in .parquet")
        yield places


@contextmanager
def told(name: str) -> Iterator[None]:
    """Tell an error of the operating system or of a bucket in a sentence."""
    try:
        yield
    except OSError as error:
        lines = str(error).splitlines() or [type(error).__name__]
        reason = error.strerror or lines[0]
        raise UnreadableTable(f"{name}: can't be read: {reason}") from error


def _copied(address: FileAddress, copy: BinaryIO) -> Place:
    """What can be read only once, as a file."""
    name = "standard input" if address.place == "standard" else address.shown
    with filling_temporary():
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
    """The same open file from its start, by a handle of its own that may be closed."""
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
            with told(name):
                places.append(Place(name, partial(_open, path, name), path.stat().st_size))
        except UnreadableTable as error:
            if isinstance(error.__cause__, FileNotFoundError):
                raise MissingTable(f"{name}: no such file (looked for {path.absolute()})") from None
            raise
    return places


def _open(path: Path, name: str) -> BinaryIO:
    with told(name):
        return open(path, "rb")


def is_part(parts: tuple[str, ...]) -> bool:
    """Whether this path in a folder is one of the table's files; others write hidden ones there."""
    hidden = any(part.startswith((".", "_")) for part in parts)
    return parts[-1].lower().endswith(".parquet") and not hidden


def _in_bucket(address: FileAddress) -> list[Place]:
    from pyarrow import fs

    bucket, _, key = address.path.partition("/")
    with told(address.shown):
        files = _bucket_files(bucket)
        if not address.many:
            found = [files.get_file_info(address.path)]
            if found[0].type != fs.FileType.File:
                raise MissingTable(f"{address.shown}: no such file")
        else:
            start = key.partition("*")[0].rpartition("/")[0]
            folder = f"{bucket}/{start}".rstrip("/")
            listed = files.get_file_info(fs.FileSelector(folder, recursive=True))
            pattern = address.path if "*" in key else address.path.rstrip("/") + "/*"
            found = [
                info
                for info in listed
                if info.is_file
                and fnmatch.fnmatchcase(info.path, pattern)
                and is_part(tuple(info.path[len(folder) + 1 :].split("/")))
            ]
        refuse_logged_objects(files, [info.path for info in found])
    return [
        Place(f"s3://{info.path}", partial(_open_in_bucket, files, info.path), info.size)
        for info in sorted(found, key=lambda info: info.path)
    ]


def _open_in_bucket(files: Any, path: str) -> BinaryIO:
    with told(f"s3://{path}"):
        return cast(BinaryIO, files.open_input_file(path))


def _bucket_files(bucket: str) -> Any:
    """The file system of S3, from the variables that all its clients take."""
    from pyarrow import fs

    settings = os.environ
    endpoint = settings.get("AWS_ENDPOINT_URL_S3") or settings.get("AWS_ENDPOINT_URL")
    region = settings.get("AWS_REGION") or settings.get("AWS_DEFAULT_REGION")
    if not region:
        region = "us-east-1" if endpoint else fs.resolve_s3_region(bucket)
    return fs.S3FileSystem(
        endpoint_override=endpoint, region=region, connect_timeout=10, request_timeout=60
    )


def _download(address: FileAddress, copy: BinaryIO) -> None:
    from http.client import HTTPException
    from urllib.error import HTTPError, URLError
    from urllib.request import urlopen

    try:
        with urlopen(address.path, timeout=PATIENCE) as answer:
            shutil.copyfileobj(answer, copy, CHUNK)
            expected = answer.headers.get("Content-Length")
    except HTTPError as error:
        reason = f"{error.code} {error.reason}"
    except URLError as error:
        reason = str(getattr(error.reason, "strerror", None) or error.reason)
    except (HTTPException, TimeoutError, ConnectionError, ValueError) as error:
        reason = str(error) or type(error).__name__
    else:
        if expected is None or int(expected) == copy.tell():
            return
        reason = f"only {copy.tell():,} of {int(expected):,} bytes came; try again"
    reason = without_secrets(reason, address.path)
    raise UnreadableTable(f"{address.shown}: can't be read: {reason}")
