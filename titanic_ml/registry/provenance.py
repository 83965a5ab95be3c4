"""Where a model comes from: the versions of the libraries and of the code."""

from __future__ import annotations

import hashlib
import platform
import subprocess
from functools import cache
from importlib.metadata import version as installed_version
from pathlib import Path

from titanic_ml import __version__

PACKAGE = Path(__file__).parents[1]
LIBRARIES = ("scikit-learn", "numpy", "pandas", "joblib")


def libraries() -> dict[str, str]:
    """Return the versions of Python, this package and the libraries of a model."""
    own = {"python": platform.python_version(), "titanic_ml": __version__}
    return own | {name: _installed(name) for name in LIBRARIES}


@cache
def _installed(name: str) -> str:
    """Return a library's version, which is searched in all folders of packages: milliseconds."""
    return installed_version(name)


def git_commit() -> str | None:
    """Return the git commit of the package, `-dirty` if changed; None outside a checkout."""
    root = PACKAGE.parent
    if not (root / ".git").exists():  # git would look further up, into somebody else's repository
        return None
    words = "describe --always --dirty --abbrev=40 --exclude=*".split()
    command = ["git", "-C", str(root), *words]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None


def source_hash() -> str:
    """SHA-256 of this package's code, its settings left out."""
    digest = hashlib.sha256()
    for path in sorted(PACKAGE.rglob("*.py")):
        digest.update(path.relative_to(PACKAGE).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()
