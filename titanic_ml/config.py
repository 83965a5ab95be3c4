"""Settings: Hydra composes them, OmegaConf checks their types, frozen values come out."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any, get_type_hints

from titanic_ml.errors import SettingsError

CONFIG_DIR = Path(__file__).parent / "conf"


@dataclass(frozen=True)
class DataSettings:
    uri: str


@dataclass(frozen=True)
class StoreSettings:
    uri: str


@dataclass(frozen=True)
class SelectionSettings:
    repeats: int
    folds: int
    inner_folds: int
    significance: float

    def __post_init__(self) -> None:
        _require(self.repeats >= 1, "selection.repeats", self.repeats, "at least 1")
        _require(self.folds >= 2, "selection.folds", self.folds, "at least 2")
        _require(self.inner_folds >= 2, "selection.inner_folds", self.inner_folds, "at least 2")
        level = self.significance
        _require(0 < level < 1, "selection.significance", level, "between 0 and 1")


@dataclass(frozen=True)
class EvaluationSettings:
    resamples: int
    confidence: float

    def __post_init__(self) -> None:
        _require(self.resamples >= 1, "evaluation.resamples", self.resamples, "at least 1")
        _require(
            0 < self.confidence < 1, "evaluation.confidence", self.confidence, "between 0 and 1"
        )


@dataclass(frozen=True)
class PromotionSettings:
    margin: float

    def __post_init__(self) -> None:
        _require(self.margin >= 0, "promotion.margin", self.margin, "0 or more")


@dataclass(frozen=True)
class Settings:
    """All settings of one run. What each means, and its default, stands in `conf/`."""

    env: str
    seed: int
    n_jobs: int
    data: DataSettings
    store: StoreSettings
    selection: SelectionSettings
    evaluation: EvaluationSettings
    promotion: PromotionSettings
    dataset: dict[str, Any]
    estimator: dict[str, Any]

    def __post_init__(self) -> None:
        _require(0 <= self.seed < 2**32, "seed", self.seed, "from 0 to 4294967295")
        _require(self.n_jobs != 0, "n_jobs", self.n_jobs, "-1 (all cores) or a number of processes")


def load_settings(overrides: Sequence[str] = ()) -> Settings:
    """Compose the settings from `conf/`, a `.env` file if one stands here, and overrides.

    Parameters
    ----------
    overrides
        Hydra overrides such as ``"seed=7"``, ``"env=remote"`` or ``"estimator=svc"``.

    Raises
    ------
    SettingsError
        An override is malformed, its key is unknown, a value has the wrong type or is out of
        range, or a variable of the environment is not set.
    """
    from hydra import compose, initialize_config_dir
    from hydra.errors import HydraException
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    if Path(".env").is_file():
        from dotenv import load_dotenv

        load_dotenv(".env")
    try:
        with initialize_config_dir(version_base="1.3", config_dir=str(CONFIG_DIR)):
            composed = compose("config", overrides=[_quoted(word) for word in overrides])
            _require_environment(OmegaConf.to_container(composed))
            typed = OmegaConf.merge(_schema(), composed)
            OmegaConf.resolve(typed)
            return OmegaConf.to_object(typed)
    except HydraException as error:
        raise SettingsError(_explain(str(error))) from error
    except OmegaConfBaseException as error:
        raise SettingsError(
            f"{error.full_key or 'settings'}: {str(error.msg).splitlines()[0]}"
        ) from error


def build(node: dict[str, Any]) -> Any:
    """Build the object that a node names by its `_target_`, with all it holds.

    Raises
    ------
    SettingsError
        The class can't be imported or refuses its arguments.
    """
    from hydra.errors import InstantiationException
    from hydra.utils import instantiate

    try:
        return instantiate(node, _convert_="all")
    except InstantiationException as error:
        raise SettingsError(f"can't build {node.get('_target_')}: {error}") from error


def _schema() -> Any:
    """`Settings` as OmegaConf's types, made writable: a merge can't fill frozen classes."""
    from omegaconf import OmegaConf

    def writable(kind: type) -> Any:
        node = OmegaConf.structured(kind)
        OmegaConf.set_readonly(node, False)
        return node

    schema = writable(Settings)
    for name, kind in _sections().items():
        schema[name] = writable(kind)
    return schema


def _require(holds: bool, key: str, value: object, expected: str) -> None:
    if not holds:
        raise SettingsError(f"{key} is {value}, expected {expected}")


def _quoted(word: str) -> str:
    """Quote a value that Hydra's grammar would not take as it is, such as an address with `=`."""
    key, equals, value = word.partition("=")
    _require(bool(key), "an override", repr(word), "a name and a value, such as seed=7")
    if not re.fullmatch(r"[\w.+*%/-]*|[\[{'\"].*|\$\{.*", value, re.ASCII | re.DOTALL):
        value = re.sub(r"(\\*)'", r"\1\1\\'", value + "'").removesuffix("\\'")
        value = f"'{value}'"
    return key + equals + value


def _require_environment(node: Any) -> None:
    """Name every unset variable at once, before the first is used."""
    names = sorted(set(re.findall(r"\$\{oc\.env:([^,}]+)\}", str(node))) - set(os.environ))
    if names:
        raise SettingsError(
            f"not set in the environment: {', '.join(names)}; export them, or write them to .env"
        )


def _explain(message: str) -> str:
    """Turn Hydra's message into one sentence with the nearest right name."""
    if unknown := re.match(r"Could not override '([^']+)'", message):
        return f"unknown setting {unknown[1]}{_nearest(unknown[1], _known_keys())}"
    if group := re.search(r"Could not (?:find|load) '([^']+)/([^']+)'", message):
        names = sorted(path.stem for path in (CONFIG_DIR / group[1]).glob("*.yaml"))
        return f"unknown {group[1]} {group[2]}, expected one of {', '.join(names)}"
    reason = " ".join(message.replace("^", "").split("See https")[0].split())
    return f"malformed override: {reason}; expected a name and a value, such as seed=7"


def _nearest(word: str, names: Sequence[str]) -> str:
    near = difflib.get_close_matches(word, names, n=1)
    return f"; did you mean {near[0]}?" if near else f"; expected one of {', '.join(names)}"


def _known_keys() -> list[str]:
    keys = [field.name for field in fields(Settings) if field.name not in _sections()]
    return keys + [f"{name}.{f.name}" for name, kind in _sections().items() for f in fields(kind)]


def _sections() -> dict[str, type]:
    kinds = get_type_hints(Settings)
    return {name: kind for name, kind in kinds.items() if is_dataclass(kind)}
