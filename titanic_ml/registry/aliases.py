"""Names that move from version to version, each in one small file with its own history."""

from __future__ import annotations

import getpass
import json
import logging
import os
from collections.abc import Container
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from titanic_ml.errors import ModelError, ModelNotFound, ModelRefused
from titanic_ml.storage.files import write_file

log = logging.getLogger(__name__)
CHAMPION, LATEST = "champion", "latest"


@dataclass(frozen=True)
class Alias:
    """A name for a version. Name and history are one file, so they can't disagree.

    Attributes
    ----------
    path
        The file; made when the alias first points at a version.
    """

    path: Path

    @property
    def version(self) -> str | None:
        """The version that it points at, None if it points at none."""
        history = self.history()
        return history[-1]["version"] if history else None

    def history(self) -> list[dict[str, str]]:
        """Where it pointed, the oldest first: version, time (UTC), who and why.

        Raises
        ------
        ModelRefused
            The file is damaged.
        """
        keys = ("version", "time", "who", "why")
        try:
            entries = json.loads(self.path.read_text())["history"]
            return [{key: entry[key] for key in keys} for entry in entries]
        except (FileNotFoundError, NotADirectoryError):
            return []
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ModelRefused(f"{self.path}: damaged: {error}; restore it or delete it") from error

    def point(self, version: str, why: str) -> None:
        """Point at a version from now on. Raises `ModelError` if it can't be written."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        entry = {"version": version, "time": now, "who": _user(), "why": why}
        text = json.dumps({"version": version, "history": [*self.history(), entry]}, indent=2)
        try:
            write_file(self.path, text.encode())
        except OSError as error:
            raise ModelError(f"{self.path}: can't be written: {error.strerror}") from error
        log.info("%s is %s: %s", self.path.stem, version, why)

    def rollback(self, known: Container[str] | None = None) -> str:
        """Point where it did before, and return that version; twice goes back two versions.

        Parameters
        ----------
        known
            The versions that there still are; others are passed over.

        Raises
        ------
        ModelNotFound
            It never pointed at another version.
        """
        stack: list[str] = []
        for entry in self.history():
            if entry["why"] == "rollback":
                stack.pop()
            elif not stack or stack[-1] != entry["version"]:
                stack.append(entry["version"])
        while len(stack) > 1 and known is not None and stack[-2] not in known:
            del stack[-2]
        if len(stack) < 2:
            raise ModelNotFound(
                f"{self.path.stem} pointed at no other version before; nothing changed"
            )
        self.point(stack[-2], "rollback")
        return stack[-2]


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user often has no name
        return f"uid {os.getuid()}"
