"""Write the parts of the reference that follow from the program into their pages.

`make docs` runs it at each build; a test compares the pages with the program.
"""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, get_args, get_type_hints

from titanic_ml.config.settings import Settings

DOCS = Path(__file__).parent
CONF = DOCS.parent / "titanic_ml/conf"
# The later ones override the earlier ones.
FILES = {"config.yaml": "", "env/local.yaml": "", "selection/standard.yaml": "selection."}
COMMON = re.compile(r"--(quiet|verbose|json|debug|config-dir|help)\b|OVERRIDES")
SELECTED = re.compile(r"\$\{oc\.select:(?P<key>[^,]+),(?P<usual>.*)\}")
LINE = re.compile(r"^(?P<indent> *)(?P<key>\w+):(?: (?P<value>[^#]*?))?(?: *# (?P<comment>.*))?$")
REGION = "<!-- generated: {} -->\n\n{}\n\n<!-- end -->"


def commands() -> list[str]:
    """Return a section for each command as Markdown: summary, examples, arguments and options."""
    words = ("typer", "titanic_ml.cli.app", "utils", "docs", "--name", "python main.py")
    done = subprocess.run([sys.executable, "-m", *words], capture_output=True, check=True)
    sections = re.split(r"^(?=##+ )", done.stdout.decode("utf-8"), flags=re.M)[1:]
    return [_section(section) for section in sections]


def overview(sections: list[str]) -> str:
    """Return a table of the commands with their summaries."""
    rows = []
    for section in sections:
        heading, summary = section.split("\n\n")[:2]
        name = heading.strip("# `")
        rows.append(f"| [`{name}`](#{name.replace(' ', '-')}) | {summary} |")
    return "\n".join(["| command | what it does |", "| --- | --- |", *rows])


def _section(text: str) -> str:
    """Return the section that typer writes for a command in the layout of this page."""
    heading, summary = (line for line in text.splitlines()[:3] if line)
    parts = [heading.replace("python main.py ", ""), summary]
    if examples := re.search(r"^Examples:\n((?:  .+\n?)+)", text, re.M):
        lines = examples[1].replace("  titanic-ml", "$ python main.py").splitlines()
        parts.append("\n".join(["```console", *lines, "```"]))
    options = re.findall(r"^\* (`.*?`): (.*)$", text.partition("**Commands**")[0], re.M)
    rows = [f"| {name} | {meaning} |" for name, meaning in options if not COMMON.search(name)]
    if rows:
        parts.append("\n".join(["| argument or option | meaning |", "| --- | --- |", *rows]))
    return "\n\n".join(parts)


def settings() -> str:
    """Return the settings with type, default and meaning, as a table in Markdown."""
    found = {}
    for name, prefix in FILES.items():
        found |= {prefix + key: pair for key, pair in _commented(CONF / name).items()}
    lines = ["| setting | type | default | meaning |", "| --- | --- | --- | --- |"]
    for key, kind in _leaves(Settings):
        value, comment = found[key]
        if match := SELECTED.fullmatch(value):
            value, comment = match["usual"], f"{comment}; `{match['key']}` replaces it"
        lines.append(f"| `{key}` | {kind} | `{value}` | {comment} |")
    return "\n".join(lines)


def _commented(path: Path) -> dict[str, tuple[str, str]]:
    """Return the values and comments of a YAML file by their dotted key."""
    found, parents = {}, {}
    for line in path.read_text().splitlines():
        if match := LINE.match(line):
            level = len(match["indent"]) // 2
            parents[level] = match["key"]
            key = ".".join(parents[step] for step in range(level + 1))
            if match["comment"]:
                found[key] = (match["value"] or "").strip(), match["comment"]
    return found


def _leaves(kind: type, prefix: str = "") -> list[tuple[str, str]]:
    """Return the dotted keys of a class of settings with the names of their types."""
    found = []
    hints: dict[str, Any] = get_type_hints(kind)
    for field in fields(kind):
        hint = hints[field.name]
        if is_dataclass(hint):
            found += _leaves(hint, f"{prefix}{field.name}.")
        elif field.name not in ("dataset", "estimator"):  # files of a group, with own keys
            words = [getattr(part, "__name__", "null") for part in get_args(hint) or [hint]]
            found.append((prefix + field.name, " or ".join(words).replace("NoneType", "null")))
    return found


def with_region(text: str, name: str, content: str) -> str:
    """Replace the generated region of a page."""
    start = re.escape(REGION.partition("\n")[0].format(name))
    region = REGION.format(name, content)
    changed, number = re.subn(rf"{start}.*?<!-- end -->", lambda _: region, text, flags=re.S)
    if number != 1:
        raise SystemExit(f"found {number} regions of {name}, expected one")
    return changed


def pages() -> dict[Path, dict[str, str]]:
    """Return the generated regions of each page, by name."""
    sections = commands()
    return {
        DOCS / "commands.md": {"overview": overview(sections), "commands": "\n\n".join(sections)},
        DOCS / "settings.md": {"settings": settings()},
    }


def main() -> None:
    """Write the regions."""
    for page, regions in pages().items():
        text = changed = page.read_text(encoding="utf-8")
        for name, content in regions.items():
            changed = with_region(changed, name, content)
        if changed != text:
            page.write_text(changed, encoding="utf-8")


if __name__ == "__main__":
    main()
