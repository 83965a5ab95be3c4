"""The files that settings are composed of: ours in `conf/`, and a user's, merged over them."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from titanic_ml.errors import SettingsError, nearest

# Imported in functions: OmegaConf, which `--help` does without.

CONFIG_DIR = Path(__file__).parents[1] / "conf"
WORKING_DIR = Path("conf")  # the user's folder, unless another is named
PACKAGE = re.compile(r"^# @package (\S+)", re.MULTILINE)  # where Hydra puts what a file says


def user_folder(named: str | Path | None) -> Path | None:
    """Return the user's folder: the named one, else `conf` of the working folder; None without one.

    `conf` is a name of many things, so it counts only if it has a folder `dataset`.
    """
    if named:
        return Path(os.path.expanduser(named))
    return WORKING_DIR if (WORKING_DIR / "dataset").is_dir() else None


def named_candidates(folder: Path, words: Sequence[str]) -> list[str]:
    """Return the override that chooses the candidates of the dataset, if it names any.

    Parameters
    ----------
    folder : of all files
    words : overrides; one of `estimator` or `dataset.candidates` takes precedence
    """
    given = dict(word.split("=", 1) for word in words if "=" in word)
    if "estimator" in given:
        return []
    defaults = values_of(folder / "config.yaml")["defaults"]
    usual = next(item["dataset"] for item in defaults if "dataset" in item)
    name = given.get("dataset", usual).strip("'")
    names = values_of(folder / "dataset" / f"{name}.yaml").get("candidates")
    return [f"estimator=[{','.join(map(str, names))}]"] if names else []


def groups(folder: Path | None = CONFIG_DIR) -> dict[str, list[str]]:
    """List the settings that choose a file, such as `selection`, with the names of their files."""
    if folder is None or not folder.is_dir():
        return {}
    folders = sorted(path for path in folder.iterdir() if path.is_dir())
    return {folder.name: sorted(path.stem for path in folder.glob("*.yaml")) for folder in folders}


@contextmanager
def merged(theirs: Path | None) -> Iterator[Path]:
    """Make a folder of the package's files, each merged with the user's file of the same name.

    Parameters
    ----------
    theirs
        The user's folder, laid out as `conf/`: `config.yaml`, and a folder for each group. A file
        need not say more than what differs.

    Raises
    ------
    SettingsError
        There is no such folder, or a file of it is no YAML or in no group.
    """
    if theirs is None:
        yield CONFIG_DIR
        return
    if not theirs.is_dir():
        where = theirs.absolute()
        raise SettingsError(f"--config-dir {theirs}: no such folder (looked for {where})")
    with tempfile.TemporaryDirectory(prefix="ml-conf-") as place:
        folder = Path(place) / "conf"
        shutil.copytree(CONFIG_DIR, folder)
        for path in sorted(theirs.rglob("*.yml")):
            raise SettingsError(f"{path}: a settings file ends in .yaml; rename it")
        for path in sorted(theirs.rglob("*.yaml")):
            _lay_over(folder, path, path.relative_to(theirs))
        yield folder


def values_of(path: Path) -> dict[str, Any]:
    """Return the content of a file as a mapping; empty if there is no such file.

    Raises
    ------
    SettingsError
        It is no YAML, or no mapping.
    """
    from omegaconf import OmegaConf

    if not path.is_file():
        return {}
    try:
        values = OmegaConf.to_container(OmegaConf.create(path.read_text("utf-8-sig")))
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path}: not UTF-8 text; save it as UTF-8") from error
    except Exception as error:  # its YAML reader's own are let through
        reason = " ".join(str(error).split())
        raise SettingsError(f"{path}: can't be read: {reason}") from error
    if not isinstance(values, dict):
        raise SettingsError(f"{path}: holds a list, expected names and values")
    return {str(key): value for key, value in values.items()}


def chosen_files(folder: Path, choices: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return name and place of each file that is composed, in their order.

    Parameters
    ----------
    folder : of all files
    choices : the file chosen in each group, as Hydra reports it; none for a list of files, of
        which all files of the group are returned
    """
    files = []
    for item in values_of(folder / "config.yaml")["defaults"]:
        if isinstance(item, str):  # _self_
            files.append(("config", ""))
            continue
        for group in item:
            names = [choices[group]] if group in choices else groups(folder).get(group, [])
            files += [(f"{group}/{name}", group) for name in names]
    return files


def sources(
    files: Sequence[tuple[str, str]], overrides: Sequence[str], theirs: Path | None
) -> dict[str, tuple[str, str]]:
    """Find the source of each key's value.

    Parameters
    ----------
    files
        Name (such as ``selection/quick``) and place (such as ``selection``) of each file that was
        composed, in their order.
    overrides
        Words such as ``seed=7``.
    theirs
        The user's folder.

    Returns
    -------
    dict
        Of each key that a file has, and of each that was overridden: ``default``, ``file`` or
        ``override``; and which.
    """
    names = [word.partition("=")[0].lstrip("+~") for word in overrides]
    found: dict[str, tuple[str, str]] = {}
    for file, place in files:
        group = file.partition("/")[0]
        for kind, folder in (("default", CONFIG_DIR), ("file", theirs)):
            path = folder / f"{file}.yaml" if folder else CONFIG_DIR / "none"
            shown = f"conf/{file}.yaml" if kind == "default" else str(path)
            source = ("override", group) if group in names and "/" in file else (kind, shown)
            for key in flat(values_of(path), _place(path, place)):
                found[key] = source
    return found | {name: ("override", name) for name in names if name not in groups()}


def flat(values: Mapping[str, Any], place: str = "") -> dict[str, Any]:
    """Return values by full names, such as `selection.folds`; a list is one value."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        name = f"{place}.{key}" if place else str(key)
        if isinstance(value, Mapping) and value:
            found |= flat(value, name)
        else:
            found[name] = value
    return found


def _lay_over(folder: Path, path: Path, name: Path) -> None:
    """Merge a user's file over ours, which keeps its place."""
    from omegaconf import OmegaConf

    if len(name.parts) > 1 and name.parts[0] not in groups(folder):
        raise SettingsError(
            f"{path}: unknown group {name.parts[0]}{nearest(name.parts[0], list(groups(folder)))}"
        )
    if len(name.parts) == 1 and name.name != "config.yaml":
        raise SettingsError(f"{path}: expected config.yaml, or a file in the folder of a group")
    ours = folder / name
    package = _package(path) or _package(ours)
    text = OmegaConf.to_yaml(OmegaConf.merge(values_of(ours), values_of(path)))
    ours.parent.mkdir(exist_ok=True)
    ours.write_text(f"# @package {package}\n{text}" if package else text, "utf-8")


def _package(path: Path) -> str:
    """Return the package that the first lines of a file name, empty without one."""
    try:
        found = PACKAGE.search(path.read_text("utf-8-sig")) if path.is_file() else None
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path}: not UTF-8 text; save it as UTF-8") from error
    return found[1] if found else ""


def _place(path: Path, place: str) -> str:
    """Return the package into which Hydra merges a file; empty for the top."""
    package = _package(path) or place
    return "" if package == "_global_" else package
