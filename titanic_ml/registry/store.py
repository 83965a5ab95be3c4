"""Model versions in a folder: written whole or not at all, checked before they are loaded.

A version is a folder `<version>/` with `model.joblib`, `out_of_fold.parquet` and what else belongs
to it, and `manifest.json`, which holds the SHA-256 of the others. The aliases `latest` and
`champion` are small files beside them that keep their own history, so they can't disagree.
"""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from titanic_ml.errors import ModelError, ModelNotFound, ModelRefused, UnreadableTable
from titanic_ml.registry.aliases import Alias
from titanic_ml.registry.provenance import git_commit, libraries
from titanic_ml.storage.files import write_file

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

ALIASES = ("champion", "latest")
MUST_MATCH = ("scikit-learn", "titanic_ml")
NEEDED = frozenset("version time libraries estimator threshold metrics data settings files".split())


@dataclass(frozen=True)
class ModelStore:
    """Model versions under one folder.

    Attributes
    ----------
    uri
        The folder; made when the first version is saved.
    """

    uri: str

    def save(
        self,
        model: Pipeline,
        files: Mapping[str, bytes],
        facts: Mapping[str, Any],
        parent: str | None,
        documents: Callable[[dict[str, Any]], Mapping[str, bytes]] | None = None,
    ) -> str:
        """Write a new version and let `latest` point at it.

        `files` are what else belongs to it, by name, and `documents` makes more of them from the
        manifest, once there is a name; `facts` are what else the manifest keeps; `parent` is the
        champion at the time. Returns the name. Raises `ModelError` if it can't be written; then
        nothing is.
        """
        content = {"model.joblib": dumped(model), **files}
        now = datetime.now(UTC)
        moment = f"{now:%Y%m%dT%H%M%S.%f}"[:-3] + f"Z-{_sha256(content['model.joblib'])[:6]}"
        for attempt in range(1, 100):
            name = moment if attempt == 1 else f"{moment}-{attempt}"
            when = now.isoformat(timespec="milliseconds")
            manifest = {"version": name, "parent": parent, "time": when}
            manifest |= {"git": git_commit(), "libraries": libraries(), **facts}
            whole = content | (documents(manifest) if documents else {})
            manifest["files"] = {file: _sha256(data) for file, data in whole.items()}
            text = json.dumps(manifest, indent=2, default=str)
            if self._write(name, whole | {"manifest.json": text.encode()}):
                self.alias("latest").point(name, "trained")
                return name
        raise ModelError(f"{self.uri}: a hundred versions of the moment {moment}; try again")

    def _write(self, name: str, files: Mapping[str, bytes]) -> bool:
        """Fill a hidden folder, then rename it; False if another writer has the name."""
        try:
            root = Path(self.uri)
            root.mkdir(parents=True, exist_ok=True)
            incoming = Path(tempfile.mkdtemp(prefix=".incoming-", dir=root))
            incoming.chmod(0o755)
        except OSError as error:
            raise ModelError(f"the store {self.uri} can't be written: {error.strerror}") from error
        try:
            for path, data in files.items():
                write_file(incoming / path, lambda file, data=data: file.write(data))
            try:
                incoming.rename(root / name)
                return True
            except OSError:
                if not (root / name).exists():
                    raise
                return False
        except (OSError, UnreadableTable) as error:
            raise ModelError(f"the store {self.uri} can't be written: {error}") from error
        finally:
            shutil.rmtree(incoming, ignore_errors=True)

    def versions(self) -> list[str]:
        """Names of all versions, the newest first."""
        found = Path(self.uri).glob("[!.]*/manifest.json")
        return sorted((path.parent.name for path in found), reverse=True)

    def resolve(self, name: str) -> str:
        """The version that a name or alias stands for.

        Raises
        ------
        ModelNotFound
            There is none; the message says what there is.
        """
        version = self.alias(name).version if name in ALIASES else name
        if version in (versions := self.versions()):
            return version
        if not versions:
            raise ModelNotFound(
                f"the store {self.uri} holds no model; train one first: python main.py train"
            )
        known = [alias for alias in ALIASES if self.alias(alias).version in versions] + versions[:5]
        raise ModelNotFound(f"no model {name} in {self.uri}, expected one of {', '.join(known)}")

    def alias(self, name: str) -> Alias:
        """The alias `champion` or `latest`: what it points at, and its history."""
        return Alias(Path(self.uri) / f"{name}.json")

    def manifest(self, name: str) -> dict[str, Any]:
        """The manifest of a version or alias. Raises `ModelNotFound`, or `ModelRefused`."""
        path = Path(self.uri) / self.resolve(name) / "manifest.json"
        try:
            manifest = json.loads(path.read_text())
            if missing := NEEDED.difference(manifest):
                raise ValueError(f"it lacks {', '.join(sorted(missing))}")
            return manifest
        except (OSError, ValueError, TypeError) as error:
            raise ModelRefused(f"{path}: damaged: {error}; train anew or roll back") from error

    def summaries(self) -> list[dict[str, Any]]:
        """A line for each version, the newest first: what `models list` prints."""
        aliases = {alias: self.alias(alias).version for alias in ALIASES}
        lines = []
        for version in self.versions():
            manifest = self.manifest(version)
            line = {key: manifest[key] for key in ("version", "time", "estimator")}
            line |= {"log_loss": manifest["metrics"]["log_loss"], "rows": manifest["data"]["rows"]}
            line["confidence"] = manifest["settings"]["evaluation"]["confidence"]
            lines.append(
                line | {"aliases": [a for a, target in aliases.items() if target == version]}
            )
        return lines

    def load(self, name: str, file: str = "model.joblib") -> tuple[Any, dict[str, Any]]:
        """The fitted Pipeline of a version or alias, or another of its objects, and the manifest.

        Hashes and library versions are checked before anything is unpickled. Raises
        `ModelNotFound`, or `ModelRefused` if a file is damaged or the libraries differ.
        """
        manifest = self.manifest(name)
        here = libraries()
        for library in MUST_MATCH:
            theirs, ours = manifest["libraries"][library], here[library]
            if theirs.split(".")[:2] != ours.split(".")[:2]:
                raise ModelRefused(
                    f"{manifest['version']} was made with {library} {theirs}, but here is {ours}; "
                    f"install {library} {theirs} or train anew"
                )
        data = self._checked(manifest, file)
        import joblib

        return joblib.load(io.BytesIO(data)), manifest

    def read(self, name: str, file: str) -> bytes:
        """A file of a version or alias. Raises as `load` does."""
        return self._checked(self.manifest(name), file)

    def _checked(self, manifest: dict[str, Any], file: str) -> bytes:
        """The bytes of a version's file, once they have the hash that the manifest gives."""
        path = Path(self.uri) / manifest["version"] / file
        if not path.is_file() or file not in manifest["files"]:
            raise ModelRefused(f"{path}: missing; train anew or roll back")
        data = path.read_bytes()
        if _sha256(data) != manifest["files"][file]:
            raise ModelRefused(
                f"{path}: not the file that was saved (SHA-256); train anew or roll back"
            )
        return data


def dumped(thing: Any) -> bytes:
    """The bytes of a pickled object."""
    import joblib

    buffer = io.BytesIO()
    joblib.dump(thing, buffer)
    return buffer.getvalue()


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
