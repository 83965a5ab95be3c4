"""Whether two addresses are one place: what a command writes must not be what it or others read."""

from __future__ import annotations

import os
import re
import stat
import sys
from collections.abc import Callable, Iterator, Mapping
from glob import glob, has_magic
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from titanic_ml.errors import SettingsError, TitanicError
from titanic_ml.storage.address import FileAddress, SqlAddress, parse
from titanic_ml.storage.buckets import SCHEMES
from titanic_ml.storage.places import is_part
from titanic_ml.storage.secrets import shown

# Imported in functions: the databases, which are an extra.

STORE = "the store"  # the role of a folder that may hold no folders of others
Identity: TypeAlias = tuple[int, int]  # device and inode of a file


def refuse_shared(reads: Mapping[str, object], writes: Mapping[str, object]) -> None:
    """Refuse to write where something is read from, however the two addresses are spelled.

    Files are compared by what the operating system calls one file (through links), tables by
    database, schema and name, objects by bucket and key. A file that would become a part of a
    folder or pattern that is read is refused too.

    Parameters
    ----------
    reads
        By role ("input", "data.uri"), the address of what must stay as it is. What is None or a
        table in memory is passed over.
    writes
        By role ("output"), the address of what is written; no two of them may be one place either.

    Raises
    ------
    SettingsError
        Two of them are one place, or one lies in the other.
    """
    others = dict(reads)
    for role, written in writes.items():
        for other, read in others.items():
            if isinstance(written, (str, Path)) and isinstance(read, (str, Path)):
                _refuse_same(other, str(read), role, str(written))
        others = {role: written} | others


def _refuse_same(read_role: str, read: str, role: str, written: str) -> None:
    source, sink = _place(read), _place(written)
    if sink is None or source is None:
        return
    if isinstance(source, SqlAddress) and isinstance(sink, SqlAddress):
        same, inside = _is_same_table(source, sink), False
    elif isinstance(source, SqlAddress) or isinstance(sink, SqlAddress):
        same, inside = _share_a_file(source, sink), False
    elif "local" in (source.place, sink.place) or "standard" in (source.place, sink.place):
        same, inside = _is_same_file(source, sink), _lies_in(source, sink, read_role)
    else:
        same, inside = _is_same_object(source, sink), False
    if same:
        also = "" if read == written else f" ({shown(read)})"
        raise SettingsError(
            f"{shown(written)}{also} is both {read_role} and {role}; name another {role}"
        )
    if inside:
        raise SettingsError(
            f"the {role} {shown(written)} lies in {shown(read)}, which is {read_role}; name "
            f"another {role}"
        )


def _place(uri: str) -> FileAddress | SqlAddress | None:
    """Parse an address, also of a store or a page; None if nothing can be written there."""
    if "\0" in uri:
        return None  # no file has such a name
    try:
        return parse(uri)
    except SettingsError:
        scheme, slashes, _ = uri.partition("://")
        if not slashes:
            path = Path(os.path.expanduser(uri))
            many = path.is_dir() or not path.suffix
            return FileAddress("local", str(path), "", many, uri)
        if scheme in SCHEMES:
            return FileAddress("bucket", uri, "", True, shown(uri))
        return None


def _is_same_object(source: FileAddress, sink: FileAddress) -> bool:
    """Check whether two addresses of buckets are one object, or one lies under the other."""
    first, second = (_key(address) for address in (source, sink))
    return first == second or (source.many and second.startswith(first + "/"))


def _key(address: FileAddress) -> str:
    """Bucket and key, without the end of a pattern."""
    return address.path.partition("*")[0].rstrip("/")


def _share_a_file(source: FileAddress | SqlAddress, sink: FileAddress | SqlAddress) -> bool:
    """Check whether a file that would be overwritten is an input."""
    there = _files(sink, 1)
    return bool(there and there & _files(source, 0))


def _files(address: FileAddress | SqlAddress, number: int) -> set[Identity]:
    """Return the identities of an address's files that exist on this machine."""
    if isinstance(address, SqlAddress):
        paths = [Path(address.database)] if address.driver == "sqlite" else []
    elif address.place == "standard":
        stream = (sys.stdin, sys.stdout)[number]
        return set(_identity(lambda: os.fstat(stream.fileno())))
    elif address.place != "local":
        return set()
    else:
        paths = _parts(address)
    return {found for path in paths for found in _identity(path.stat)}


def _parts(address: FileAddress) -> list[Path]:
    path = Path(address.path)
    if has_magic(address.path) and not path.exists():
        return [Path(name) for name in glob(address.path, recursive=True)]
    if address.many and address.suffix:
        return [p for p in path.rglob("*") if is_part(p.relative_to(path).parts)]
    return [path]


def _identity(status: Callable[[], os.stat_result]) -> Iterator[Identity]:
    """Return the identity of an existing file or folder; None for a pipe or terminal."""
    try:
        found = status()
    except (OSError, ValueError, AttributeError):  # no file, or a stream in memory or closed
        return
    if stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode):
        yield found.st_dev, found.st_ino


def _is_same_file(source: FileAddress, sink: FileAddress) -> bool:
    """Check whether an output file is an input file, or two folders are one."""
    if _share_a_file(source, sink):
        return True
    if "local" != source.place or "local" != sink.place:
        return False
    return os.path.realpath(source.path) == os.path.realpath(sink.path)


def _lies_in(source: FileAddress, sink: FileAddress, role: str) -> bool:
    """Check whether the output lies in the input, or the other way round."""
    if source.place != "local" or sink.place != "local":
        return False
    read, written = Path(os.path.realpath(_root(source))), Path(os.path.realpath(sink.path))
    if role == STORE:
        return read in written.parents and (sink.many or written.parent != read)
    if source.many and (read == written or read in written.parents):
        if has_magic(source.path):
            deep = "**" in source.path and is_part(written.parts)
            return sink.many or deep or written.match(os.path.realpath(source.path))
        return sink.many or is_part(written.relative_to(read).parts)
    part = sink.many and sink.suffix and written in read.parents
    return bool(part) and not source.many and is_part(read.relative_to(written).parts)


def _root(address: FileAddress) -> str:
    """Return the folder of a pattern, otherwise the path."""
    if not has_magic(address.path) or Path(address.path).exists():
        return address.path
    parts = Path(address.path).parts
    first = next(number for number, part in enumerate(parts) if has_magic(part))
    return str(Path(*parts[:first]))


def _is_same_table(source: SqlAddress, sink: SqlAddress) -> bool:
    """Check whether two addresses are one table, or one is a query of the table to be dropped."""
    if source.driver != sink.driver or sink.query:
        return False
    if source.query:
        names = re.search(rf"(?<![\w]){re.escape(sink.table)}(?![\w])", source.query, re.IGNORECASE)
        if not names or sink.if_exists != "replace":
            return False
    elif source.table.casefold() != sink.table.casefold():
        return False
    if source.driver == "sqlite":
        first, second = Path(source.database), Path(sink.database)
        return os.path.realpath(first) == os.path.realpath(second) or _share_a_file(source, sink)
    return _is_same_on_server(source, sink)


def _is_same_on_server(source: SqlAddress, sink: SqlAddress) -> bool:
    """Ask the servers which database and table it is: names of hosts and schemas have several
    spellings.
    """
    from titanic_ml.storage.sql import identity_of

    try:
        first: Any = identity_of(source)
        second: Any = identity_of(sink)
    except TitanicError:  # it is away, or this user may not ask it
        return _is_spelled_alike(source, sink)
    if source.query:
        return bool(first[:2] == second[:2])
    return bool(first == second and first[2])


def _is_spelled_alike(source: SqlAddress, sink: SqlAddress) -> bool:
    """Check whether host, port, database and schema are equal; a missing schema equals any."""
    first, second = (urlsplit(address.database) for address in (source, sink))
    same = (first.hostname, first.port or 5432, first.path) == (
        second.hostname,
        second.port or 5432,
        second.path,
    )
    schemas = {source.schema, sink.schema} - {""}
    return same and len(schemas) < 2
