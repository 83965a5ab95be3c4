"""Settings as frozen classes with types and ranges. The defaults are in `conf/`."""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass
from typing import Any, get_type_hints

from titanic_ml.errors import SettingsError

SECRETS = ("store.signing_key", "service.api_keys")  # never shown, and never kept with a version
# Where things are and how they are done: what changes no model.
PLACES = (
    *("env", "n_jobs", "scratch", "store", "predictions"),
    *("promotion", "tracking", "monitoring", "service"),
)
SHORTEST_KEY = 16  # characters of a key of the service
THRESHOLD_METRICS = ("accuracy", "balanced_accuracy", "f1", "mcc")


def require(holds: bool, key: str, value: object, expected: str) -> None:
    """Raise `SettingsError` with what was found and expected, unless it holds."""
    if not holds:
        raise SettingsError(f"{key} is {value}, expected {expected}")


@dataclass(frozen=True)
class DataSettings:
    uri: str

    def __post_init__(self) -> None:
        require(bool(self.uri.strip()), "data.uri", "empty", "the address of a table")


@dataclass(frozen=True)
class StoreSettings:
    uri: str
    signing_key: str | None

    def __post_init__(self) -> None:
        expected = "the address of a store, a folder or a bucket"
        require(bool(self.uri.strip()), "store.uri", "empty", expected)
        key = self.signing_key
        require(key is None or bool(key.strip()), "store.signing_key", "empty", "a key, or null")


@dataclass(frozen=True)
class PredictionsSettings:
    input: str | None
    uri: str | None

    def __post_init__(self) -> None:
        right = self.input is None or bool(self.input.strip())
        require(right, "predictions.input", "empty", "the address of a table, or null")
        right = self.uri is None or bool(self.uri.strip())
        require(right, "predictions.uri", "empty", "the address of a table, or null")


@dataclass(frozen=True)
class TrackingSettings:
    uri: str | None
    name: str

    def __post_init__(self) -> None:
        right = self.uri is None or bool(self.uri.strip())
        require(right, "tracking.uri", "empty", "the address of an MLflow server, or null")
        require(bool(self.name.strip()), "tracking.name", "empty", "a name")
        plain = not set(self.name) & set("/:.%\"'")
        expected = "a name without / : . % and quotes, as MLflow's registered models need"
        require(plain, "tracking.name", "malformed", expected)


@dataclass(frozen=True)
class MonitoringSettings:
    log: str | None
    alpha: float
    threshold: float
    shift: float

    def __post_init__(self) -> None:
        require(0 < self.alpha < 1, "monitoring.alpha", self.alpha, "between 0 and 1")
        require(self.threshold >= 0, "monitoring.threshold", self.threshold, "0 or more")
        require(0 <= self.shift <= 1, "monitoring.shift", self.shift, "from 0 to 1")
        right = self.log is None or bool(self.log.strip())
        require(right, "monitoring.log", "empty", "the address of a table, or null")


@dataclass(frozen=True)
class ServiceSettings:
    api_keys: str | None
    allowed_hosts: str | None

    def __post_init__(self) -> None:
        names = self.hosts or []
        plain = all(name and not set(name) & set("/ @") for name in names)
        expected = "host names, as in example.org,*.example.org, or null"
        require(plain, "service.allowed_hosts", "malformed", expected)
        right = self.api_keys is None or all(len(key) >= SHORTEST_KEY for key in self.keys)
        expected = f"keys of at least {SHORTEST_KEY} characters, separated by commas, or null"
        require(right, "service.api_keys", "too short", expected)

    @property
    def keys(self) -> list[str]:
        """Each key; none if everybody may ask."""
        return [] if self.api_keys is None else [k.strip() for k in self.api_keys.split(",")]

    @property
    def hosts(self) -> list[str] | None:
        """Accepted names of a Host header; None for the default."""
        if self.allowed_hosts is None:
            return None
        return [name.strip() for name in self.allowed_hosts.split(",")]


@dataclass(frozen=True)
class SelectionSettings:
    repeats: int
    folds: int
    inner_folds: int
    tolerance: float
    threshold_metric: str

    def __post_init__(self) -> None:
        require(self.repeats >= 1, "selection.repeats", self.repeats, "at least 1")
        require(self.folds >= 2, "selection.folds", self.folds, "at least 2")
        require(self.inner_folds >= 2, "selection.inner_folds", self.inner_folds, "at least 2")
        require(self.tolerance >= 0, "selection.tolerance", self.tolerance, "0 or more")
        metric = self.threshold_metric
        one_of = f"one of {', '.join(THRESHOLD_METRICS)}"
        require(metric in THRESHOLD_METRICS, "selection.threshold_metric", metric, one_of)


@dataclass(frozen=True)
class EvaluationSettings:
    resamples: int
    confidence: float

    def __post_init__(self) -> None:
        require(self.resamples >= 1, "evaluation.resamples", self.resamples, "at least 1")
        require(
            0 < self.confidence < 1, "evaluation.confidence", self.confidence, "between 0 and 1"
        )


@dataclass(frozen=True)
class PromotionSettings:
    margin: float
    min_rows: int

    def __post_init__(self) -> None:
        require(self.min_rows >= 1, "promotion.min_rows", self.min_rows, "at least 1")
        require(self.margin >= 0, "promotion.margin", self.margin, "0 or more")


@dataclass(frozen=True)
class Settings:
    """All settings of one run. Meanings and defaults are in `conf/`."""

    env: str
    seed: int
    n_jobs: int
    scratch: str
    data: DataSettings
    store: StoreSettings
    predictions: PredictionsSettings
    tracking: TrackingSettings
    monitoring: MonitoringSettings
    service: ServiceSettings
    selection: SelectionSettings
    evaluation: EvaluationSettings
    promotion: PromotionSettings
    dataset: dict[str, Any]
    estimator: dict[str, Any]

    def __post_init__(self) -> None:
        require(0 <= self.seed < 2**32, "seed", self.seed, "from 0 to 4294967295")
        require(self.n_jobs != 0, "n_jobs", self.n_jobs, "-1 (all cores) or a number of processes")


def known_keys() -> list[str]:
    """List the names of all settings, such as `seed` and `data.uri`."""
    keys = [field.name for field in fields(Settings) if field.name not in sections()]
    return keys + [f"{name}.{f.name}" for name, kind in sections().items() for f in fields(kind)]


def sections() -> dict[str, type]:
    """Return the classes of the settings that are groups, by name."""
    kinds = get_type_hints(Settings)
    return {
        name: kind for name, kind in kinds.items() if isinstance(kind, type) and is_dataclass(kind)
    }
