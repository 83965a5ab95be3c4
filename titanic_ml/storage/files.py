"""Local files that appear under their name whole or not at all."""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, cast

from titanic_ml.errors import UnwritableTable

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}  # of a disk, of a user's share of it, of a file


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """Yield a file that gets the name `path` in one step if the block ends without an error.

    An existing file keeps its permissions, and a link its target.

    Raises
    ------
    OSError
        The folder does not exist, is not writable or is full; then `path` is as it was.
    """
    path = path.resolve() if path.is_symlink() else path
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with open(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, stat.S_IMODE(path.stat().st_mode) if path.exists() else 0o666 & ~_umask())
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


@contextmanager
def temporary_file() -> Iterator[BinaryIO]:
    """Open a file without a name, which vanishes with the process."""
    file = cast(BinaryIO, tempfile.TemporaryFile())
    try:
        yield file
    finally:
        with suppress(OSError):  # a full disk was reported by the write
            file.close()


@contextmanager
def filling_temporary() -> Iterator[None]:
    """Report a full disk, where only temporary files are written.

    Raises
    ------
    UnwritableTable
        The folder can't be written; the message names it.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in FULL:
            raise
        raise UnwritableTable(
            f"{tempfile.gettempdir()}: can't be written: {error.strerror}; the variable TMPDIR "
            "names another folder for temporary files"
        ) from error


def write_file(path: Path, data: bytes) -> None:
    """Fill a file beside `path`, then give it that name in one step. Raises as `whole_file`."""
    with whole_file(path) as file:
        file.write(data)


def write_page(path: Path, text: str) -> None:
    """Write a text for people. Raises `UnwritableTable` if it can't be."""
    try:
        write_file(path, text.encode())
    except OSError as error:
        raise UnwritableTable(f"{path}: can't be written: {error.strerror}") from error


def _umask() -> int:
    os.umask(mask := os.umask(0))  # there is no way to read it but to set it
    return mask
