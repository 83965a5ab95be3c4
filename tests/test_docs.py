"""Links of the README, the docs and the notebook lead to files and headings that exist."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path

import pytest

from titanic_ml.config.settings import known_keys

ROOT = Path(__file__).parents[1]
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), ROOT / "data/README.md"]
LINK = re.compile(r"\]\(([^)]+)\)")


def anchors(page: Path) -> set[str]:
    """The headings of a page, as GitHub names them in links."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken(text: str, page: Path) -> list[str]:
    found = []
    for link in LINK.findall(text):
        path, _, anchor = link.partition("#")
        target = (page.parent / path) if path else page
        if link.startswith(("http://", "https://")):
            continue
        if not target.exists() or (anchor and anchor not in anchors(target)):
            found.append(link)
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_of_a_page(page):
    assert broken(page.read_text(), page) == []


def test_links_of_the_notebook():
    notebook = ROOT / "main.ipynb"
    cells = json.loads(notebook.read_text())["cells"]
    text = "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")
    assert len(LINK.findall(text)) > 5 and broken(text, notebook) == []


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_text().splitlines()) <= 90


def test_the_generated_parts_of_the_reference_are_those_of_the_program():
    """`make docs` writes them, with the locked version of typer."""
    pytest.importorskip("sphinx", reason="the group docs is not installed")
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs/generate.py")
    generate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)
    for page, regions in generate.pages().items():
        text = page.read_text()
        for name, content in regions.items():
            assert generate.with_region(text, name, content) == text, f"{page.name}, {name}"
    settings = (ROOT / "docs/settings.md").read_text()
    keys = set(known_keys()) - {"dataset", "estimator"}
    assert not [key for key in keys if f"| `{key}` |" not in settings]
