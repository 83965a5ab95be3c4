"""Model versions in a folder: written whole or not at all, checked before they are loaded.

A version is a folder `<version>/` with `manifest.json`, which holds the SHA-256 of the files beside
it. The aliases `latest` and `champion` are small files beside the versions that keep their own
history, so they can't disagree with it.
"""

from __future__ import annotations

import logging
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from titanic_ml.errors import EmptyStore, ModelError, ModelNotFound, ModelRefused
from titanic_ml.registry.aliases import CHAMPION, LATEST, Alias
from titanic_ml.registry.provenance import git_commit, libraries
from titanic_ml.registry.version import (
    MANIFEST,
    MODEL,
    Contents,
    Manifest,
    ModelVersion,
    Origin,
    Summary,
    sha256,
)
from titanic_ml.storage.files import write_file

log = logging.getLogger(__name__)
ALIASES = (CHAMPION, LATEST)
ATTEMPTS = 100  # names that are tried for a version of the same moment


@dataclass(frozen=True)
class ModelStore:
    """Model versions under one folder.

    Attributes
    ----------
    uri
        The folder; made when the first version is saved.
    """

    uri: str

    @property
    def root(self) -> Path:
        """The folder."""
        return Path(self.uri).expanduser()

    @property
    def champion(self) -> Alias:
        """The version that predicts unless another is named."""
        return self.alias(CHAMPION)

    @property
    def latest(self) -> Alias:
        """The version that was saved last."""
        return self.alias(LATEST)

    def alias(self, name: str) -> Alias:
        """What an alias points at, and its history."""
        return Alias(self.root / f"{name}.json")

    def names(self) -> list[str]:
        """Names of all versions, the newest first."""
        found = self.root.glob(f"[!.]*/{MANIFEST}")
        return sorted((path.parent.name for path in found), reverse=True)

    def versions(self) -> list[ModelVersion]:
        """All versions, the newest first. Raises `ModelRefused` if a manifest is damaged."""
        return [self._read(name) for name in self.names()]

    def resolve(self, name: str) -> str:
        """The name of the version that an alias points at; another name as it is.

        Raises
        ------
        ModelNotFound
            The alias points at none.
        """
        version = self.alias(name).version if name in ALIASES else name
        if version is None:
            raise self._not_found(name)
        return version

    def open(self, name: str) -> ModelVersion:
        """The version of this name or alias, as it is now.

        Raises
        ------
        ModelNotFound
            There is none; the message says what there is.
        ModelRefused
            Its manifest is damaged.
        """
        version = self.resolve(name)
        plain = version == Path(version).name and not version.startswith(".")
        if not plain or not (self.root / version / MANIFEST).is_file():
            raise self._not_found(name)
        return self._read(version)

    def save(
        self,
        contents: Contents,
        summary: Summary,
        documents: Callable[[Origin], Mapping[str, bytes]] | None = None,
    ) -> ModelVersion:
        """Write a new version and let `latest` point at it.

        Parameters
        ----------
        contents
            What belongs to it.
        summary
            What its manifest says of the training.
        documents
            Makes more of its files, by name, once there is a name for it.

        Raises
        ------
        ModelError
            It can't be written; then nothing is.
        """
        files = contents.files()
        now, parent = datetime.now(UTC), self.champion.version
        moment = f"{now:%Y%m%dT%H%M%S.%f}"[:-3] + f"Z-{sha256(files[MODEL])[:6]}"
        for attempt in range(1, ATTEMPTS):
            name = moment if attempt == 1 else f"{moment}-{attempt}"
            time = now.isoformat(timespec="milliseconds")
            origin = Origin(name, parent, time, git_commit(), libraries())
            whole = {**files, **(documents(origin) if documents else {})}
            hashes = {file: sha256(data) for file, data in whole.items()}
            manifest = Manifest(**vars(origin), **vars(summary), files=hashes)
            if self._write(name, whole | {MANIFEST: manifest.to_json().encode()}):
                log.info("%s: written to %s", name, self.uri)
                self.latest.point(name, "trained")
                return ModelVersion(self.root / name, manifest)
        raise ModelError(f"{self.uri}: a hundred versions of the moment {moment}; try again")

    def rollback(self) -> str:
        """Make the champion before this one the champion again, and return its name.

        Raises
        ------
        ModelNotFound
            There was no other, or it is deleted.
        """
        return self.champion.rollback(self.names())

    def delete(self, name: str) -> str:
        """Remove a version for good, and return its name. It vanishes in one step.

        Raises
        ------
        ModelNotFound
            There is none.
        ModelError
            It is the champion, or can't be removed.
        """
        version = self.open(name)
        if version.name == self.champion.version:
            raise ModelError(f"{version.name} is the champion; promote another, then delete it")
        leaving = None
        try:
            leaving = Path(tempfile.mkdtemp(prefix=".leaving-", dir=self.root))
            version.folder.rename(leaving / version.name)
        except OSError as error:
            raise ModelError(f"{version.folder}: can't be removed: {error.strerror}") from error
        finally:
            if leaving:
                shutil.rmtree(leaving, ignore_errors=True)
        if self.latest.version == version.name and (names := self.names()):
            self.latest.point(names[0], f"{version.name} was deleted")
        return version.name

    def _write(self, name: str, files: Mapping[str, bytes]) -> bool:
        """Fill a hidden folder, then rename it; False if another writer has the name."""
        root, incoming = self.root, None
        try:
            root.mkdir(parents=True, exist_ok=True)
            incoming = Path(tempfile.mkdtemp(prefix=".incoming-", dir=root))
            incoming.chmod(0o755)
            for path, data in files.items():
                write_file(incoming / path, data)
            try:
                incoming.rename(root / name)
                return True
            except OSError:
                if not (root / name).exists():
                    raise
                return False
        except OSError as error:
            raise ModelError(f"the store {self.uri} can't be written: {error.strerror}") from error
        finally:
            if incoming:
                shutil.rmtree(incoming, ignore_errors=True)

    def _read(self, version: str) -> ModelVersion:
        path = self.root / version / MANIFEST
        try:
            return ModelVersion(path.parent, Manifest.from_json(path.read_text()))
        except (OSError, ValueError, TypeError) as error:
            raise ModelRefused(f"{path}: damaged: {error}; train anew or roll back") from error

    def _not_found(self, name: str) -> ModelNotFound:
        if not (names := self.names()):
            return EmptyStore(
                f"the store {self.root.absolute()} (store.uri) holds no model; train one first"
            )
        known = [alias for alias in ALIASES if self.alias(alias).version in names] + names[:5]
        return ModelNotFound(f"no model {name} in {self.uri}, expected one of {', '.join(known)}")
