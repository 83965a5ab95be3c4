"""Publish a built site as a version on the branch gh-pages: `publish_docs.py SITE VERSION ADDRESS`.

The branch has a folder for each version, `stable/` with the newest, `versions.json` for the menu
of versions, and a page that leads to `stable/`.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from packaging.version import Version

BRANCH = "gh-pages"
REDIRECT = (
    '<!doctype html><meta http-equiv="refresh" content="0; url=stable/"><title>Docs</title>\n'
)


def git(*words: str, cwd: Path | None = None) -> str:
    done = subprocess.run(["git", *words], cwd=cwd, check=True, capture_output=True, text=True)
    return done.stdout


def add_version(site: Path, version: str, address: str, branch: Path) -> None:
    """Add the site to the files of the branch, and write what lists the versions."""
    shutil.rmtree(branch / version, ignore_errors=True)
    shutil.copytree(site, branch / version, ignore=shutil.ignore_patterns(".doctrees", "links"))
    folders = {page.parent.name for page in branch.glob("*/index.html")} - {"stable"}
    names = sorted(folders, key=Version, reverse=True)
    shutil.rmtree(branch / "stable", ignore_errors=True)
    shutil.copytree(branch / names[0], branch / "stable")
    menu = [
        {"version": name, "url": f"{address}/{name}/", "preferred": name == names[0]}
        for name in names
    ]
    (branch / "versions.json").write_text(json.dumps(menu, indent=2) + "\n")
    (branch / "index.html").write_text(REDIRECT)
    (branch / ".nojekyll").touch()


def main(site: str, version: str, address: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        branch = Path(folder, "branch")
        if git("ls-remote", "--heads", "origin", BRANCH):
            git("fetch", "--depth", "1", "origin", BRANCH)
            git("worktree", "add", "--detach", str(branch), "FETCH_HEAD")
        else:
            git("worktree", "add", "--detach", str(branch))
            git("checkout", "--quiet", "--orphan", BRANCH, cwd=branch)
            git("rm", "-r", "--force", "--quiet", "--ignore-unmatch", ".", cwd=branch)
        try:
            add_version(Path(site), version, address, branch)
            git("add", "--all", "--force", ".", cwd=branch)
            git("commit", "--quiet", "--allow-empty", "-m", f"Publish {version}", cwd=branch)
            git("push", "--quiet", "origin", f"HEAD:{BRANCH}", cwd=branch)
        finally:
            git("worktree", "remove", "--force", str(branch))


if __name__ == "__main__":
    main(*sys.argv[1:])
