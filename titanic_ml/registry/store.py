"""Model versions in a folder or a bucket: whole or not at all, checked before they are loaded.

A version is the objects `<version>/…`, written once. Its `manifest.json` is written last and holds
the SHA-256 of the others: without it there is no version. The alias `champion` is a log of entries
under `aliases/champion/`; `latest` is the newest version: its name sorts last.
"""

from __future__ import annotations

import logging
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

from titanic_ml.errors import (
    EmptyStore,
    ModelError,
    ModelNotFound,
    ModelRefused,
    SettingsError,
    StoreUnusable,
)
from titanic_ml.registry.aliases import ALIASES, Alias, Entry, user
from titanic_ml.registry.names import CHAMPION, LATEST
from titanic_ml.registry.provenance import git_commit, libraries
from titanic_ml.registry.signatures import sha256
from titanic_ml.registry.version import (
    MANIFEST,
    MODEL,
    Contents,
    Manifest,
    ModelVersion,
    Origin,
    Summary,
)
from titanic_ml.storage.object_store import ObjectStore

log = logging.getLogger(__name__)
NAMED = (CHAMPION, LATEST)
NAME = re.compile(r"(\d{8}T\d{6})\.(\d{3})Z-[0-9a-f]{6}(-\d+)?", re.ASCII)  # of a version
LITTER = re.compile(r"\.(incoming|leaving)-.*|\.probe")  # of killed writers, beside versions
ATTEMPTS = 100  # names that are tried for a version
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Verification:
    """Result of `ModelStore.verify`.

    Attributes
    ----------
    versions
        Number of versions that were read.
    faults
        Faults of the versions and the history, one sentence each.
    swept
        Files of killed writers that were removed.
    """

    versions: int
    faults: list[str]
    swept: list[str]

    def to_dict(self) -> dict[str, Any]:
        """Return values for JSON; keys are the names of the attributes."""
        return {"versions": self.versions, "faults": self.faults, "swept": self.swept}

    def __str__(self) -> str:
        lines = [*self.faults]
        lines += [f"{name}: left by a killed writer, removed" for name in self.swept]
        number = len(self.faults)
        found = f"{number} fault{'s' * (number != 1)}" if number else "all as they were saved"
        return "\n".join([*lines, f"{self.versions} versions read: {found}"])


@dataclass(frozen=True)
class ModelStore:
    """Model versions under one address.

    Attributes
    ----------
    uri
        A folder or a bucket, as `storage.object_store.ObjectStore` takes it.
    key
        Key that signs new versions and must have signed all that are read; None for no check.
    allow_mismatch
        Whether versions that another minor version of scikit-learn made may be loaded.

    Raises
    ------
    SettingsError
        The address is of no known kind.
    StoreUnusable
        Raised by every method if the store can't be reached, read or written.
    """

    uri: str
    key: str | None = field(default=None, repr=False)
    allow_mismatch: bool = False

    def __post_init__(self) -> None:
        self.objects  # refuses an address of no known kind

    @cached_property
    def objects(self) -> ObjectStore:
        """Where the bytes are."""
        return ObjectStore(self.uri)

    @property
    def champion(self) -> Alias:
        """The version that predicts unless another is named."""
        return Alias(self.objects, CHAMPION)

    @property
    def latest(self) -> str | None:
        """The newest version; None if there is none."""
        candidates = sorted(filter(NAME.fullmatch, self.objects.folders()), reverse=True)
        return next((name for name in candidates if self.holds(name)), None)

    def names(self) -> list[str]:
        """Return the names of all versions, newest first."""
        parts = (name.partition("/") for name in self.objects.names())
        found = (name for name, _, file in parts if file == MANIFEST and NAME.fullmatch(name))
        return sorted(found, reverse=True)

    def holds(self, name: str) -> bool:
        """Check whether a version of this name exists, damaged or not."""
        return self.objects.read(f"{name}/{MANIFEST}") is not None

    def versions(self) -> list[ModelVersion | ModelRefused]:
        """Return all versions, the newest first; a damaged one as its error."""
        names = sorted(filter(NAME.fullmatch, self.objects.folders()), reverse=True)
        manifests = self.objects.read_all([f"{name}/{MANIFEST}" for name in names])
        found: list[ModelVersion | ModelRefused] = []
        for name, data in zip(names, manifests, strict=True):
            if data is not None:
                try:
                    found.append(self._version(name, data))
                except ModelRefused as refused:
                    found.append(refused)
        return found

    def of_run(self, run: str) -> ModelVersion | None:
        """Find the newest version of a training by its id."""
        known = (found for found in self.versions() if isinstance(found, ModelVersion))
        return next((found for found in known if found.manifest.run == run), None)

    def resolve(self, name: str) -> str:
        """Return the name of the version that an alias or the beginning of a name stands for.

        A whole name is returned as it is, whether or not there is such a version.

        Raises
        ------
        ModelNotFound
            There is none, or the names of several versions begin like this.
        """
        if NAME.fullmatch(name):
            return name
        if name not in NAMED:
            return self._of_prefix(name)
        version = self.champion.version if name == CHAMPION else self.latest
        if version is None:
            raise self._not_found(name)
        return version

    def open(self, name: str) -> ModelVersion:
        """Open the version of a name or alias.

        Raises
        ------
        ModelNotFound
            There is none; the message says what there is.
        ModelRefused
            Its manifest is damaged, or not signed by the key.
        """
        version = self.resolve(name)
        named = NAME.fullmatch(version)
        data = self.objects.read(f"{version}/{MANIFEST}") if named else None
        if data is None:
            raise self._not_found(name)
        return self._version(version, data)

    def check_ready(self) -> None:
        """Find now what would stop a version from being kept or promoted.

        Raises
        ------
        StoreUnusable
            The store can't be written.
        ModelRefused
            The champion's log is damaged.
        """
        self.objects.check_writable()
        self.champion.last()

    def save(
        self,
        contents: Contents,
        summary: Summary,
        documents: Callable[[Origin], Mapping[str, bytes]] | None = None,
        run: str | None = None,
    ) -> ModelVersion:
        """Write a new version, which becomes the latest.

        Parameters
        ----------
        contents
            Model and tables of the version.
        summary
            Facts of the training for the manifest.
        documents
            Makes further files by name, from the name and origin of the version.
        run
            Id of the training, if it has one.

        Returns
        -------
        ModelVersion
            The saved version.

        Raises
        ------
        StoreUnusable
            The store can't be written; no version was made.
        """
        files, now = contents.files(), datetime.now(UTC)
        time, parent = now.isoformat(timespec="milliseconds"), self.champion.version
        for _ in range(ATTEMPTS):
            name = _name_after(self.objects.folders(), now)
            origin = Origin(name, parent, time, git_commit(), libraries(), who=user(), run=run)
            whole = {**files, **(documents(origin) if documents else {})}
            hashes = {file: sha256(data) for file, data in whole.items()}
            manifest = Manifest(**vars(origin), **vars(summary), files=hashes)
            if self._write(name, whole, manifest.to_bytes(self.key)):
                log.info("%s: written to %s", name, self.uri)
                return ModelVersion(self.objects, manifest, self.allow_mismatch)
        raise ModelError(f"{self.uri}: others took a hundred names of versions; try again")

    def set_champion(
        self,
        after: Entry | None,
        version: ModelVersion,
        why: str,
        back_to: Entry | None = None,
        forced: bool = False,
    ) -> bool:
        """Make a version the champion, unless the alias was moved meanwhile.

        Parameters
        ----------
        after
            Last entry of the champion's log, as the caller read it.
        version, why, back_to, forced
            As in `aliases.Alias.move`.

        Returns
        -------
        bool
            False if the alias was moved meanwhile.

        Raises
        ------
        ModelRefused
            A file of the version is missing or was changed.
        ModelNotFound
            The version was deleted meanwhile; the champion stays.
        """
        self.open(version.name).check()  # as it is now, also if it was read long ago
        entry = self.champion.move(after, version.name, why, back_to, forced)
        if entry and not self.holds(version.name):
            if after:
                self.champion.move(entry, after.version, f"{version.name} was deleted", after)
            raise ModelNotFound(f"{version.name} was deleted meanwhile")
        return entry is not None

    def rollback(self, why: str = "") -> str:
        """Make the champion before this one the champion again, and return its name.

        Raises
        ------
        ModelNotFound
            There was no other, or it is deleted.
        ModelRefused
            A file of it is missing or not the one that was saved.
        """
        while True:
            last, target = self.champion.before(self.holds)
            if self.set_champion(last, self.open(target.version), why or "rolled back", target):
                return target.version

    def delete(self, name: str) -> str:
        """Remove a version for good, and return its name. It vanishes in one step.

        Raises
        ------
        ModelNotFound
            There is none.
        ModelError
            An alias names it.
        """
        version = self.resolve(name)
        manifest = f"{version}/{MANIFEST}"
        if version not in self.names():
            raise self._not_found(name)
        for alias, named in ((CHAMPION, self.champion.version), (LATEST, self.latest)):
            if named == version:
                raise ModelError(f"{version} is the {alias}, and stays as long as it is")
        data = self.objects.read(manifest) or b""
        self.objects.delete([manifest])
        if self.champion.version == version:  # it was promoted meanwhile
            self.objects.replace(manifest, data)
            raise ModelError(f"{version} is the {CHAMPION}, and stays as long as it is")
        self.objects.discard(version)
        return version

    def prune(self, keep: int) -> list[str]:
        """Remove all versions but the newest, and return the names of those removed.

        The champion and the version that a rollback would return to are kept too.

        Parameters
        ----------
        keep
            Number of newest versions to keep, at least 1.

        Returns
        -------
        list of str
            Names of the removed versions.

        Raises
        ------
        SettingsError
            `keep` is less than 1.
        """
        if keep < 1:
            raise SettingsError(f"keep is {keep}, expected at least 1")
        names = self.names()
        needed = {self.champion.version}
        try:
            needed.add(self.champion.before(self.holds)[1].version)
        except ModelNotFound:  # nothing to roll back to
            pass
        return [self.delete(name) for name in names[keep:] if name not in needed]

    def verify(self, age: timedelta = DAY) -> Verification:
        """Read all files of all versions and the history, and remove files of killed writers.

        Parameters
        ----------
        age
            Unfinished files younger than this are kept, since a writer may still be at work.

        Returns
        -------
        Verification
            Damaged versions, and the files that were removed.
        """
        names, faults, versions = set(self.names()), [], 0
        for version in self.versions():
            versions += 1
            faults += [str(version)] if isinstance(version, ModelRefused) else version.faults()
        try:
            for entry in self.champion.history():
                log.debug("%s: entry %d is whole", CHAMPION, entry.number)
            champion = self.champion.version
            if champion and champion not in names:
                faults.append(f"the {CHAMPION} {champion} is not in the store; promote another")
        except ModelRefused as refused:
            faults.append(str(refused))
        left = [
            folder
            for folder in self.objects.folders()
            if folder not in names and (NAME.fullmatch(folder) or LITTER.fullmatch(folder))
        ]
        swept: list[str] = []
        try:
            swept = self.objects.sweep(left, [*names, ALIASES], age)
        except StoreUnusable as error:  # a reader without write access can still look
            faults.append(str(error))
        return Verification(versions, faults, swept)

    def _write(self, name: str, files: Mapping[str, bytes], manifest: bytes) -> bool:
        """Write the objects of a version; False if another writer has the name."""
        settled = False
        try:
            if not self.objects.create(f"{name}/{MODEL}", files[MODEL]):
                settled = True
                return False
            self.objects.write_all({f"{name}/{f}": d for f, d in files.items() if f != MODEL})
            self.objects.create(f"{name}/{MANIFEST}", manifest)
            settled = True
            return True
        finally:
            if not settled:
                self._take_back(name)

    def _take_back(self, name: str) -> None:
        """Remove what was written of a version that will not be, if that is possible."""
        try:
            self.objects.delete([f"{name}/{MANIFEST}"])
            self.objects.discard(name)
        except StoreUnusable as error:
            log.warning("%s: half written, and can't be removed: %s", name, error)

    def _version(self, name: str, data: bytes) -> ModelVersion:
        return ModelVersion.from_manifest(self.objects, name, data, self.key, self.allow_mismatch)

    def sign(self) -> list[str]:
        """Sign the versions that the store's key has not signed; return their names.

        Only versions with undamaged files are signed. Signing vouches for their content.

        Raises
        ------
        SettingsError
            The store has no key.
        ModelRefused
            A version is damaged; those before it in time are signed.
        """
        if self.key is None:
            raise SettingsError("store.signing_key is null, expected a key")
        signed = []
        for name in reversed(self.names()):
            path = f"{name}/{MANIFEST}"
            data = self.objects.read(path) or b""
            try:
                manifest = Manifest.from_bytes(data)
            except (ValueError, TypeError, KeyError) as error:
                where = self.objects.address(path)
                raise ModelRefused(f"{where}: damaged: {error}; delete that version") from error
            ModelVersion(self.objects, manifest).check()
            if (new := manifest.to_bytes(self.key)) != data:
                self.objects.replace(path, new)
                signed.append(name)
        return signed

    def _of_prefix(self, beginning: str) -> str:
        """Return the only version with this beginning of its name."""
        found = [name for name in self.names() if beginning and name.startswith(beginning)]
        if len(found) > 1:
            raise ModelNotFound(
                f"{beginning} is the beginning of {len(found)} versions in {self.uri}: "
                f"{', '.join(found[:5])}{', …' * (len(found) > 5)}; give more of the name"
            )
        if not found:
            raise self._not_found(beginning)
        return found[0]

    def _not_found(self, name: str) -> ModelNotFound:
        if not (names := self.names()):
            folder = self.objects.folder
            where = folder.absolute() if folder else self.uri
            return EmptyStore(f"the store {where} (store.uri) holds no model; train one first")
        known = [LATEST, *names[:5]]
        if self.champion.version in names:
            known.insert(0, CHAMPION)
        return ModelNotFound(f"no model {name} in {self.uri}, expected one of {', '.join(known)}")


def _name_after(names: list[str], now: datetime) -> str:
    """Make a name that sorts after all others, also if the clock was set back."""
    moments = [now.replace(microsecond=now.microsecond // 1000 * 1000)]
    if known := [match for name in names if (match := NAME.fullmatch(name))]:
        second, milliseconds = max(match.group(1, 2) for match in known)
        last = datetime.strptime(second, "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
        moments.append(last + timedelta(milliseconds=int(milliseconds) + 1))
    return f"{max(moments):%Y%m%dT%H%M%S.%f}"[:-3] + f"Z-{secrets.token_hex(3)}"
