"""Objects by name in a folder, in a bucket or in memory; creating one that exists is refused."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from titanic_ml.errors import SettingsError, StoreUnusable
from titanic_ml.storage.buckets import SCHEMES, check_bucket, client, is_clients, reason
from titanic_ml.storage.secrets import cause, shown, without_secrets

# Imported in functions: obstore, which reading a folder does without.

EXPECTED = "a folder, s3://bucket/prefix, gs://bucket/prefix, az://container/prefix or memory:///"
AT_ONCE = 16  # requests
TRIES = 10  # to make a folder that others remove
UNFINISHED = re.compile(r"#\d+$")  # how a file is called in a folder until it is whole


@dataclass(frozen=True)
class ObjectStore:
    """Named bytes under one address. A name may hold slashes.

    Attributes
    ----------
    uri
        A folder, made when the first object is created; or ``s3://``, ``gs://``, ``az://`` with a
        bucket and a prefix; or ``memory:///``, which is gone with the process.

    Raises
    ------
    SettingsError
        The address is of no known kind.
    StoreUnusable
        Raised by every method if the store can't be reached, read or written.
    """

    uri: str

    def __post_init__(self) -> None:
        scheme, slashes, place = self.uri.partition("://")
        if not slashes and self.uri and shown(self.uri) == self.uri:
            return
        if scheme in SCHEMES and place.strip("/"):
            check_bucket(self.uri.rstrip("/"))
        elif scheme != "memory":
            raise SettingsError(
                f"the store {shown(self.uri)!r} is of no known kind, expected {EXPECTED}"
            )

    @property
    def folder(self) -> Path | None:
        """The folder; None if it is a bucket or in memory."""
        return None if "://" in self.uri else Path(os.path.expanduser(self.uri))

    def address(self, name: str) -> str:
        """Return the address of an object for people."""
        return str(self.folder / name) if self.folder else f"{self.uri.rstrip('/')}/{name}"

    def create(self, name: str, data: bytes) -> bool:
        """Write an object; False, and nothing is changed, if there is one of this name."""
        import obstore
        from obstore.exceptions import AlreadyExistsError

        with self._translate_errors("written"):
            try:
                obstore.put(self._open(make=True), name, data, mode="create")
            except AlreadyExistsError:
                return False
            if self.folder:
                _sync(self.folder / name)
        return True

    def replace(self, name: str, data: bytes) -> None:
        """Write an object in place of the one of this name, in one step."""
        import obstore

        with self._translate_errors("written"):
            obstore.put(self._open(make=True), name, data)
            if self.folder:
                _sync(self.folder / name)

    def read(self, name: str) -> bytes | None:
        """Read an object; None if there is none."""
        with self._translate_errors("read"):
            try:
                if self.folder:  # the client would only be slower
                    return (self.folder / name).read_bytes()
                import obstore

                return obstore.get(self._open(), name).bytes().to_bytes()
            except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
                return None

    def read_all(self, names: Sequence[str]) -> list[bytes | None]:
        """Read several objects, those of a bucket at the same time."""
        if self.folder or len(names) < 2:
            return [self.read(name) for name in names]
        with ThreadPoolExecutor(min(AT_ONCE, len(names))) as pool:
            return list(pool.map(self.read, names))

    def write_all(self, objects: dict[str, bytes]) -> None:
        """Write several objects at the same time, over those of their names."""
        with ThreadPoolExecutor(min(AT_ONCE, len(objects) or 1)) as pool:
            list(pool.map(self.replace, objects, objects.values()))

    def folders(self) -> list[str]:
        """List the first parts of all names with several parts."""
        import obstore

        if not self._there:
            return []
        with self._translate_errors("read"):
            found = obstore.list_with_delimiter(self._open())
        return sorted(path.rpartition("/")[2] for path in found["common_prefixes"])

    def names(self, start: str = "") -> dict[str, datetime]:
        """List the names in a folder.

        Parameters
        ----------
        start
            The folder, by default the whole store.

        Returns
        -------
        dict
            Times of the last write by name, in the order of the names.
        """
        import obstore

        if not self._there:
            return {}
        with self._translate_errors("read"):
            listed = obstore.list(self._open(), prefix=start or None)
            found = [(one["path"], one["last_modified"]) for page in listed for one in page]
        return dict(sorted(found))

    def delete(self, names: Sequence[str]) -> None:
        """Remove objects; one that is not there is passed over."""
        import obstore

        with self._translate_errors("written"):
            for name in names:
                try:
                    obstore.delete(self._open(), name)
                except FileNotFoundError:
                    pass

    def discard(self, start: str) -> None:
        """Remove all under a folder of names, with what is unfinished there."""
        if self.folder:
            with self._translate_errors("written"), suppress(FileNotFoundError):
                shutil.rmtree(self.folder / start)
        else:
            self.delete(list(self.names(start)))

    def sweep(self, left: Sequence[str], kept: Sequence[str], age: timedelta) -> list[str]:
        """Remove the unfinished files of killed writers.

        Parameters
        ----------
        left
            Folders that are removed if everything in them is older than `age`.
        kept
            Folders from which only unfinished files older than `age` are removed.
        age
            Minimum age.

        Returns
        -------
        list of str
            Names of the removed files.
        """
        swept = [folder for folder in left if self._swept(folder, datetime.now(UTC) - age)]
        with self._translate_errors("written"):
            for path in self._unfinished(kept):
                if _written(path) < datetime.now(UTC) - age:
                    path.unlink(missing_ok=True)
                    swept.append(str(path.relative_to(self.folder or "")))
        return swept

    def _swept(self, folder: str, before: datetime) -> bool:
        """Remove one folder of names if all of it was written before."""
        written = list(self.names(folder).values())
        if self.folder:
            root = self.folder / folder
            written = [_written(path) for path in [root, *root.rglob("*")]]
        if old := bool(written) and all(time < before for time in written):
            self.discard(folder)
        return old

    def _unfinished(self, kept: Sequence[str]) -> list[Path]:
        """Files that a killed writer left in these folders of a disk, which no list has."""
        folders = [self.folder / name for name in kept] if self.folder else []
        found = (path for folder in folders for path in folder.rglob("*#*"))
        return [path for path in found if UNFINISHED.search(path.name)]

    def check_writable(self) -> None:
        """Write an object and remove it. Raises `StoreUnusable` if that fails."""
        name, folder = f".probe/{os.urandom(8).hex()}", self.folder
        made = [p for p in (folder, *folder.parents) if not p.exists()] if folder else []
        self.replace(name, b"")
        self.delete([name])
        for path in made:
            with suppress(OSError):  # another has put something there, or removed it
                path.rmdir()

    @property
    def _there(self) -> bool:
        """Whether there can be anything: an absent folder is an empty one."""
        return not self.folder or self.folder.is_dir()

    def _open(self, make: bool = False) -> Any:
        folder = self.folder
        if folder is None:
            return client(self.uri)
        if make:
            if folder.is_symlink() and not folder.exists():
                raise OSError(f"it is a link to {folder.readlink()}, which is not there")
            return self._made(folder)
        return _folder(str(folder.resolve()))  # as it is now: links and the working folder move

    def _made(self, folder: Path) -> Any:
        """Make a folder and its client; a process that only probed it may remove it meanwhile."""
        from obstore.exceptions import BaseError

        for _ in range(TRIES):
            folder.mkdir(parents=True, exist_ok=True)
            with suppress(BaseError):
                return _folder(str(folder.resolve()))
        return _folder(str(folder.resolve()))

    @contextmanager
    def _translate_errors(self, action: str) -> Iterator[None]:
        """Translate errors of the store or the operating system into one sentence."""
        try:
            yield
        except Exception as error:
            if isinstance(error, (OSError, ValueError)) or is_clients(error):
                words = without_secrets(reason(error), self.uri)
                raise StoreUnusable(
                    f"the store {shown(self.uri)} can't be {action}: {words}"
                ) from cause(error, self.uri)
            raise


@cache
def _folder(path: str) -> Any:
    from obstore.store import LocalStore

    return LocalStore(path, automatic_cleanup=True)


def _written(path: Path) -> datetime:
    return datetime.fromtimestamp(path.lstat().st_mtime, UTC)


def _sync(path: Path) -> None:
    """Let a file and its name outlast a crash of the machine."""
    for one in (path, path.parent) if os.name == "posix" else (path,):
        handle = os.open(one, os.O_RDONLY if os.name == "posix" else os.O_RDWR)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
