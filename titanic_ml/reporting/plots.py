"""Drawings of what was measured, as SVG texts: from values, without state, byte for byte.

Colours are middle tones on a transparent ground and texts take the colour of the page, so that a
drawing can be read on light and on dark.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from typing import Any
from zlib import crc32

from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from titanic_ml.evaluation.result import (
    CalibrationBin,
    Curve,
    Dependence,
    DependencePoint,
    Estimate,
    LearningPoint,
)

BLUE, ORANGE, GREY = "#3b7fc4", "#d9762b", "#8a8a8a"
STYLE: Any = {
    "svg.fonttype": "none",
    "text.parse_math": False,  # a dollar in a name is a dollar
    "svg.hashsalt": "titanic_ml",
    "font.size": 10,
    "font.family": "sans-serif",
    "axes.spines.top": False,
    "axes.spines.right": False,
}
INK = "#010203"  # stands for the colour of the page's text
MOST_STEPS = 8  # whole numbers that are drawn apart; of more, a line
WIDEST = 24  # letters that fit below one of two drawings in a line; more stand upright


def _figure(height: float = 3.2, columns: int = 1, rows: int = 1) -> Any:
    figure = Figure(figsize=(4.6, height), layout="constrained")
    return figure, figure.subplots(rows, columns, squeeze=False)


def _svg(figure: Figure, text: str) -> str:
    """Return the drawing as SVG without preamble; `text` describes it."""
    for axes in figure.axes:
        axes.tick_params(colors=INK)
        for part in (axes.xaxis.label, axes.yaxis.label, axes.title):
            part.set_color(INK)
        for spine in axes.spines.values():
            spine.set_color(GREY)
    buffer = io.StringIO()
    none = {"Date": None, "Creator": None, "Format": None, "Type": None}
    figure.savefig(buffer, format="svg", transparent=True, metadata=none)
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :].replace(INK, "currentColor")
    svg = re.sub(r'(<svg[^>]*?) height="[\d.]+pt"', r"\1", svg, count=1)
    svg = re.sub(r'(<svg[^>]*?) width="[\d.]+pt"', r"\1", svg, count=1)
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
    svg = svg.replace("<svg", f'<svg role="img" aria-label="{escaped}"', 1)
    # Identifiers must differ between the drawings of one page.
    mark = f"{crc32(svg.encode()):x}"
    svg = re.sub(r'id="([^"]+)"', rf'id="\1-{mark}"', svg)
    svg = re.sub(r"url\(#([^)]+)\)", rf"url(#\1-{mark})", svg)
    return re.sub(r'xlink:href="#([^"]+)"', rf'xlink:href="#\1-{mark}"', svg)


def _whiskers(axes: Any, names: Sequence[str], estimates: Sequence[Estimate], marked: int) -> None:
    """Draw a dot and an interval for each name, the first on top, one of them marked."""
    for place, e in enumerate(estimates):
        colour = ORANGE if place == marked else BLUE
        axes.plot([e.low, e.high], [place, place], color=colour, lw=2, solid_capstyle="butt")
        axes.plot([e.value], [place], "o", color=colour, ms=5)
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.grid(axis="x", color=GREY, alpha=0.25)


def whiskers(
    names: Sequence[str],
    estimates: Sequence[Estimate],
    label: str,
    marked: int = -1,
    zero: bool = False,
    parted: int = 0,
) -> str:
    """Draw estimates with their intervals, one below the other.

    `zero` draws a line at 0; `parted` draws one below this number of items, if more follow.
    """
    with rc_context(STYLE):
        figure, axes = _figure(0.9 + 0.24 * len(names))
        _whiskers(axes[0][0], names, estimates, marked)
        if zero:
            axes[0][0].axvline(0, color=GREY, lw=1)
        if 0 < parted < len(names):
            axes[0][0].axhline(parted - 0.5, color=GREY, lw=1, ls=":")
        axes[0][0].set_xlabel(label)
        text = "; ".join(f"{n}: {e.value:.3f}" for n, e in zip(names, estimates, strict=True))
        return _svg(figure, f"{label}. {text}")


def roc(curve: Curve, auc: float) -> str:
    """Draw the true positive rate by the false positive rate, with the diagonal."""
    with rc_context(STYLE):
        figure, axes = _figure()
        axes[0][0].plot([0, 1], [0, 1], ":", color=GREY)
        axes[0][0].plot(curve.x, curve.y, color=BLUE, lw=2)
        axes[0][0].set(xlabel="false positive rate", ylabel="true positive rate")
        return _svg(figure, f"ROC curve with an area of {auc:.3f}")


def precision_recall(curve: Curve, share: float) -> str:
    """Precision by recall, with the line of a coin: the share of positives."""
    with rc_context(STYLE):
        figure, axes = _figure()
        axes[0][0].axhline(share, ls=":", color=GREY)
        axes[0][0].plot(curve.x, curve.y, color=BLUE, lw=2)
        axes[0][0].set(xlabel="recall", ylabel="precision", ylim=(0, 1.03))
        return _svg(figure, f"Precision by recall, above a share of positives of {share:.2f}")


def calibration(bins: Sequence[CalibrationBin]) -> str:
    """Draw the share of positives by the predicted probability, with the diagonal."""
    with rc_context(STYLE):
        figure, axes = _figure()
        axes[0][0].plot([0, 1], [0, 1], ":", color=GREY)
        for b in bins:
            axes[0][0].plot([b.predicted] * 2, [b.low, b.high], color=BLUE, lw=2)
        points = [b.predicted for b in bins], [b.observed for b in bins]
        axes[0][0].plot(*points, "o-", color=BLUE, lw=1, ms=5)
        axes[0][0].set(xlabel="predicted probability", ylabel="share of positives")
        text = "; ".join(f"{b.predicted:.2f} predicted, {b.observed:.2f} observed" for b in bins)
        return _svg(figure, f"Calibration. {text}")


def learning_curve(points: Sequence[LearningPoint]) -> str:
    """Draw the log loss on training and unseen rows by the number of training rows."""
    with rc_context(STYLE):
        figure, axes = _figure()
        rows = [p.rows for p in points]
        lines = (
            ([p.test for p in points], ORANGE, "unseen rows"),
            ([p.train for p in points], BLUE, "its own"),
        )
        for losses, colour, label in lines:
            axes[0][0].plot(rows, losses, "o-", color=colour, ms=4, label=label)
        low = [p.test - p.standard_error for p in points]
        high = [p.test + p.standard_error for p in points]
        axes[0][0].fill_between(rows, low, high, color=ORANGE, alpha=0.2, lw=0)
        axes[0][0].set(xlabel="training rows", ylabel="log loss")
        axes[0][0].legend(frameon=False, labelcolor=INK)
        text = "; ".join(f"{p.rows} rows: {p.test:.3f}" for p in points)
        return _svg(figure, f"Log loss on unseen rows. {text}")


def dependence(columns: Sequence[Dependence]) -> str:
    """Draw the mean probability at each value of each column, on one scale."""
    with rc_context(STYLE | {"font.size": 8}):
        lines = -(-len(columns) // 2)
        figure, axes = _figure(1.5 * lines + 0.2, 2, lines)
        for place, column in enumerate(columns):
            _dependence(axes[place // 2][place % 2], column)
        for spare in range(len(columns), 2 * lines):
            axes[spare // 2][spare % 2].set_axis_off()
        low = min(p.low for c in columns for p in c.points)
        high = max(p.high for c in columns for p in c.points)
        for axis in figure.axes:
            axis.set_ylim(low - 0.02, high + 0.02)
        return _svg(figure, "Mean probability by " + ", ".join(c.column for c in columns))


def _dependence(axes: Any, column: Dependence) -> None:
    points = column.points
    numbers = [p for p in points if not isinstance(p.value, str)]
    numeric = column.kind == "number" or len(numbers) > MOST_STEPS
    known, rest = (numbers, [p for p in points if p not in numbers]) if numeric else ([], points)
    places: list[float] = list(range(len(rest)))
    if known:
        at, means, low, high = _columns_of(known)
        axes.plot(at, means, color=BLUE, lw=2)
        axes.fill_between(at, low, high, color=BLUE, alpha=0.2, lw=0)
        span = (at[-1] - at[0]) or 1.0
        places = [at[-1] + 0.25 * span] * len(rest)  # what is missing stands beyond the numbers
    if rest:
        _, means, low, high = _columns_of(rest)
        axes.vlines(places, low, high, color=BLUE, lw=2)
        axes.plot(places, means, "o", color=BLUE, ms=4)
        names = [_cut(str(p.value)) for p in rest]
        if known:
            ticks = [t for t in MaxNLocator(4).tick_values(at[0], at[-1]) if at[0] <= t <= at[-1]]
            names, places = [f"{tick:g}" for tick in ticks] + names, ticks + places
        else:
            axes.set_xlim(-0.5, len(rest) - 0.5)
        upright = 90 if sum(map(len, names)) + 2 * len(names) > WIDEST else 0
        axes.set_xticks(places, names, rotation=upright)
    axes.set_title(_cut(column.column, 24), fontsize=9)


def _columns_of(points: Sequence[DependencePoint]) -> list[list[Any]]:
    return [
        [p.value for p in points],
        [p.probability for p in points],
        [p.low for p in points],
        [p.high for p in points],
    ]


def _cut(text: str, most: int = 12) -> str:
    """Without its middle if it is long: names of one table often begin alike."""
    half = most // 2
    return text if len(text) <= most else f"{text[:half]}…{text[half + 1 - most :]}"
