"""Sends MLflow the versions of a store that it has not received yet.

Nothing is kept about what was sent: the server is asked which versions it has. So a version that
was trained while the server was away is sent later, and none is sent twice.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

from titanic_ml.errors import ModelError, SettingsError, TrackingError
from titanic_ml.registry.store import ModelStore
from titanic_ml.registry.version import ModelVersion
from titanic_ml.storage.secrets import shown

# Imported in functions: filelock, which is an extra.

log = logging.getLogger(__name__)
LOCK = "mlflow.lock"  # in the folder for scratch files
PENDING = "`track --pending` sends it when that is mended"


class Server(Protocol):
    """A tracking server, as `mlflow.MlflowServer` is one. Its methods raise `TrackingError`."""

    @property
    def uri(self) -> str: ...

    def sent(self) -> set[str]: ...

    def champion(self) -> str | None: ...

    def send(self, version: ModelVersion) -> str: ...

    def set_champion(self, version: ModelVersion) -> None: ...


@dataclass(frozen=True, repr=False)
class Tracked:
    """Result of sending.

    Attributes
    ----------
    uri
        Address of the server, without secrets.
    runs
        Ids of the runs that were sent now, by version.
    pending
        Versions that are still to be sent.
    why
        Why, and what else failed; empty if nothing did.
    """

    uri: str
    runs: dict[str, str] = field(default_factory=dict)
    pending: list[str] = field(default_factory=list)
    why: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return values for JSON; keys are the names of the attributes."""
        return asdict(self)

    def __repr__(self) -> str:
        lines = [f"{version} is run {run} at {self.uri}" for version, run in self.runs.items()]
        if self.pending:
            lines.append(f"Not sent yet: {', '.join(self.pending)}. {self.why}; {PENDING}")
        elif self.why:
            lines.append(f"{self.why}; {PENDING}")
        return "\n".join(lines) or f"{self.uri} has all versions already"


@dataclass(frozen=True)
class Tracking:
    """Sends versions, and which one is the champion.

    Attributes
    ----------
    store
        Holds the versions.
    server
        Receives them.
    scratch
        Folder for the lock that lets one program send at a time.
    """

    store: ModelStore
    server: Server
    scratch: Path

    def send(self, version: str | None = None) -> Tracked:
        """Send what is missing, the oldest version first; stop where the server fails.

        Parameters
        ----------
        version
            A version that is always sent. Other versions are sent if they are newer than the
            oldest one that the server has; all are if the server has none and no version is given.

        Returns
        -------
        Tracked
            What was sent, and what is still missing.
        """
        runs: dict[str, str] = {}
        why: list[str] = []
        pending = [version] if version else []
        with self._locked():
            try:
                sent = self.server.sent()
                since = min(sent, default=version or "")
                names = [n for n in sorted(self.store.names()) if n == version or n >= since]
                champion = self.store.champion.version or ""
                pending = [n for n in names if n not in sent and n != champion]
                if champion and not (champion in sent and self.server.champion() == champion):
                    pending.append(champion)
                for name in list(pending):
                    try:
                        found = self.store.open(name)
                        if name not in sent:
                            runs[name] = self.server.send(found)
                        if name == champion:
                            self.server.set_champion(found)
                        pending.remove(name)
                    except ModelError as error:  # damaged: the others are sent
                        why.append(str(error))
            except (TrackingError, ModelError) as error:
                why.append(str(error))
            except KeyboardInterrupt:
                why.append("interrupted")
        return Tracked(shown(self.server.uri), runs, pending, "; ".join(why))

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Let one program send at a time; a killed one releases the lock."""
        from filelock import FileLock

        try:
            self.scratch.mkdir(parents=True, exist_ok=True)
            with FileLock(self.scratch / LOCK):
                yield
        except OSError as error:
            where = f"{self.scratch} (scratch)"
            raise SettingsError(f"{where}: can't be written: {error.strerror or error}") from error
