"""Model versions in a folder: written whole or not at all, checked before they are loaded.

A version is a folder `<version>/` with `model.joblib`, `out_of_fold.parquet` and `manifest.json`,
which holds the SHA-256 of the others. The aliases `latest` and `champion` are small files beside
them that keep their own history, so alias and history can't disagree.
"""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from titanic_ml.aliases import Alias
from titanic_ml.errors import ModelError, ModelNotFound, ModelRefused, UnreadableTable
from titanic_ml.provenance import git_commit, libraries
from titanic_ml.tables import write_file

if TYPE_CHECKING:
    import pandas as pd
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
        out_of_fold: pd.DataFrame,
        facts: Mapping[str, Any],
        parent: str | None,
    ) -> str:
        """Write a new version and let `latest` point at it.

        `out_of_fold` holds row hashes, truth and out-of-fold probabilities, for the gate; `facts`
        what else the manifest keeps; `parent` is the champion at the time, if any. Returns the
        version's name. Raises `ModelError` if it can't be written; then nothing is.
        """
        import joblib

        buffer, table = io.BytesIO(), io.BytesIO()
        joblib.dump(model, buffer)
        out_of_fold.to_parquet(table, index=False)
        files = {"model.joblib": buffer.getvalue(), "out_of_fold.parquet": table.getvalue()}
        hashes = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
        now = datetime.now(UTC)
        name = f"{now:%Y%m%dT%H%M%S.%f}"[:-3] + f"Z-{hashes['model.joblib'][:6]}"
        origin = {"version": name, "parent": parent, "time": now.isoformat(timespec="milliseconds")}
        manifest = {
            **origin,
            "git": git_commit(),
            "libraries": libraries(),
            **facts,
            "files": hashes,
        }
        name = self._write(name, manifest, files)
        self.alias("latest").point(name, "trained")
        return name

    def _write(self, name: str, manifest: dict[str, Any], files: dict[str, bytes]) -> str:
        """Fill a hidden folder, then rename it: two writers can't get the same name."""
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
            for attempt in range(1, 100):
                final = name if attempt == 1 else f"{name}-{attempt}"
                text = json.dumps({**manifest, "version": final}, indent=2, default=str)
                write_file(
                    incoming / "manifest.json", lambda file, text=text: file.write(text.encode())
                )
                try:
                    incoming.rename(root / final)
                    return final
                except OSError:
                    if not (root / final).exists():
                        raise
            raise ModelError(f"{root / name}: a hundred versions of one moment; try again")
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
            lines.append(
                line | {"aliases": [a for a, target in aliases.items() if target == version]}
            )
        return lines

    def load(self, name: str) -> tuple[Pipeline, dict[str, Any]]:
        """The fitted Pipeline of a version or alias, and its manifest.

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
        data = self._checked(manifest, "model.joblib")
        import joblib

        return joblib.load(io.BytesIO(data)), manifest

    def out_of_fold(self, name: str) -> pd.DataFrame:
        """Row hashes, truth and out-of-fold probabilities of a version. Raises as `load` does."""
        import pandas as pd

        return pd.read_parquet(
            io.BytesIO(self._checked(self.manifest(name), "out_of_fold.parquet"))
        )

    def _checked(self, manifest: dict[str, Any], file: str) -> bytes:
        """The bytes of a version's file, once they have the hash that the manifest gives."""
        path = Path(self.uri) / manifest["version"] / file
        if not path.is_file():
            raise ModelRefused(f"{path}: missing; train anew or roll back")
        data = path.read_bytes()
        if hashlib.sha256(data).hexdigest() != manifest["files"][file]:
            raise ModelRefused(
                f"{path}: not the file that was saved (SHA-256); train anew or roll back"
            )
        return data
