"""The report of drift: one HTML file that opens offline."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from titanic_ml.reporting.report import METRIC_WORDS, template

if TYPE_CHECKING:
    from titanic_ml.monitoring.drift import Drift
    from titanic_ml.monitoring.performance import Performance


def render_drift(
    about: Mapping[str, Any], drift: Drift, performance: Performance | None = None
) -> str:
    """Return the report of drift as one HTML page that needs no other file.

    Parameters
    ----------
    about
        Which rows: the `table`, the `version` they are compared with, `since` when, how many are
        `invalid` or `known`.
    drift, performance
        Result of the check.
    """
    most = max((column.psi for column in drift.columns), default=0.0)
    return template("drift.html.j2", escaped=True).render(
        found=about, drift=drift, performance=performance, words=METRIC_WORDS, scale=max(most, 0.25)
    )
