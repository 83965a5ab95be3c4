"""From a known database to known results: train, evaluate, predict and the sink.

If a result was meant to change, `make known-results` renews results.json and tables.json.
"""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest

KNOWN = Path(__file__).parents[1] / "known"
TABLES = json.loads((KNOWN / "tables.json").read_text())
EXPECTED = json.loads((KNOWN / "results.json").read_text())
LAST_DIGITS = 1e-6  # what other processors' sums may differ by


def program(name: str) -> ModuleType:
    """A script of tests/known, as a module."""
    spec = importlib.util.spec_from_file_location(name, KNOWN / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def assert_same(found: object, expected: object, where: str = "") -> None:
    """Assert equal keys, words and integers, and nearly equal other numbers."""
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
@pytest.mark.parametrize(
    "database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.system)]
)
def test_results_equal_the_committed_ones(database, request, tmp_path):
    address = f"sqlite:///{tmp_path}/known.db"
    if database == "postgresql":
        address = request.getfixturevalue("postgres")()
    assert_same(program("load").load(address), TABLES)
    results = program("results")
    found = results.known_results(address, tmp_path)
    assert_same(json.loads(results.as_text(found)), EXPECTED)


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
