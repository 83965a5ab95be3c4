"""Figures: SVG that parses, stays small, is reproducible, and runs no text as code."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree

import pytest

from titanic_ml.evaluation.result import (
    CalibrationBin,
    Curve,
    Dependence,
    DependencePoint,
    Estimate,
    LearningPoint,
)
from titanic_ml.reporting import plots

EVIL = ["<script>alert(1)</script>", 'a "b" & <c>', "$x^{2", r"\frac{1}"]
CURVE = Curve([0.0, 0.2, 1.0], [0.0, 0.8, 1.0])
BIN = CalibrationBin(9, 0.2, 0.3, 0.1, 0.5)
SVG = "{http://www.w3.org/2000/svg}"
LEARNING = [LearningPoint(rows, 0.3, 0.6 - rows / 1000, 0.02) for rows in (50, 100, 200)]
POINTS = [
    DependencePoint(value, 0.1 * place, 0.05 * place, 0.2 * place)
    for place, value in enumerate([1.0, 2.5, 4.0, "missing"])
]
COLUMNS = [
    Dependence(EVIL[0], "number", POINTS),
    Dependence("$", "category", [replace(p, value=EVIL[1]) for p in POINTS]),
    Dependence("whole", "integer", POINTS),
]
ESTIMATES = [Estimate(0.1 * place, 0.05 * place, 0.2 * place) for place in range(1, 5)]
DRAWINGS = {
    "whiskers": lambda: plots.whiskers(EVIL, ESTIMATES, EVIL[0], 1, zero=True),
    "roc": lambda: plots.roc(CURVE, 0.8),
    "precision_recall": lambda: plots.precision_recall(CURVE, 0.4),
    "calibration": lambda: plots.calibration([BIN, replace(BIN, predicted=0.7, observed=0.8)]),
    "learning_curve": lambda: plots.learning_curve(LEARNING),
    "dependence": lambda: plots.dependence(COLUMNS),
    "one dependence": lambda: plots.dependence(COLUMNS[:1]),
    "two parts": lambda: plots.whiskers(EVIL, ESTIMATES, "two parts", parted=2),
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


def texts(svg: str) -> list[str]:
    return ["".join(e.itertext()) for e in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def test_parts_are_parted_by_a_line_between_them():
    counts = [
        sum(
            "stroke-dasharray" in (e.get("style") or "") for e in ElementTree.fromstring(svg).iter()
        )
        for svg in (
            plots.whiskers(EVIL, ESTIMATES, "x", parted=parted) for parted in (0, 2, len(EVIL))
        )
    ]
    assert counts == [0, 1, 0]


def test_the_missing_value_of_a_number_stands_beyond_the_numbers():
    with_it, without = (
        texts(plots.dependence([Dependence("Age", "number", points)]))
        for points in (POINTS, POINTS[:-1])
    )
    assert "missing" in with_it and "missing" not in without
    only = [replace(p, value=3.5) for p in POINTS[:1]] + POINTS[-1:]
    assert {"3.5", "missing"} <= set(texts(plots.dependence([Dependence("Age", "number", only)])))


@pytest.mark.parametrize(
    ("kind", "values", "apart", "upright"),
    [
        ("integer", [1, 2, 3], True, False),
        ("integer", [*range(8), "missing"], True, True),
        ("integer", list(range(9)), False, False),
        ("category", list("abc"), True, False),
        ("category", [f"a long name {i}" for i in range(12)], True, True),
    ],
)
def test_labels_have_room(kind, values, apart, upright):
    points = [replace(POINTS[0], value=value) for value in values]
    svg = plots.dependence([Dependence("x", kind, points)])
    labels = [label for label in texts(svg) if label not in ("x", "")]
    names = [v if len(str(v)) < 12 else f"a long…ame {v[-1]}" for v in values]
    assert set(map(str, names)) <= set(labels) if apart else "0" in labels and "8" in labels
    assert ("rotate(-90)" in svg) == upright
    assert max(map(len, labels)) <= 12


def test_text_takes_the_colour_of_the_page(svg):
    assert "currentColor" in svg and plots.INK not in svg
    assert "#000000" not in svg
