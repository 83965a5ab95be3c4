"""Where settings come from: Hydra composes them and OmegaConf checks their types."""

from __future__ import annotations

import io
import logging
import os
import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from titanic_ml.config.layers import (
    chosen_files,
    flat,
    groups,
    merged,
    named_candidates,
    sources,
    user_folder,
    values_of,
)
from titanic_ml.config.settings import PLACES, SECRETS, Settings, known_keys, require, sections
from titanic_ml.errors import SettingsError, nearest
from titanic_ml.storage.secrets import SHORTEST, shown, without_secrets

# Imported in functions: Hydra and OmegaConf, which `--help` does without.

LOCK = threading.Lock()  # Hydra's state is global
DOTENV = Path(".env")
VARIABLE = re.compile(r"\$\{oc\.env:([^,}]+)\}")
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Setting:
    """One value, and where it comes from.

    Attributes
    ----------
    name
        Name, such as `selection.folds`.
    value
        The value; asterisks for a secret.
    source
        Kind of the source, ``default``, ``file``, ``environment`` or ``override``, and its name.
    """

    name: str
    value: Any
    source: str
    where: str


def load_settings(overrides: Sequence[str] = (), config_dir: str | Path | None = None) -> Settings:
    """Compose the settings from `conf/`, the `.env` file of the working folder, and overrides.

    Parameters
    ----------
    overrides
        Hydra overrides such as ``"seed=7"``, ``"env=remote"`` or ``"estimator=svc"``.
    config_dir
        A folder like `conf/`; its files are merged over those of the package. By default the
        folder `conf` of the working folder, if that has datasets.

    Returns
    -------
    Settings
        The typed settings.

    Raises
    ------
    SettingsError
        An override is malformed, its key is unknown, a value has the wrong type or is out of
        range, or a variable of the environment is not set.
    """
    return _composed(overrides, config_dir)[0]


def described(overrides: Sequence[str] = (), config_dir: str | Path | None = None) -> list[Setting]:
    """List all settings with their sources, secrets masked.

    Raises
    ------
    SettingsError
        Raised as by `load_settings`.
    """
    from omegaconf import OmegaConf

    _, composed, files = _composed(overrides, config_dir)
    theirs = user_folder(config_dir)
    raw: Any = OmegaConf.to_container(composed)
    values: Any = OmegaConf.to_container(composed, resolve=True)
    raw, values = flat(raw), flat(values)
    origins = sources(files, overrides, theirs)
    in_file = _dotenv()
    found = []
    for name, value in values.items():
        parents = [name.rsplit(".", n)[0] for n in range(name.count(".") + 1)]
        source, where = next((origins[p] for p in parents if p in origins), ("default", "conf"))
        chosen = source == "override" and where not in groups()
        if not chosen and (variable := VARIABLE.search(str(raw.get(name)))):
            source, where = "environment", variable[1]
            if os.environ.get(where) == in_file.get(where):
                where = f"{where} in {DOTENV}"
        found.append(Setting(name, _masked(name, value), source, where))
    return found


def settings_like(
    kept: Mapping[str, Any], now: Settings, overrides: Sequence[str] = ()
) -> Settings:
    """Restore the settings of an earlier training.

    Parameters
    ----------
    kept
        Settings as a version stores them.
    now
        Current settings; `PLACES` and overridden values are taken from them.
    overrides
        Words such as ``seed=7``.

    Returns
    -------
    Settings
        Stored settings, with the current places and overrides.

    Raises
    ------
    SettingsError
        The stored settings lack a setting, or have one that no longer exists.
    """
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    today = OmegaConf.create(escaped(asdict(now)))
    kept = {key: value for key, value in kept.items() if key not in PLACES}
    mixed = OmegaConf.create(escaped(kept))
    for name in [*PLACES, *(word.partition("=")[0].lstrip("+") for word in overrides)]:
        if name.startswith("~"):  # today's word left it out: what is taken is its whole group
            name = name[1:].partition(".")[0]
        OmegaConf.update(mixed, name, OmegaConf.select(today, name), merge=False, force_add=True)
    try:
        settings = OmegaConf.to_object(OmegaConf.merge(_schema(), mixed))
    except OmegaConfBaseException as error:
        reason = str(error.msg or error).splitlines()[0]
        raise SettingsError(f"the settings of that version can't be used: {reason}") from error
    assert isinstance(settings, Settings)
    return settings


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
        return instantiate(escaped(node, r"\\\${"), _convert_="all")  # Hydra resolves twice
    except InstantiationException as error:
        reason = str(error).split("\nfull_key")[0].split(", set env var")[0].replace("\n", " ")
        name = node.get("_target_", "what the settings name")
        raise SettingsError(f"can't build {name}: {reason}") from error


def escaped(node: Any, mark: str = r"\${") -> Any:
    """Escape interpolations in resolved settings, so that a word such as ${x} stays as it is.

    `mark` is written in place of the start of an interpolation.
    """
    if isinstance(node, str):
        return node.replace("${", mark)
    if isinstance(node, Mapping):
        return {key: escaped(value, mark) for key, value in node.items()}
    return [escaped(value, mark) for value in node] if isinstance(node, (list, tuple)) else node


def _composed(
    overrides: Sequence[str], config_dir: str | Path | None
) -> tuple[Settings, Any, list[tuple[str, str]]]:
    """Return the settings, their unresolved OmegaConf container, and the files they come from."""
    from hydra.errors import HydraException
    from omegaconf import OmegaConf
    from omegaconf.errors import ConfigKeyError, MissingMandatoryValue, OmegaConfBaseException

    _export_dotenv()
    theirs = user_folder(config_dir)
    files: list[tuple[str, str]] = []
    try:
        with merged(theirs) as folder:
            words = [_quoted(word) for word in overrides]
            if theirs:  # no dataset of the package names its candidates
                words += named_candidates(folder, words)
            composed, files = _by_hydra(folder, words)
        _require_groups(composed)
        _require_environment(OmegaConf.to_container(composed))
        typed = OmegaConf.merge(_schema(), composed)
        settings = OmegaConf.to_object(typed)
        assert isinstance(settings, Settings)
        signed = settings.env != "remote" or settings.store.signing_key is not None
        require(signed, "store.signing_key", "null", "a key: env=remote keeps no unsigned version")
        names = [word.partition("=")[0] for word in overrides]  # a value may hold a password
        log.debug("settings of env=%s, overridden: %s", settings.env, ", ".join(names) or "none")
        return settings, composed, files
    except HydraException as error:
        reason = _without_secrets(_explain(str(error), theirs), overrides)
        raise SettingsError(reason) from _cause(error, overrides)
    except ConfigKeyError as error:
        key = str(error.full_key or error.key)
        where = _file_with(key, files, theirs)
        raise SettingsError(f"unknown setting {key}{where}{nearest(key, known_keys())}") from error
    except MissingMandatoryValue as error:
        key = str(error.full_key)
        raise SettingsError(f"{key} is left out, expected a value, as in {key}=…") from error
    except OmegaConfBaseException as error:
        key = str(error.full_key or "settings")
        reason = _without_secrets(str(error.msg or error).splitlines()[0], overrides)
        raise SettingsError(f"{key}{_file_with(key, files, theirs)}: {reason}") from _cause(
            error, overrides
        )


def _by_hydra(folder: Path, overrides: list[str]) -> tuple[Any, list[tuple[str, str]]]:
    """Return what Hydra composes, and name and place of each file, in their order."""
    from hydra import compose, initialize_config_dir
    from hydra.core.global_hydra import GlobalHydra
    from omegaconf import open_dict

    with LOCK:
        outer = GlobalHydra.instance().hydra  # of a program that uses Hydra itself
        GlobalHydra.instance().clear()
        try:
            with initialize_config_dir(str(folder), version_base="1.3"):
                composed = compose("config", overrides, return_hydra_config=True)
        finally:
            GlobalHydra.instance().hydra = outer
    choices = composed.hydra.runtime.choices
    with open_dict(composed):
        del composed["hydra"]
    return composed, chosen_files(folder, choices)


def _file_with(key: str, files: Sequence[tuple[str, str]], theirs: Path | None) -> str:
    """Return the user's file that contains a key, as words; empty if there is none."""
    if theirs is None:
        return ""
    kind, where = sources(files, (), theirs).get(key, ("", ""))
    if kind != "file":
        top = key.partition(".")[0]
        found = [p for p in theirs.rglob("*.yaml") if top in values_of(p)]
        return f" in {found[0]}" if found else ""
    return f" in {where}"


def _export_dotenv() -> None:
    """Put what the file `.env` says into the environment, unless that says otherwise."""
    if DOTENV.is_file():
        from dotenv import load_dotenv
        from dotenv.parser import parse_stream

        try:
            text = DOTENV.read_text("utf-8-sig")
        except UnicodeDecodeError as error:
            raise SettingsError(f"{DOTENV}: not UTF-8 text; save it as UTF-8") from error
        for line in parse_stream(io.StringIO(text)):
            if line.error:
                raise SettingsError(
                    f"{DOTENV}, line {line.original.line}: expected NAME=value, with both quotes "
                    "if there are any"
                )
        load_dotenv(stream=io.StringIO(text))


def _dotenv() -> dict[str, str | None]:
    """Return the variables of the file `.env`, if there is one."""
    if not DOTENV.is_file():
        return {}
    from dotenv import dotenv_values

    return dict(dotenv_values(stream=io.StringIO(DOTENV.read_text("utf-8-sig"))))


def _without_secrets(text: str, overrides: Sequence[str]) -> str:
    """Remove the secrets of overrides and variables from a message."""
    named = VARIABLE.findall(" ".join([text, *overrides]))
    given = [word for word in overrides if word.lstrip("+~").startswith(SECRETS)]
    values = [os.environ.get(name, "") for name in named]
    values += [word.partition("=")[2] for word in given]
    parts = {part for value in values for part in re.split(r"\W+", value) if len(part) >= SHORTEST}
    parts |= {value for value in values if value}
    for part in sorted(parts, key=len, reverse=True):
        text = text.replace(part, "***")
    return without_secrets(text, *overrides)


def _cause(error: Exception, overrides: Sequence[str]) -> Exception | None:
    """Return the error as a cause, or None if it quotes a secret."""
    return error if _without_secrets(str(error), overrides) == str(error) else None


def _masked(name: str, value: Any) -> Any:
    """Mask a value if it is a secret."""
    if name in SECRETS and value is not None:
        return "***"
    return shown(value) if isinstance(value, str) else value


@cache
def _schema() -> Any:
    """Return `Settings` as OmegaConf's types, writable, since a merge can't fill frozen classes.

    Callers must not mutate the result.
    """
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
    whole = bool(key and equals) or key.startswith("~")
    expected = "a name and a value, such as seed=7"
    name = key.lstrip("+~")
    if re.match(r"hydra\b", name):  # settings of Hydra's own programs
        raise SettingsError(f"unknown setting {name}{nearest(name, known_keys())}")
    require(whole, "an override", repr(shown(word)), expected)
    if not re.fullmatch(r"[\w.+*%/-]*|[\[{'\"].*|\$\{.*", value, re.ASCII | re.DOTALL):
        value = re.sub(r"(\\*)'", r"\1\1\\'", value + "'").removesuffix("\\'")
        value = f"'{value}'"
    return key + equals + value


def _require_groups(composed: Any) -> None:
    """Check that there are candidates and a dataset."""
    require(bool(composed.get("estimator")), "estimator", "empty", "at least one candidate")
    has_dataset = isinstance(composed.get("dataset"), Mapping)
    require(has_dataset, "dataset", "left out", "one, as in dataset=titanic")


def _require_environment(node: Any) -> None:
    """Name every unset variable at once, before the first is used."""
    needed = set(VARIABLE.findall(str(node)))
    if names := sorted(name for name in needed if not os.environ.get(name, "").strip()):
        raise SettingsError(
            f"not set in the environment: {', '.join(names)}; export them, or write them to .env"
        )


def _explain(message: str, theirs: Path | None) -> str:
    """Turn Hydra's message into one sentence with the nearest right name."""
    if unknown := re.match(r"Could not override '([^']+)'", message):
        return f"unknown setting {unknown[1]}{nearest(unknown[1], known_keys())}"
    if group := re.search(r"Could not (?:find|load) '([^']+)/([^']+)'", message):
        names = sorted({*groups().get(group[1], []), *groups(theirs).get(group[1], [])})
        return f"unknown {group[1]} {group[2]}, expected one of {', '.join(names)}"
    reason = " ".join(message.replace("^", "").split("See https")[0].split())
    return f"malformed override: {reason}; expected a name and a value, such as seed=7"
