"""Composed settings, kept for the next start in the user's folder for such things.

Composing them takes a fifth of a cold start, most of it the import of Hydra and OmegaConf.
"""

from __future__ import annotations

import ast
import hashlib
import json
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from titanic_ml.config.layers import CONFIG_DIR
from titanic_ml.config.settings import Settings, sections
from titanic_ml.errors import SettingsError
from titanic_ml.storage.files import write_file

FILE = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "titanic_ml" / "settings.json"
MOST = 16  # settings that are kept, the latest


def digest(overrides: Sequence[str], config_dir: Path | None) -> str:
    """The key of settings: by all that they are composed of, but for the environment.

    That is what stands in the files, ours and a user's; the words; and the code here.
    """
    found = hashlib.sha256(repr((sys.version, *overrides)).encode())
    code = Path(__file__).parent
    folders = [(code, "*.py"), (CONFIG_DIR, "*.yaml")]
    if config_dir:
        folders.append((config_dir, "*.yaml"))
    for folder, kind in folders:
        for path in sorted(folder.rglob(kind)):
            found.update(repr((str(path.relative_to(folder)), path.read_bytes())).encode())
    return found.hexdigest()


def recall(key: str) -> Settings | None:
    """The settings that are kept under a key; None if none are."""
    text = _all().get(key)
    return None if text is None else _settings(text)


def keep(key: str, settings: Settings) -> None:
    """Keep settings, unless they would come back as others or the folder can't be written."""
    text = repr(asdict(settings))  # JSON has no keys that are numbers or booleans
    if _settings(text) != settings:
        return
    latest = [*_all().items()][1 - MOST :] + [(key, text)]
    with suppress(OSError, RuntimeError):  # the latter of a user without a home
        file = FILE.expanduser()
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_file(file, json.dumps(dict(latest)).encode())


def _settings(text: str) -> Settings | None:
    """The settings of a text; None if it is of none."""
    kinds = sections()
    try:
        values = ast.literal_eval(text)
        return Settings(**{k: kinds[k](**v) if k in kinds else v for k, v in values.items()})
    except (SyntaxError, ValueError, TypeError, AttributeError, SettingsError):
        return None


def _all() -> dict[str, str]:
    """What is kept, by key, the latest last; nothing if there is no file, or not a whole one."""
    try:
        found = json.loads(FILE.expanduser().read_bytes())
    except (OSError, RuntimeError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
