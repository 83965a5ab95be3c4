"""What is to be told to MLflow, kept on disk until it has been: a server that is away loses none.

An entry says only which version to send, or that the champion may have changed; what is sent comes
out of the store when it is sent. Entries are sent in their order, one program at a time.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from titanic_ml.errors import ModelError, ModelNotFound, SettingsError, TrackingError
from titanic_ml.registry.aliases import CHAMPION
from titanic_ml.registry.store import ModelStore
from titanic_ml.registry.version import ModelVersion
from titanic_ml.storage.files import write_file
from titanic_ml.storage.secrets import shown

# Imported in functions: filelock, which is an extra.

log = logging.getLogger(__name__)
ADDING, SENDING = ".adding", ".sending"  # locks: who adds doesn't wait for who sends
PENDING = "`track --pending` sends it when that is mended"


class Server(Protocol):
    """Where runs are told, as `mlflow.MlflowServer` does it. Both raise `TrackingError`."""

    @property
    def uri(self) -> str: ...

    @property
    def name(self) -> str: ...

    def send(self, version: ModelVersion) -> str: ...

    def crown(self, version: ModelVersion) -> None: ...


@dataclass(frozen=True)
class Entry:
    """What is to be told: a version, or which one is the champion.

    Attributes
    ----------
    kind
        ``version`` or ``champion``.
    version
        Which one; of a champion, who it was when this was written.
    store, uri, name
        Where it is kept, and where it is to be told, and as what.
    """

    kind: Literal["version", "champion"]
    version: str
    store: str
    uri: str
    name: str


@dataclass(frozen=True, repr=False)
class Tracked:
    """What became of what was to be told.

    Attributes
    ----------
    uri
        Where, as people may see it.
    runs
        By version, the id of its run: of those that are there now.
    pending
        Versions of which something is still to be told.
    why
        What stood in the way; empty if nothing.
    """

    uri: str
    runs: dict[str, str] = field(default_factory=dict)
    pending: list[str] = field(default_factory=list)
    why: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; keys are the names of the attributes."""
        return asdict(self)

    def __repr__(self) -> str:
        lines = [f"{version} is run {run} at {self.uri}" for version, run in self.runs.items()]
        if self.pending:
            lines.append(f"Not told yet: {', '.join(self.pending)}. {self.why}; {PENDING}")
        elif self.why:
            lines.append(self.why)
        return "\n".join(lines) or f"nothing is to be told to {self.uri}"


@dataclass(frozen=True)
class Tracking:
    """Tells versions of a store, and which one is the champion, to a server.

    Attributes
    ----------
    store
        Where the versions are.
    server
        Who is told.
    folder
        Where entries wait.
    """

    store: ModelStore
    server: Server
    folder: Path

    def check_ready(self) -> None:
        """Raise `SettingsError` if nothing could be kept in the folder."""
        with self._locked(ADDING):
            pass

    def add(self, version: str, kind: Literal["version", "champion"] = "version") -> None:
        """Keep on disk what is to be told. It is there, whole, when this returns."""
        with self._locked(ADDING):
            entries = self._files()
            number = int(entries[-1].stem) + 1 if entries else 1
            entry = Entry(kind, version, *self._places())
            write_file(self.folder / f"{number:06}.json", json.dumps(asdict(entry)).encode())

    def send(self) -> Tracked:
        """Tell what waits, in its order, until the server fails. Ctrl-C leaves the rest waiting."""
        runs: dict[str, str] = {}
        why: list[str] = []
        damaged: list[Path] = []
        with self._locked(SENDING):
            # What others add meanwhile is told too: they wait for the lock, not for a second turn.
            while left := [one for one in self._entries() if one[0] not in damaged]:
                path, entry = left[0]
                try:
                    runs |= self._tell(entry)
                except ModelNotFound as error:  # deleted: there is nothing to tell any more
                    why.append(f"{entry.version} is not told: {error}")
                except TrackingError as error:
                    why.append(str(error))
                    break
                except ModelError as error:  # it waits, the others don't wait for it
                    why.append(str(error))
                    damaged.append(path)
                    continue
                except KeyboardInterrupt:
                    why.append("interrupted")
                    break
                path.unlink()
            waiting = [entry for path, entry in self._entries() if left or path in damaged]
            pending = list(dict.fromkeys(entry.version for entry in waiting))
        return Tracked(shown(self.server.uri), runs, pending, "; ".join(why))

    def _tell(self, entry: Entry) -> dict[str, str]:
        """Tell one thing. Of a champion, who it is now: others may have chosen since."""
        name = entry.version
        if entry.kind == "champion":
            name = self.store.resolve(CHAMPION)
        version = self.store.open(name)
        run = self.server.send(version)
        if entry.kind == "champion":
            self.server.crown(version)
            return {}
        return {name: run}

    def _entries(self) -> Iterator[tuple[Path, Entry]]:
        """What waits for this store and server, in its order."""
        for path in self._files():
            try:
                entry = Entry(**json.loads(path.read_bytes()))
            except (ValueError, TypeError) as error:
                raise TrackingError(f"{path}: not what was written there; remove it") from error
            if (entry.store, entry.uri, entry.name) == self._places():
                yield path, entry

    def _places(self) -> tuple[str, str, str]:
        return shown(self.store.uri), shown(self.server.uri), self.server.name

    def _files(self) -> list[Path]:
        return sorted(self.folder.glob("[0-9]*.json"))

    @contextmanager
    def _locked(self, name: str) -> Iterator[None]:
        """Be the only one who does this; a killed program lets go of it too."""
        from filelock import FileLock

        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with FileLock(self.folder / name):
                yield
        except OSError as error:
            where = f"{self.folder} (tracking.queue)"
            raise SettingsError(f"{where}: can't be written: {error.strerror or error}") from error
