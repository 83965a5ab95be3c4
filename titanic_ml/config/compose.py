"""Where settings come from: Hydra composes them and OmegaConf checks their types."""

from __future__ import annotations

import difflib
import logging
import os
import re
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from titanic_ml.config.settings import Settings, known_keys, require, sections
from titanic_ml.errors import SettingsError

CONFIG_DIR = Path(__file__).parents[1] / "conf"
LOCK = threading.Lock()
log = logging.getLogger(__name__)


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
    from hydra.errors import HydraException
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    if Path(".env").is_file():
        from dotenv import load_dotenv

        load_dotenv(".env")
    try:
        composed = _composed([_quoted(word) for word in overrides])
        require("estimator" in composed, "estimator", "empty", "at least one candidate")
        _require_environment(OmegaConf.to_container(composed))
        typed = OmegaConf.merge(_schema(), composed)
        OmegaConf.resolve(typed)
        settings = OmegaConf.to_object(typed)
        assert isinstance(settings, Settings)
        names = [word.partition("=")[0] for word in overrides]  # a value may hold a password
        log.debug("settings of env=%s, overridden: %s", settings.env, ", ".join(names) or "none")
        return settings
    except HydraException as error:
        raise SettingsError(_without_passwords(_explain(str(error)))) from error
    except OmegaConfBaseException as error:
        words = str(error.msg or error).splitlines()
        told = _without_passwords(words[0])
        raise SettingsError(f"{error.full_key or 'settings'}: {told}") from error


def groups() -> dict[str, list[str]]:
    """The settings that choose among files, such as `selection`, with the names of those."""
    folders = sorted(path for path in CONFIG_DIR.iterdir() if path.is_dir())
    return {folder.name: sorted(path.stem for path in folder.glob("*.yaml")) for folder in folders}


def build(node: Mapping[str, Any]) -> Any:
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
        reason = str(error).split("\nfull_key")[0].split(", set env var")[0].replace("\n", " ")
        name = node.get("_target_", "what the settings name")
        raise SettingsError(f"can't build {name}: {reason}") from error


def _composed(overrides: list[str]) -> Any:
    """What Hydra composes, by its loader alone.

    Its `compose` goes through one object for the whole process, which another thread, or a program
    that uses Hydra itself, may hold.
    """
    from hydra._internal.config_loader_impl import ConfigLoaderImpl
    from hydra._internal.utils import create_config_search_path
    from hydra.types import RunMode
    from omegaconf import open_dict

    with LOCK:  # its plugins are found once for a process, by whoever comes first
        loader = ConfigLoaderImpl(create_config_search_path(str(CONFIG_DIR)))
        composed = loader.load_configuration("config", overrides, RunMode.RUN, from_shell=False)
    with open_dict(composed):
        del composed["hydra"]
    return composed


def _schema() -> Any:
    """`Settings` as OmegaConf's types, made writable: a merge can't fill frozen classes."""
    from omegaconf import OmegaConf

    def writable(kind: type) -> Any:
        node = OmegaConf.structured(kind)
        OmegaConf.set_readonly(node, False)
        return node

    schema = writable(Settings)
    for name, kind in sections().items():
        schema[name] = writable(kind)
    return schema


def _quoted(word: str) -> str:
    """Quote a value that Hydra's grammar would not take as it is, such as an address with `=`."""
    key, equals, value = word.partition("=")
    require(bool(key), "an override", repr(word), "a name and a value, such as seed=7")
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
        return f"unknown setting {unknown[1]}{_nearest(unknown[1], known_keys())}"
    if group := re.search(r"Could not (?:find|load) '([^']+)/([^']+)'", message):
        names = groups().get(group[1], [])
        return f"unknown {group[1]} {group[2]}, expected one of {', '.join(names)}"
    reason = " ".join(message.replace("^", "").split("See https")[0].split())
    return f"malformed override: {reason}; expected a name and a value, such as seed=7"


def _without_passwords(text: str) -> str:
    """A text that may quote an address, without what stands there for a password.

    >>> _without_passwords("Value 'postgresql://ann:secret@host/db' of type 'str'")
    "Value 'postgresql://ann:***@host/db' of type 'str'"
    """
    return re.sub(r"(://[^:/@\s]*:)\S+@", r"\1***@", text)


def _nearest(word: str, names: Sequence[str]) -> str:
    near = difflib.get_close_matches(word, names, n=1)
    return f"; did you mean {near[0]}?" if near else f"; expected one of {', '.join(names)}"
