"""Shared by all workflows of a pipeline: settings, specification of the table, store."""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from titanic_ml.config.compose import build, settings_like
from titanic_ml.config.settings import DataSettings
from titanic_ml.dataset.dataset import Dataset
from titanic_ml.dataset.spec import DatasetSpec
from titanic_ml.errors import SettingsError
from titanic_ml.registry.store import ModelStore
from titanic_ml.storage.address import parse
from titanic_ml.storage.same_place import STORE
from titanic_ml.storage.secrets import shown
from titanic_ml.storage.tables import Table, as_frame, name_of

if TYPE_CHECKING:
    import pandas as pd

    from titanic_ml.config.settings import Settings
    from titanic_ml.evaluation.evaluator import Evaluator
    from titanic_ml.integrations.tracking import Tracking
    from titanic_ml.registry.version import Manifest, ModelVersion

log = logging.getLogger(__name__)


@dataclass
class Workspace:
    """Settings, the specification of the table, and the store.

    Attributes
    ----------
    overrides
        Settings that differ from the defaults, such as ``seed=7``.
    settings
        All settings.
    allow_mismatch
        Whether to load versions that another minor version of scikit-learn made.
    pattern
        Manifest of a version to train again; None for a new training.
    """

    overrides: tuple[str, ...]
    settings: Settings
    allow_mismatch: bool = False
    pattern: Manifest | None = None
    spec: DatasetSpec = field(init=False)
    store: ModelStore = field(init=False)
    _opened: ModelVersion | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self.spec = DatasetSpec.from_dict(self.settings.dataset)
        store = self.settings.store
        self.store = ModelStore(store.uri, store.signing_key, self.allow_mismatch)

    def __getstate__(self) -> dict[str, Any]:
        """Pickled or copied, it loads a version again."""
        return vars(self) | {"_opened": None}

    @property
    def inputs(self) -> dict[str, str | None]:
        """Return the addresses that no output may replace, by setting."""
        s = self.settings
        tables = {"data.uri": s.data.uri, "predictions.input": s.predictions.input}
        return tables | {"monitoring.log": s.monitoring.log, STORE: s.store.uri}

    def version(self, model: str) -> ModelVersion:
        """Open the version of a name or alias; the last one stays loaded."""
        name, opened = self.store.resolve(model), self._opened
        if opened is None or opened.name != name:
            opened = self._opened = self.store.open(name)
        return opened

    def like(self, version: ModelVersion) -> Workspace:
        """Make a workspace with the settings of an earlier training and the overrides."""
        kept = version.manifest.settings
        if not _can_be_read_again(version.manifest.data.uri):
            kept = {**kept, "data": asdict(self.settings.data)}
        settings = settings_like(kept, self.settings, self.overrides)
        return Workspace(self.overrides, settings, self.allow_mismatch, version.manifest)

    def dataset(self, data: Table, spec: DatasetSpec, with_target: bool = True) -> Dataset:
        """Read and validate a table. Raises `DataError`."""
        return validated(as_frame(data), spec, name_of(data), with_target)

    def evaluator(self, spec: DatasetSpec) -> Evaluator:
        """Return an evaluator of the target, with the settings of the bootstrap."""
        from titanic_ml.evaluation.evaluator import Evaluator  # start-up time of a prediction

        s = self.settings
        negative, positive = map(str, spec.answers)
        return Evaluator(
            **asdict(s.evaluation),
            seed=s.seed,
            n_jobs=s.n_jobs,
            target=spec.target,
            answers=(negative, positive),
        )

    def tracking(self) -> Tracking | None:
        """Return what sends versions to MLflow; None where `tracking.uri` is not set."""
        settings = self.settings.tracking
        if settings.uri is None:
            return None
        from titanic_ml.integrations.mlflow import MlflowServer, check_installed  # an extra
        from titanic_ml.integrations.tracking import Tracking  # an extra

        check_installed()
        server = MlflowServer(settings.uri, settings.name)
        return Tracking(self.store, server, Path(self.settings.scratch))

    def settings_to_keep(self, data: str) -> Settings:
        """Return the settings for a version: with the training table, without secrets."""
        s = self.settings
        log = s.monitoring.log
        return replace(
            s,
            data=DataSettings(data),
            dataset={key: value for key, value in s.dataset.items() if key != "local"},
            store=replace(s.store, uri=shown(s.store.uri), signing_key=None),
            predictions=replace(
                s.predictions,
                input=s.predictions.input and shown(s.predictions.input),
                uri=s.predictions.uri and shown(s.predictions.uri),
            ),
            tracking=replace(s.tracking, uri=s.tracking.uri and shown(s.tracking.uri)),
            monitoring=replace(s.monitoring, log=log and shown(log)),
            service=replace(s.service, api_keys=None),
        )


def validated(
    frame: pd.DataFrame, spec: DatasetSpec, name: str, with_target: bool = True
) -> Dataset:
    """Validate a table of this name, and log how many rows it has. Raises `DataError`."""
    dataset = Dataset.from_frame(frame, spec, name, with_target)
    log.info("%s: %d rows read, all valid", name, len(frame))
    if without := len(frame) - len(dataset):
        log.warning("%s: %d rows without %s are left out", name, without, spec.target)
    return dataset


def group_labels(spec: DatasetSpec, X: pd.DataFrame) -> np.ndarray | None:
    """Label the group of each row of X, (n,); None if the dataset names no groups."""
    return np.asarray(build(spec.groups)(X)) if spec.groups else None


def _can_be_read_again(uri: str) -> bool:
    """Check for a complete address: no name of a frame, and no masked password."""
    try:
        return "***" not in uri and uri != "-" and bool(parse(uri))
    except SettingsError:
        return False
