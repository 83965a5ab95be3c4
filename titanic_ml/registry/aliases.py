"""Names that move from version to version: each is a log of entries that are never changed."""

from __future__ import annotations

import getpass
import json
import logging
import os
import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from titanic_ml.errors import ModelNotFound, ModelRefused
from titanic_ml.storage.object_store import ObjectStore

log = logging.getLogger(__name__)
ALIASES = "aliases"
PROMOTE, FORCE, ROLLBACK = "promote", "force", "rollback"


@dataclass(frozen=True)
class Entry:
    """One move of an alias.

    Attributes
    ----------
    number
        Position in the history, from 1.
    version
        Version of the alias from then on.
    time
        UTC, ISO 8601.
    who, why
        Who moved it, and the reason.
    action
        Whether it went on to a version, with or without the gate, or back to one.
    back
        Number of the entry to which a rollback goes from here; None if there is none.
    token
        Random, so that a writer knows its own entry.
    """

    number: int
    version: str
    time: str
    who: str
    why: str
    action: str
    back: int | None
    token: str

    def to_dict(self) -> dict[str, Any]:
        """Return values for JSON, without the token."""
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

    objects: ObjectStore
    name: str

    @property
    def version(self) -> str | None:
        """The version that it points at, None if it points at none."""
        last = self.last()
        return last.version if last else None

    def last(self) -> Entry | None:
        """Return the last entry, None if there is none.

        Raises
        ------
        ModelRefused
            It is damaged.
        """
        numbers = self._numbers()
        return self._read([numbers[-1]])[0] if numbers else None

    def history(self) -> list[Entry]:
        """List all entries, the oldest first.

        Raises
        ------
        ModelRefused
            One is damaged or missing.
        """
        numbers = self._numbers()
        return self._read(list(range(1, numbers[-1] + 1))) if numbers else []

    def move(
        self,
        after: Entry | None,
        version: str,
        why: str,
        back_to: Entry | None = None,
        forced: bool = False,
    ) -> Entry | None:
        """Point at a version from now on, if the alias is still where it was.

        Parameters
        ----------
        after
            The last entry, as the caller knows it.
        version, why
            As in `Entry`.
        back_to
            The earlier entry to which this goes back, in a rollback: that of the version.
        forced
            Whether it skipped the gate.

        Returns
        -------
        Entry or None
            The added entry; None if the alias was moved meanwhile.
        """
        action, back = (ROLLBACK, back_to.back) if back_to else (PROMOTE, None)
        if forced and not back_to:
            action = FORCE
        if after and not back_to:
            back = after.back if after.version == version else after.number
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        number = after.number + 1 if after else 1
        entry = Entry(number, version, now, user(), why, action, back, secrets.token_hex(8))
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

    def before(self, is_there: Callable[[str], bool] = lambda version: True) -> tuple[Entry, Entry]:
        """Return the last entry, and the entry that a rollback returns to.

        A second rollback goes back one version more.

        Parameters
        ----------
        is_there
            Whether a version still exists; deleted versions are skipped.

        Returns
        -------
        last, before : Entry
            Both entries.

        Raises
        ------
        ModelNotFound
            The alias never pointed at another version.
        """
        last = entry = self.last()
        while entry and entry.back:
            (entry,) = self._read([entry.back])
            if last and entry.version != last.version and is_there(entry.version):
                return last, entry
        raise ModelNotFound(f"{self.name} pointed at no other version before; nothing changed")

    def entry_name(self, number: int) -> str:
        """Return the name of the object of an entry."""
        return f"{ALIASES}/{self.name}/{number:06}.json"

    def _numbers(self) -> list[int]:
        names = self.objects.names(f"{ALIASES}/{self.name}")
        stems = (name.rpartition("/")[2].removesuffix(".json") for name in names)
        return sorted(int(stem) for stem in stems if stem.isdecimal())

    def _read(self, numbers: list[int]) -> list[Entry]:
        names = [self.entry_name(number) for number in numbers]
        read = zip(numbers, names, self.objects.read_all(names), strict=True)
        return [self._entry(number, name, data) for number, name, data in read]

    def _entry(self, number: int, name: str, data: bytes | None) -> Entry:
        where = self.objects.address(name)
        if data is None:
            raise ModelRefused(f"{where}: missing in the history; restore it")
        try:
            entry = Entry(**json.loads(data))
            _check(entry, number)
        except (ValueError, TypeError) as error:
            hint = "restore it, or remove it if it is the last"
            raise ModelRefused(f"{where}: damaged: {error}; {hint}") from error
        return entry


def _check(entry: Entry, number: int) -> None:
    """Raise `ValueError` unless an entry can be the one of this number."""
    if entry.number != number or entry.action not in (PROMOTE, FORCE, ROLLBACK):
        raise ValueError(f"it says number {entry.number}, {entry.action}")
    if not isinstance(entry.version, str):
        raise ValueError(f"its version is {entry.version}")
    if entry.back is not None and not (isinstance(entry.back, int) and 0 < entry.back < number):
        raise ValueError(f"it goes back to {entry.back}")


def user() -> str:
    """Return the name of the current user."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):  # a container's user often has no name
        return f"uid {os.getuid()}" if hasattr(os, "getuid") else "unknown"
