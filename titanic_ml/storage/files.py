"""Local files that appear under their name whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from titanic_ml.errors import UnreadableTable


def write_file(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Let `write` fill a file beside `path`, then give it that name in one step.

    Raises
    ------
    UnreadableTable
        The folder does not exist, is not writable or is full.
    """
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except OSError as error:
        raise UnreadableTable(f"{path}: can't be written: {error.strerror}") from error
    try:
        with open(handle, "wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, 0o666 & ~_umask())
        os.replace(name, path)
    except BaseException as error:
        Path(name).unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise UnreadableTable(f"{path}: can't be written: {error.strerror}") from error
        raise


def _umask() -> int:
    os.umask(mask := os.umask(0))
    return mask
