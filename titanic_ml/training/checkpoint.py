"""Checkpoint: finished folds of an interrupted training on disk."""

from __future__ import annotations

import hashlib
import io
import json
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from titanic_ml.errors import SettingsError
from titanic_ml.storage.files import write_file

# Imported in functions: joblib, which an absent checkpoint does without.

ATTEMPTS = 5  # to write a file where another process removes the folder
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Checkpoint(MutableMapping):
    """Results by name, each in a file of its own that appears whole or not at all.

    Attributes
    ----------
    folder
        Created with the first result, for the current user only. Its files are pickles, which run
        code when they are loaded, so a folder of another user is refused.
    """

    folder: Path

    @classmethod
    def for_run(cls, scratch: str, **facts: Any) -> Checkpoint:
        """Return the checkpoint of the run with these data, settings, seed, code and libraries.

        A difference in one of these makes another run, which starts from the beginning.
        """
        text = json.dumps(facts, sort_keys=True, default=str)
        return cls(
            Path(os.path.expanduser(scratch))
            / f"unfinished-{hashlib.sha256(text.encode()).hexdigest()[:16]}"
        )

    def __getitem__(self, name: str) -> Any:
        import joblib

        path = self._path(name)
        try:
            if not _is_ours(self.folder) or not _is_ours(path):
                raise KeyError(name)
            return joblib.load(io.BytesIO(path.read_bytes()))
        except OSError:
            raise KeyError(name) from None
        except Exception as error:  # a damaged pickle may raise anything
            log.warning("%s is damaged, so it is computed again: %r", path, error)
            raise KeyError(name) from None

    def __setitem__(self, name: str, result: Any) -> None:
        import joblib

        buffer = io.BytesIO()
        joblib.dump(result, buffer)
        with self._translate_errors():
            self._write(self._path(name), buffer.getvalue())

    def __delitem__(self, name: str) -> None:
        try:
            self._path(name).unlink()
        except FileNotFoundError:
            raise KeyError(name) from None

    def __iter__(self) -> Iterator[str]:
        return (path.stem.replace("-", " ") for path in sorted(self.folder.glob("*.joblib")))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def check_writable(self) -> None:
        """Write a file and remove it.

        Raises
        ------
        SettingsError
            The folder can't be written, or belongs to another user.
        """
        with self._translate_errors():
            self._check(self.folder.parent)
            if self.folder.exists():
                self._check(self.folder)
            with tempfile.TemporaryFile(dir=self.folder.parent):
                pass

    def clear(self) -> None:
        """Remove the folder, since the run is whole."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _write(self, path: Path, data: bytes) -> None:
        """Write a file, in folders that are the user's alone."""
        for attempt in range(ATTEMPTS):
            try:
                for folder in (self.folder.parent, self.folder):
                    self._check(folder)
                return write_file(path, data)
            except FileNotFoundError:  # the same training, run beside this one, is whole
                if attempt + 1 == ATTEMPTS:
                    raise

    def _check(self, folder: Path) -> None:
        """Make a folder that is not there, and refuse one of another user."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not _is_ours(folder):
            raise SettingsError(
                f"scratch is {self.folder.parent}: {folder} is another user's, who could have put "
                "code there; name a folder of your own"
            )
        if folder == self.folder:
            folder.chmod(0o700)

    @contextmanager
    def _translate_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise SettingsError(
                f"scratch is {self.folder.parent}: {error.strerror}; name a folder to write to"
            ) from error

    def _path(self, name: str) -> Path:
        return self.folder / f"{name.replace(' ', '-')}.joblib"


def _is_ours(path: Path) -> bool:
    """Check whether a file or folder, and the target of a link, belongs to the user.

    Raises `OSError` if there is none.
    """
    owners = {path.lstat().st_uid, path.stat().st_uid}
    return not hasattr(os, "geteuid") or owners == {os.geteuid()}
