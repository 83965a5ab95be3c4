"""What an interrupted training had finished, kept on disk until it is whole."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
from collections.abc import Iterator, MutableMapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from titanic_ml.errors import SettingsError
from titanic_ml.storage.files import write_file


@dataclass(frozen=True)
class Checkpoint(MutableMapping):
    """Results by name, each in a file of its own that appears whole or not at all.

    Attributes
    ----------
    folder
        Made when the first result is kept. Its files are pickles: it must be as private as the
        program itself.
    """

    folder: Path

    @classmethod
    def for_run(cls, scratch: str, **facts: Any) -> Checkpoint:
        """The checkpoint of a run that these facts describe, such as data, settings, seed,
        code and libraries. Another fact makes it another run, which starts anew.
        """
        text = json.dumps(facts, sort_keys=True, default=str)
        return cls(
            Path(scratch).expanduser()
            / f"unfinished-{hashlib.sha256(text.encode()).hexdigest()[:16]}"
        )

    def __getitem__(self, name: str) -> Any:
        import joblib

        try:
            return joblib.load(self._path(name))
        except (OSError, EOFError):  # not there, or emptied by a crash of the machine
            raise KeyError(name) from None

    def __setitem__(self, name: str, result: Any) -> None:
        import joblib

        buffer = io.BytesIO()
        joblib.dump(result, buffer)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            write_file(self._path(name), buffer.getvalue())
        except OSError as error:
            raise SettingsError(
                f"scratch is {self.folder.parent}: {error.strerror}; name a folder to write to"
            ) from error

    def __delitem__(self, name: str) -> None:
        try:
            self._path(name).unlink()
        except FileNotFoundError:
            raise KeyError(name) from None

    def __iter__(self) -> Iterator[str]:
        return (path.stem.replace("-", " ") for path in sorted(self.folder.glob("*.joblib")))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def clear(self) -> None:
        """Remove the folder, since the run is whole."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _path(self, name: str) -> Path:
        return self.folder / f"{name.replace(' ', '-')}.joblib"
