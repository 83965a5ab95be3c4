"""Drawings: SVG that parses, stays small, is the same each time, and runs nobody's words."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from titanic_ml import plots

EVIL = ["<script>alert(1)</script>", 'a "b" & <c>', "$x^{2", r"\frac{1}"]
CURVE = {"x": [0.0, 0.2, 1.0], "y": [0.0, 0.8, 1.0]}
BIN = {"predicted": 0.2, "observed": 0.3, "low": 0.1, "high": 0.5}
LEARNING = [
    {"rows": rows, "train": 0.3, "test": 0.6 - rows / 1000, "standard_error": 0.02}
    for rows in (50, 100, 200)
]
POINTS = [
    {"value": value, "probability": 0.1 * place, "low": 0.05 * place, "high": 0.2 * place}
    for place, value in enumerate([1.0, 2.5, 4.0, "missing"])
]
COLUMNS = [
    {"column": EVIL[0], "kind": "number", "points": POINTS},
    {"column": "$", "kind": "category", "points": [{**p, "value": EVIL[1]} for p in POINTS]},
    {"column": "whole", "kind": "integer", "points": POINTS},
]
ESTIMATES = [(0.1 * place, 0.05 * place, 0.2 * place) for place in range(1, 5)]
DRAWINGS = {
    "whiskers": lambda: plots.whiskers(EVIL, ESTIMATES, EVIL[0], 1, zero=True),
    "roc": lambda: plots.roc(CURVE, 0.8),
    "precision_recall": lambda: plots.precision_recall(CURVE, 0.4),
    "calibration": lambda: plots.calibration([BIN, {**BIN, "predicted": 0.7, "observed": 0.8}]),
    "learning_curve": lambda: plots.learning_curve(LEARNING),
    "dependence": lambda: plots.dependence(COLUMNS),
    "one dependence": lambda: plots.dependence(COLUMNS[:1]),
}


@pytest.fixture(params=DRAWINGS, scope="module")
def svg(request) -> str:
    return DRAWINGS[request.param]()


def test_it_is_small_svg_that_scales_and_says_what_it_shows(svg):
    root = ElementTree.fromstring(svg)
    assert root.tag.endswith("svg") and root.get("viewBox")
    assert root.get("width") is None and root.get("height") is None
    assert root.get("role") == "img" and len(root.get("aria-label")) > 10
    assert len(svg) < 60_000


def test_no_words_become_elements(svg):
    tags = {element.tag.rpartition("}")[2] for element in ElementTree.fromstring(svg).iter()}
    assert tags <= {"svg", "defs", "style", "g", "path", "use", "text", "clipPath", "rect", "tspan"}


def test_every_reference_has_its_target_and_identifiers_are_unique(svg):
    root = ElementTree.fromstring(svg)
    identifiers = [e.get("id") for e in root.iter() if e.get("id")]
    assert len(identifiers) == len(set(identifiers))
    links = [v for e in root.iter() for k, v in e.attrib.items() if k.endswith("href")]
    clips = [e.get("clip-path") for e in root.iter() if e.get("clip-path")]
    assert {link.removeprefix("#") for link in links} <= set(identifiers)
    assert {clip[5:-1] for clip in clips} <= set(identifiers)


@pytest.mark.parametrize("name", DRAWINGS)
def test_same_values_same_bytes(name):
    assert DRAWINGS[name]() == DRAWINGS[name]()


def test_identifiers_of_two_drawings_differ():
    one, two = (
        {e.get("id") for e in ElementTree.fromstring(DRAWINGS[name]()).iter() if e.get("id")}
        for name in ("roc", "calibration")
    )
    assert not one & two


def test_names_are_written_as_they_are():
    texts = "".join(ElementTree.fromstring(DRAWINGS["whiskers"]()).itertext())
    assert all(name in texts for name in EVIL)


def test_text_takes_the_colour_of_the_page(svg):
    assert "currentColor" in svg and plots.INK not in svg
    assert "#000000" not in svg
