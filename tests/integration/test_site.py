"""The site of docs/: it builds, its links work, it needs no other host, it can be published."""

from __future__ import annotations

import importlib
import json
import pkgutil
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from filelock import FileLock

import titanic_ml

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.system
pytest.importorskip("sphinx", reason="the group docs is not installed")


class Page(HTMLParser):
    """Links, sources and ids of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.sources: list[str] = []
        self.ids: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self.ids |= {values[name] for name in ("id", "name") if values.get(name)}
        if tag == "a" and values.get("href"):
            self.links.append(values["href"])
        elif values.get("src") or (tag == "link" and values.get("href")):
            self.sources.append(values.get("src") or values["href"])


@pytest.fixture(scope="module")
def site(shared) -> Path:
    """Build the site, once for all workers; a warning is an error."""
    folder = shared / "site"
    words = [sys.executable, "-m", "sphinx", "--fail-on-warning", "--keep-going", "--quiet"]
    with FileLock(shared / "site.lock"):
        if not folder.exists():
            words += ["docs", str(folder)]
            done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
            assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def pages(site) -> dict[Path, Page]:
    return {path: Page(path.read_text()) for path in site.rglob("*.html")}


def test_every_internal_link_leads_to_a_page_and_a_heading(site, pages):
    broken = []
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            ids = pages[target].ids if target in pages else set()
            if not target.exists() or (parts.fragment and unquote(parts.fragment) not in ids):
                broken.append(f"{path.relative_to(site)}: {link}")
    assert sum(len(page.links) for page in pages.values()) > 1_000
    assert not broken


def test_a_page_loads_nothing_from_another_host(pages):
    sources = [source for page in pages.values() for source in page.sources]
    assert len(sources) > 100
    assert not [source for source in sources if urlsplit(source).netloc]


def test_every_exported_name_has_a_page(site):
    modules = ["titanic_ml"]
    modules += [
        f"titanic_ml.{m.name}" for m in pkgutil.iter_modules(titanic_ml.__path__) if m.ispkg
    ]
    exported = [
        f"{module}.{name}"
        for module in modules
        for name in getattr(importlib.import_module(module), "__all__", [])
        if name != "__version__"
    ]
    assert len(exported) >= 10
    assert not [name for name in exported if not (site / f"api/{name}.html").exists()]


def test_the_search_index_finds_words_of_the_guides(site):
    index = (site / "searchindex.js").read_text()
    assert all(f'"{word}"' in index for word in ("quarantin", "champion", "mlflow"))


def test_the_commands_of_the_first_steps_run(tmp_path):
    page = (ROOT / "docs/first-steps.md").read_text()
    (shell,) = re.findall(r"```bash\n(.*?)```", page, re.S)
    (code,) = re.findall(r"```python\n(.*?)```", page, re.S)
    shell = shell.replace("python main.py", f"{sys.executable} -m titanic_ml")
    (tmp_path / "data").symlink_to(ROOT / "data")
    done = subprocess.run(["bash", "-ec", shell], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    shown = "\n".join((tmp_path / "submission.csv").read_text().splitlines()[:3])
    assert f"$ head -3 submission.csv\n{shown}\n" in page
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_a_site_is_published_as_a_version(site, tmp_path):
    def git(*words: str, cwd: Path = tmp_path / "clone") -> str:
        done = subprocess.run(["git", *words], cwd=cwd, check=True, capture_output=True, text=True)
        return done.stdout

    git("init", "--quiet", "--bare", "remote", cwd=tmp_path)
    git("init", "--quiet", "clone", cwd=tmp_path)
    git("config", "user.name", "a")
    git("config", "user.email", "a@example.org")
    git("remote", "add", "origin", str(tmp_path / "remote"))
    git("commit", "--quiet", "--allow-empty", "-m", "a")
    program = ROOT / "deploy/publish_docs.py"
    for version in ("0.9.0", "0.10.0", "0.9.1"):
        words = [str(site), version, "https://example.org/a"]
        subprocess.run([sys.executable, program, *words], cwd=tmp_path / "clone", check=True)
    git("clone", "--quiet", "--branch", "gh-pages", str(tmp_path / "remote"), "out", cwd=tmp_path)
    menu = json.loads((tmp_path / "out/versions.json").read_text())
    assert [entry["version"] for entry in menu] == ["0.10.0", "0.9.1", "0.9.0"]
    assert menu[0]["preferred"] and menu[0]["url"] == "https://example.org/a/0.10.0/"
    for folder in ("stable", "0.9.0", "0.9.1", "0.10.0"):
        assert (tmp_path / "out" / folder / "_static/pygments.css").exists()
    assert "url=stable/" in (tmp_path / "out/index.html").read_text()
    assert git("worktree", "list").count("\n") == 1
