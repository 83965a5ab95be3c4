"""Names that move from version to version: each is a log of entries that are never changed."""

from __future__ import annotations

import getpass
import json
import logging
import os
import secrets
from collections.abc import Container
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Literal, get_args

from titanic_ml.errors import ModelNotFound, ModelRefused
from titanic_ml.storage.objects import Objects

log = logging.getLogger(__name__)
CHAMPION, LATEST = "champion", "latest"
ALIASES = "aliases"
Action = Literal["promote", "rollback"]


@dataclass(frozen=True)
class Entry:
    """One move of an alias.

    Attributes
    ----------
    number
        Its place in the history, from 1 on.
    version
        Where the alias points from then on.
    time
        UTC, ISO 8601.
    who, why
        Who moved it, and the reason.
    action
        Whether it went on to a version or back to one: what a rollback goes by.
    token
        Random, so that a writer knows its own entry.
    """

    number: int
    version: str
    time: str
    who: str
    why: str
    action: Action
    token: str

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON, without the token."""
        return {key: value for key, value in asdict(self).items() if key != "token"}


@dataclass(frozen=True)
class Alias:
    """A name for a version, as a log: the entry of the highest number says where it points.

    An entry is created only if there is none of its number, so of several who move the alias at
    once one succeeds, and the others look again at what it points at.

    Attributes
    ----------
    objects
        The store.
    name
        Such as ``champion``.
    """

    objects: Objects
    name: str

    @property
    def version(self) -> str | None:
        """The version that it points at, None if it points at none."""
        last = self.last()
        return last.version if last else None

    def last(self) -> Entry | None:
        """The entry that counts, None if there is none.

        Raises
        ------
        ModelRefused
            It is damaged.
        """
        numbers = self._numbers()
        return self._read([numbers[-1]])[0] if numbers else None

    def history(self) -> list[Entry]:
        """All entries, the oldest first.

        Raises
        ------
        ModelRefused
            One is damaged or missing.
        """
        numbers = self._numbers()
        if numbers and len(numbers) != numbers[-1]:
            missing = min(set(range(1, numbers[-1])).difference(numbers))
            where = self.objects.address(self.entry_name(missing))
            raise ModelRefused(f"{where}: missing in the history; restore it")
        return self._read(numbers)

    def move(
        self, after: Entry | None, version: str, why: str, action: Action = "promote"
    ) -> Entry | None:
        """Point at a version from now on, if the alias is still where it was.

        Parameters
        ----------
        after
            The last entry, as the caller knows it.
        version, why, action
            As in `Entry`.

        Returns
        -------
        Entry or None
            What was added; None if another has moved the alias meanwhile.
        """
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        number = after.number + 1 if after else 1
        entry = Entry(number, version, now, user(), why, action, secrets.token_hex(8))
        data, name = json.dumps(asdict(entry), indent=2).encode(), self.entry_name(number)
        # A request that is tried again finds what it wrote the first time.
        if not self.objects.create(name, data) and self.objects.read(name) != data:
            log.info("%s: another has moved it meanwhile", self.name)
            return None
        log.info("%s is %s: %s", self.name, version, why)
        return entry

    def point(self, version: str, why: str) -> Entry:
        """Point at a version, wherever it points now."""
        while not (entry := self.move(self.last(), version, why)):
            pass
        return entry

    def before(self, known: Container[str] | None = None) -> tuple[Entry, str]:
        """The last entry, and the version to which a rollback goes; twice goes back two versions.

        Parameters
        ----------
        known
            The versions that there still are; others are passed over.

        Raises
        ------
        ModelNotFound
            It never pointed at another version.
        """
        history = self.history()
        stack: list[str] = []
        for entry in history:
            if entry.action == "rollback":
                while stack and stack[-1] != entry.version:
                    stack.pop()
            if not stack or stack[-1] != entry.version:
                stack.append(entry.version)
        while len(stack) > 1 and known is not None and stack[-2] not in known:
            del stack[-2]
        if len(stack) < 2:
            raise ModelNotFound(f"{self.name} pointed at no other version before; nothing changed")
        return history[-1], stack[-2]

    def entry_name(self, number: int) -> str:
        """The name of the object that holds an entry."""
        return f"{ALIASES}/{self.name}/{number:06}.json"

    def _numbers(self) -> list[int]:
        names = self.objects.names(f"{ALIASES}/{self.name}")
        stems = (name.rpartition("/")[2].removesuffix(".json") for name in names)
        return sorted(int(stem) for stem in stems if stem.isdecimal())

    def _read(self, numbers: list[int]) -> list[Entry]:
        names = [self.entry_name(number) for number in numbers]
        entries = []
        for number, name, data in zip(numbers, names, self.objects.read_all(names), strict=True):
            try:
                entry = Entry(**json.loads(data or b""))
                if entry.number != number or entry.action not in get_args(Action):
                    raise ValueError(f"it says number {entry.number}, {entry.action}")
                if not isinstance(entry.version, str):
                    raise ValueError(f"its version is {entry.version}")
            except (ValueError, TypeError) as error:
                where = self.objects.address(name)
                raise ModelRefused(
                    f"{where}: damaged: {error}; restore it, or remove it if it is the last"
                ) from error
            entries.append(entry)
        return entries


def user() -> str:
    """Who runs this."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user often has no name
        return f"uid {os.getuid()}"
