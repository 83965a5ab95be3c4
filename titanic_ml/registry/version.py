"""Stored version: its manifest and its files, which are read at their first use."""

from __future__ import annotations

import io
import json
import logging
import math
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from titanic_ml.errors import ModelRefused
from titanic_ml.evaluation.result import Estimates
from titanic_ml.registry.provenance import libraries
from titanic_ml.registry.signatures import WrongSignature, opened, sealed, sha256
from titanic_ml.storage.object_store import ObjectStore

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from sklearn.pipeline import Pipeline

    from titanic_ml.dataset.dataset import Dataset
    from titanic_ml.dataset.spec import DatasetSpec

# Imported in functions: what reads a model, so that a list of versions is quick.

log = logging.getLogger(__name__)
MANIFEST = "manifest.json"
MODEL, BASELINES = "model.joblib", "baselines.joblib"
BACKGROUND, OUT_OF_FOLD = "background.parquet", "out_of_fold.parquet"
FACTS, REPORT, MODEL_CARD = "evaluation.json", "report.html", "model_card.md"
FIGURES = "figures.json"
PROFILE = "profile.json"
MUST_MATCH = ("titanic_ml", "scikit-learn")  # to the minor version
MAY_DIFFER = "scikit-learn"  # of these, with --allow-mismatch


@dataclass(frozen=True)
class TrainingTable:
    """The table that a version was trained on.

    Attributes
    ----------
    uri
        Address of the table, without secrets.
    fingerprint
        Hash of its validated rows: the same for the same rows in another file or format.
    rows
        Number of rows.
    profile
        Missing values and quantiles, or most frequent values, by column.
    file_sha256
        SHA-256 of the file, as ``sha256sum`` prints it; None if it was not one file.
    """

    uri: str
    fingerprint: str
    rows: int
    profile: dict[str, Any]
    file_sha256: str | None = None


@dataclass(frozen=True)
class Origin:
    """Name, time, author, code and libraries of a version.

    Attributes
    ----------
    version
        Name of the version.
    parent
        Champion at the time.
    time
        Time of the training, in UTC and ISO 8601.
    git
        Commit of the code; None outside a checkout.
    libraries
        Versions of the libraries.
    who
        The user who trained it.
    run
        Id of the training, so that a repeated training finds it; None without.
    """

    version: str
    parent: str | None
    time: str
    git: str | None
    libraries: dict[str, str]
    who: str = field(default="unknown", kw_only=True)
    run: str | None = field(default=None, kw_only=True)


@dataclass(frozen=True)
class Summary:
    """Content of a manifest that comes from the training.

    Attributes
    ----------
    estimator, parameters, threshold
        The candidate that was chosen, with what was chosen for it.
    metrics, grouped
        Out-of-fold metrics on stratified and on grouped folds; None without groups.
    candidates
        Scores of the compared candidates, by name.
    groups
        Clusters of correlated features.
    data
        The training table.
    seed, settings
        All that was set.
    """

    estimator: str
    parameters: dict[str, Any]
    threshold: float
    metrics: Estimates
    grouped: Estimates | None
    candidates: dict[str, dict[str, Any]]
    groups: list[list[str]]
    data: TrainingTable
    seed: int
    settings: dict[str, Any]


@dataclass(frozen=True)
class Manifest(Summary, Origin):
    """All that a manifest says; the names of its attributes are the keys of the JSON.

    Attributes
    ----------
    files
        SHA-256 of each file of the version, by its name.
    """

    files: dict[str, str]

    @classmethod
    def from_bytes(cls, data: bytes, key: str | None = None) -> Manifest:
        """Read and check a manifest.

        Parameters
        ----------
        data
            Content of `manifest.json`.
        key
            Key of the required signature; None for no check.

        Returns
        -------
        Manifest
            The manifest.

        Raises
        ------
        ValueError
            The content is no manifest, was changed, or has an impossible value.
        WrongSignature
            The manifest is not signed with the key.
        """
        manifest: Manifest = _reader().validate_python(opened(data, key))
        if not 0 <= manifest.threshold <= 1:
            raise ValueError(f"its threshold is {manifest.threshold}")
        if "log_loss" not in manifest.metrics or not 0 < manifest.confidence < 1:
            raise ValueError("it lacks the log loss, or the confidence of its interval")
        estimates = [*manifest.metrics.values(), *(manifest.grouped or {}).values()]
        if not all(math.isfinite(v) for e in estimates for v in (e.value, e.low, e.high)):
            raise ValueError("one of its metrics is no number")
        if MODEL not in manifest.files or any("/" in name for name in manifest.files):
            raise ValueError(f"its files are {', '.join(manifest.files)}")
        return manifest

    def to_bytes(self, key: str | None = None) -> bytes:
        """Return the content of `manifest.json` with its digest, signed if there is a key."""
        return sealed(self.to_dict(), key)

    def to_dict(self) -> dict[str, Any]:
        """Return values for JSON."""
        return asdict(self)

    @property
    def confidence(self) -> float:
        """Confidence of the metrics' intervals."""
        return float(self.settings["evaluation"]["confidence"])


@dataclass(frozen=True)
class Contents:
    """The objects and tables that belong to a version, as `ModelVersion` gives them back."""

    model: Pipeline
    baselines: Mapping[str, Pipeline]
    background: pd.DataFrame
    out_of_fold: pd.DataFrame

    def files(self) -> dict[str, bytes]:
        """Return the content of each file by name."""
        return {
            MODEL: _pickled(self.model),
            BASELINES: _pickled(self.baselines),
            BACKGROUND: self.background.to_parquet(index=False),
            OUT_OF_FOLD: self.out_of_fold.to_parquet(index=False),
        }


@dataclass(frozen=True, repr=False)
class ModelVersion:
    """Version of a store: immutable; each file is read and checked at its first use.

    Every part raises `ModelRefused` if its file is missing or not the one that was saved; a pickled
    one also if it was made by other library versions, before anything is unpickled.

    Attributes
    ----------
    objects
        Store of the version.
    manifest
        Manifest of the version.
    allow_mismatch
        Whether it may be loaded if it was made by another minor version of scikit-learn.
    """

    objects: ObjectStore
    manifest: Manifest
    allow_mismatch: bool = False

    @classmethod
    def from_manifest(
        cls,
        objects: ObjectStore,
        name: str,
        data: bytes,
        key: str | None = None,
        allow_mismatch: bool = False,
    ) -> ModelVersion:
        """Make a version from its name and the content of its manifest.

        Raises
        ------
        ModelRefused
            The manifest is damaged, not signed by the key, or another version's.
        """
        where = objects.address(f"{name}/{MANIFEST}")
        try:
            manifest = Manifest.from_bytes(data, key)
        except WrongSignature as error:
            raise ModelRefused(f"{where}: {error}; train anew or roll back") from error
        except (ValueError, TypeError, KeyError) as error:
            theirs, ours = _made_by(data), libraries()["titanic_ml"]
            if theirs.split(".")[:2] != ours.split(".")[:2]:
                raise ModelRefused(
                    f"{where}: made with titanic_ml {theirs}, but here is {ours}; install "
                    f"titanic_ml {theirs} or train anew"
                ) from error
            reason = _first_fault(error)
            raise ModelRefused(f"{where}: damaged: {reason}; train anew or roll back") from error
        if manifest.version != name:
            raise ModelRefused(f"{where}: it is the manifest of {manifest.version}")
        return cls(objects, manifest, allow_mismatch)

    def __repr__(self) -> str:
        return f"ModelVersion({self.name}, {self.manifest.estimator})"

    @property
    def name(self) -> str:
        return self.manifest.version

    @property
    def report(self) -> str:
        """Where its report is."""
        return self.address(REPORT)

    def local_report(self) -> str:
        """Return a local file with the report for a browser; a copy if the store is a bucket."""
        if self.objects.folder:
            return self.report
        path = Path(tempfile.mkdtemp(prefix="ml-report-")) / REPORT
        path.write_bytes(self.read(REPORT))
        return str(path)

    @property
    def threshold(self) -> float:
        """Probability from which on the prediction is 1."""
        return self.manifest.threshold

    @property
    def warning(self) -> str:
        """Warning about its predictions; empty without one."""
        theirs, ours = self._mismatch(MAY_DIFFER)
        if theirs == ours:
            return ""
        return (
            f"{self.name} was made with {MAY_DIFFER} {theirs}, but here is {ours}: "
            "its predictions may differ from those that were measured"
        )

    @cached_property
    def spec(self) -> DatasetSpec:
        """Specification of its training table, for all tables it predicts."""
        from titanic_ml.dataset.spec import DatasetSpec

        return DatasetSpec.from_dict(self.manifest.settings["dataset"])

    @cached_property
    def model(self) -> Pipeline:
        """The fitted Pipeline, from the table's columns to probabilities."""
        return self._unpickled(MODEL)

    @cached_property
    def baselines(self) -> dict[str, Pipeline]:
        """Fitted Pipelines of the baselines, by label."""
        return self._unpickled(BASELINES)

    @cached_property
    def background(self) -> pd.DataFrame:
        """Training rows that explanations compare with, as features."""
        return self._table(BACKGROUND)

    @cached_property
    def out_of_fold(self) -> pd.DataFrame:
        """Out-of-fold predictions, one row per training row.

        Columns: `id`, target `y`, hash `row` of the columns, probabilities `repeat_1`, ….
        """
        return self._table(OUT_OF_FOLD)

    @property
    def facts(self) -> bytes:
        """The JSON of the facts that its report is drawn from."""
        return self.read(FACTS)

    @property
    def figures(self) -> dict[str, str]:
        """The figures of its report, an SVG text each, by name."""
        found: dict[str, str] = json.loads(self.read(FIGURES))
        return found

    @property
    def profile(self) -> dict[str, Any]:
        """Profile of its training table, to compare later rows with."""
        found: dict[str, Any] = json.loads(self.read(PROFILE))
        return found

    def seen(self, dataset: Dataset) -> np.ndarray:
        """Return whether each row was a training row, (n,).

        A row is recognised by id and target (by id alone without a target), or by its columns.
        """
        import numpy as np
        import pandas as pd

        known = self.out_of_fold
        if dataset.y is None:
            same = dataset.ids.isin(known["id"]).to_numpy()
        else:
            pairs = pd.MultiIndex.from_arrays([dataset.ids, dataset.y])
            same = pairs.isin(pd.MultiIndex.from_frame(known[["id", "y"]]))
        return same | np.isin(dataset.row_hashes, known["row"])

    def address(self, file: str) -> str:
        """Return the address of a file for people."""
        return self.objects.address(f"{self.name}/{file}")

    def read(self, file: str) -> bytes:
        """Read a file and check its hash."""
        data = self.objects.read(f"{self.name}/{file}")
        if reason := self._fault(file, data):
            raise ModelRefused(reason)
        assert data is not None
        log.debug("%s: read %s, with the right SHA-256", self.name, file)
        return data

    def faults(self) -> list[str]:
        """Return its missing and changed files; all files are read."""
        files = list(self.manifest.files)
        data = self.objects.read_all([f"{self.name}/{file}" for file in files])
        return [f for f in map(self._fault, files, data) if f]

    def check(self) -> None:
        """Read all its files. Raises `ModelRefused` if one is missing or not the one saved."""
        if faults := self.faults():
            raise ModelRefused(faults[0])

    def _fault(self, file: str, data: bytes | None) -> str:
        if data is None or file not in self.manifest.files:
            return f"{self.address(file)}: missing; train anew or roll back"
        if sha256(data) != self.manifest.files[file]:
            return (
                f"{self.address(file)}: not the file that was saved (SHA-256); "
                "train anew or roll back"
            )
        return ""

    def _mismatch(self, library: str) -> tuple[str, str]:
        """Return a library's version then and now; equal if only the patch differs."""
        theirs, ours = self.manifest.libraries.get(library, "none"), libraries()[library]
        same = theirs.split(".")[:2] == ours.split(".")[:2]
        return ours if same else theirs, ours

    def _unpickled(self, file: str) -> Any:
        for library in MUST_MATCH:
            theirs, ours = self._mismatch(library)
            allowed = self.allow_mismatch and library == MAY_DIFFER
            if theirs != ours and not allowed:
                hint = ", or allow the mismatch (--allow-mismatch)" if library == MAY_DIFFER else ""
                raise ModelRefused(
                    f"{self.name} was made with {library} {theirs}, but here is {ours}; "
                    f"install {library} {theirs} or train anew{hint}"
                )
        data = self.read(file)
        import joblib

        with self._refuse_mismatch(file):
            return joblib.load(io.BytesIO(data))

    @contextmanager
    def _refuse_mismatch(self, file: str) -> Iterator[None]:
        """Refuse a file of another scikit-learn that can't be unpickled; hide its warnings.

        The version has a warning of its own already.
        """
        if not self.warning:
            yield
            return
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                yield
        except Exception as error:
            raise ModelRefused(
                f"{self.address(file)}: it can't be loaded, for {self.warning.partition(':')[0]}: "
                f"{type(error).__name__}: {error}"
            ) from error

    def _table(self, file: str) -> pd.DataFrame:
        import pandas as pd

        return pd.read_parquet(io.BytesIO(self.read(file)))


def _made_by(data: bytes) -> str:
    """Version of this package that wrote a manifest; this one's if that is not known."""
    try:
        return str(json.loads(data)["libraries"]["titanic_ml"])
    except (ValueError, TypeError, KeyError):
        return libraries()["titanic_ml"]


def _first_fault(error: Exception) -> str:
    """Return the first fault found by pydantic in one line, or the message of another error."""
    from pydantic import ValidationError

    if not isinstance(error, ValidationError):
        return " ".join(str(error).split())
    first = error.errors(include_url=False)[0]
    return f"{'.'.join(map(str, first['loc']))}: {first['msg']}".removeprefix(": ")


def _pickled(thing: Any) -> bytes:
    import joblib

    buffer = io.BytesIO()
    joblib.dump(thing, buffer)
    return buffer.getvalue()


@cache
def _reader() -> Any:
    """Return the validator of a manifest's types."""
    from pydantic import TypeAdapter

    return TypeAdapter(Manifest)
