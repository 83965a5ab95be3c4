"""From a known database to known results: train, evaluate, predict and the sink.

If a result was meant to change, `make known-results` renews results.json and tables.json.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

KNOWN = Path(__file__).parents[1] / "known"
TABLES = json.loads((KNOWN / "tables.json").read_text())
EXPECTED = json.loads((KNOWN / "results.json").read_text())
LAST_DIGITS = 1e-6  # what other processors' sums may differ by


def assert_same(found: object, expected: object, where: str = "") -> None:
    """The same keys, words and whole numbers; other numbers but for their last digits."""
    if isinstance(expected, dict):
        assert list(found) == list(expected), where
        for key in expected:
            assert_same(found[key], expected[key], f"{where}/{key}")
    elif isinstance(expected, list):
        assert len(found) == len(expected), where
        for number, part in enumerate(expected):
            assert_same(found[number], part, f"{where}/{number}")
    elif isinstance(expected, float):
        assert found == pytest.approx(expected, abs=LAST_DIGITS), where
    else:
        assert found == expected, where


@pytest.mark.usefixtures("unmeasured")
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_results_are_those_that_are_committed(database, request, tmp_path):
    address = f"sqlite:///{tmp_path}/known.db"
    if database == "postgresql":
        address = request.getfixturevalue("postgres")()
    for program, expected in (("load.py", TABLES), ("results.py", EXPECTED)):
        command = [sys.executable, KNOWN / program, address]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert_same(json.loads(done.stdout), expected)


def test_what_is_committed_is_of_the_whole_tables():
    counts = {"read": 418, "rows": 418, "rejected": 0}
    assert EXPECTED["predict"] == EXPECTED["predict again"] == counts
    assert list(map(int, EXPECTED["predictions"])) == list(range(892, 1310))
    assert list(EXPECTED["rejected"]) == ["895", "902", "912"]
    assert EXPECTED["train"]["promoted"]
    assert {name: table["rows"] for name, table in TABLES.items()} == {
        "passengers": 891,
        "waiting": 418,
        "faulty": 30,
    }


@pytest.mark.parametrize("change", ["0", "[0, 0.5]", "word"])
def test_a_changed_result_is_seen(change):
    changed = json.loads(json.dumps(EXPECTED))
    if change == "word":
        changed["train"]["estimator"] = "majority"
    else:
        changed["predictions"]["892"] = json.loads(change)
    with pytest.raises((AssertionError, TypeError)):
        assert_same(changed, EXPECTED)
