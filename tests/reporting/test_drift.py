"""The report of drift."""

from __future__ import annotations

import re

from titanic_ml.reporting.drift import render_drift


def test_it_names_what_has_moved_and_needs_no_other_file(pipeline, passengers, tmp_path):
    later = passengers.assign(Fare=2 * passengers["Fare"], PassengerId=passengers.index + 5000)
    found = pipeline.monitor(
        later.drop(columns="Survived"), labels=later[["PassengerId", "Survived"]]
    )
    page = render_drift(vars(found), found.drift, found.performance)
    assert found.to_html() == page
    assert re.search(r'<tr class="drifted"><th scope="row">Fare</th><td>yes</td>', page)
    assert found.drift.verdict in page and "<h2>Performance</h2>" in page
    assert not re.search(r"(src|href)=", page)
