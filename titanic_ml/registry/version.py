"""A stored version: what its manifest says, and what belongs to it, read when it is asked for."""

from __future__ import annotations

import hashlib
import io
import json
import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from titanic_ml.errors import ModelRefused
from titanic_ml.evaluation.result import Estimate, Estimates
from titanic_ml.registry.provenance import libraries

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from sklearn.pipeline import Pipeline

    from titanic_ml.dataset.dataset import Dataset
    from titanic_ml.dataset.spec import DatasetSpec

log = logging.getLogger(__name__)
MANIFEST = "manifest.json"
MODEL, BASELINES = "model.joblib", "baselines.joblib"
BACKGROUND, OUT_OF_FOLD = "background.parquet", "out_of_fold.parquet"
FACTS, REPORT, MODEL_CARD = "evaluation.json", "report.html", "model_card.md"
MUST_MATCH = ("scikit-learn", "titanic_ml")  # to the minor version


@dataclass(frozen=True)
class TrainingTable:
    """The table that a version was trained on: its address, fingerprint, rows and profile."""

    uri: str
    sha256: str
    rows: int
    profile: dict[str, Any]


@dataclass(frozen=True)
class Origin:
    """Which version this is, when it was made, by which code and which libraries.

    Attributes
    ----------
    version
        Its name.
    parent
        The champion at the time.
    time
        UTC, ISO 8601.
    git
        The commit of the code; None outside a checkout.
    libraries
        Their versions.
    """

    version: str
    parent: str | None
    time: str
    git: str | None
    libraries: dict[str, str]


@dataclass(frozen=True)
class Summary:
    """What a training tells the manifest of its version.

    Attributes
    ----------
    estimator, parameters, threshold
        The candidate that was chosen, with what was chosen for it.
    metrics, grouped
        Out-of-fold metrics on stratified and on grouped folds; None without groups.
    candidates
        By name, the scores of all that were compared.
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
    def from_json(cls, text: str) -> Manifest:
        """Read a manifest. Raises `ValueError` or `TypeError` if it is none."""
        values = json.loads(text)
        names = [field.name for field in fields(cls)]
        if missing := sorted(set(names).difference(values)):
            raise ValueError(f"it lacks {', '.join(missing)}")
        manifest = cls(**{name: values[name] for name in names})
        return replace(
            manifest,
            metrics=_estimates(manifest.metrics),
            grouped=manifest.grouped and _estimates(manifest.grouped),
            data=TrainingTable(**values["data"]),
        )

    def to_json(self) -> str:
        """The text of `manifest.json`."""
        return json.dumps(self.to_dict(), indent=2, default=str)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    @property
    def confidence(self) -> float:
        """Of the intervals of the metrics."""
        return self.settings["evaluation"]["confidence"]


@dataclass(frozen=True)
class Contents:
    """The objects and tables that belong to a version, as `ModelVersion` gives them back."""

    model: Pipeline
    baselines: Mapping[str, Pipeline]
    background: pd.DataFrame
    out_of_fold: pd.DataFrame

    def files(self) -> dict[str, bytes]:
        """Each as the bytes of a file, by its name."""
        return {
            MODEL: _pickled(self.model),
            BASELINES: _pickled(self.baselines),
            BACKGROUND: self.background.to_parquet(index=False),
            OUT_OF_FOLD: self.out_of_fold.to_parquet(index=False),
        }


@dataclass(frozen=True, repr=False)
class ModelVersion:
    """One version of a store: immutable, and each part read and checked when it is first asked for.

    Every part raises `ModelRefused` if its file is missing or not the one that was saved; a pickled
    one also if it was made by other library versions, before anything is unpickled.

    Attributes
    ----------
    folder
        Where it is kept.
    manifest
        What it says of itself.
    """

    folder: Path
    manifest: Manifest

    def __repr__(self) -> str:
        return f"ModelVersion({self.name}, {self.manifest.estimator})"

    @property
    def name(self) -> str:
        return self.manifest.version

    @property
    def report(self) -> str:
        """Where its report is."""
        return str(self.folder / REPORT)

    @property
    def threshold(self) -> float:
        """Probability from which on the prediction is 1."""
        return self.manifest.threshold

    @cached_property
    def spec(self) -> DatasetSpec:
        """What its training table looked like, and so must every other."""
        from titanic_ml.dataset.spec import DatasetSpec

        return DatasetSpec.from_dict(self.manifest.settings["dataset"])

    @cached_property
    def model(self) -> Pipeline:
        """The fitted Pipeline, from the table's columns to probabilities."""
        return self._unpickled(MODEL)

    @cached_property
    def baselines(self) -> dict[str, Pipeline]:
        """By label, the fitted Pipelines of the baselines."""
        return self._unpickled(BASELINES)

    @cached_property
    def background(self) -> pd.DataFrame:
        """Features of some training rows, to compare others with."""
        return self._table(BACKGROUND)

    @cached_property
    def out_of_fold(self) -> pd.DataFrame:
        """Of each training row its `id`, the truth `y`, the hash `row` of its columns, and the
        probabilities by models that had not seen it, `repeat_1` and on.
        """
        return self._table(OUT_OF_FOLD)

    @property
    def facts(self) -> bytes:
        """The JSON of the facts that its report is drawn from."""
        return self.read(FACTS)

    def seen(self, dataset: Dataset) -> np.ndarray:
        """Whether it was trained on each row, (n,): on one of the same id and target (of the id
        alone where the target is not known), or of the same columns.
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

    def is_trained_on(self, dataset: Dataset) -> bool:
        """Whether this is its training table, row by row, its target not looked at."""
        import numpy as np

        known = self.out_of_fold
        ours, theirs = (dataset.ids, dataset.row_hashes), (known["id"], known["row"])
        return all(np.array_equal(a, b) for a, b in zip(ours, theirs, strict=True))

    def read(self, file: str) -> bytes:
        """The bytes of one of its files, once they have the hash that the manifest gives."""
        path = self.folder / file
        if not path.is_file() or file not in self.manifest.files:
            raise ModelRefused(f"{path}: missing; train anew or roll back")
        data = path.read_bytes()
        if sha256(data) != self.manifest.files[file]:
            raise ModelRefused(
                f"{path}: not the file that was saved (SHA-256); train anew or roll back"
            )
        log.debug("%s: read %s, with the right SHA-256", self.name, file)
        return data

    def _unpickled(self, file: str) -> Any:
        here = libraries()
        for library in MUST_MATCH:
            theirs, ours = self.manifest.libraries[library], here[library]
            if theirs.split(".")[:2] != ours.split(".")[:2]:
                raise ModelRefused(
                    f"{self.name} was made with {library} {theirs}, but here is {ours}; "
                    f"install {library} {theirs} or train anew"
                )
        data = self.read(file)
        import joblib

        return joblib.load(io.BytesIO(data))

    def _table(self, file: str) -> pd.DataFrame:
        import pandas as pd

        return pd.read_parquet(io.BytesIO(self.read(file)))


def _pickled(thing: Any) -> bytes:
    import joblib

    buffer = io.BytesIO()
    joblib.dump(thing, buffer)
    return buffer.getvalue()


def _estimates(values: Mapping[str, Any]) -> Estimates:
    return {name: Estimate(**estimate) for name, estimate in values.items()}


def sha256(data: bytes) -> str:
    """The SHA-256 of the data, in hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()
