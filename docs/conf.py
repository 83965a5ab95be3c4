"""Sphinx's settings for the site: `make docs`."""

from __future__ import annotations

import os
import shutil
import sys
from importlib.metadata import version as installed
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import generate  # noqa: E402

generate.main()  # the pages that follow from the program
shutil.rmtree(Path(__file__).parent / "api", ignore_errors=True)  # those of names that are gone

project = "titanic_ml"
version = release = installed("titanic_ml")
copyright = "the authors of titanic_ml, MIT licence"  # noqa: A001

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
]
root_doc = "index"
exclude_patterns = ["site"]

myst_enable_extensions = ["attrs_inline", "colon_fence"]
myst_heading_anchors = 3

autodoc_default_options = {"member-order": "bysource"}
autodoc_typehints = "none"  # they are in the signature
autosummary_generate = True
templates_path = ["templates"]
numpydoc_show_class_members = False
# Every public name of the reference has its sections; a warning ends the build.
numpydoc_validation_checks = {
    "SS03", "SS04", "SS05", "SS06", "PR01", "PR02", "PR03", "PR07", "RT01", "RT03", "YD01",
}  # fmt: skip

# Classes of results have attributes, and a summary "Return …" is a section of its own.
numpydoc_validation_overrides = {"PR01": [r"\n *Attributes\n"], "RT01": [r"^\s*Return "]}
suppress_warnings = ["misc.highlighting_failure"]  # a request of two lines after a prompt

html_theme = "pydata_sphinx_theme"
html_title = f"titanic_ml {version}"
html_static_path = ["static"]
html_favicon = "static/favicon.svg"
html_context = {"default_mode": "auto"}
toc_object_entries_show_parents = "hide"
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    "logo": {"text": "titanic_ml"},
    "navbar_end": ["theme-switcher"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "secondary_sidebar_items": ["page-toc"],
    "show_toc_level": 2,
}
# Set by the workflow that publishes: where versions.json of all published versions is.
if address := os.environ.get("TITANIC_DOCS_URL"):
    html_theme_options["switcher"] = {
        "json_url": f"{address}/versions.json",
        "version_match": version,
    }
    html_theme_options["check_switcher"] = False
    html_theme_options["navbar_end"] = ["version-switcher", "theme-switcher"]

linkcheck_anchors = False
