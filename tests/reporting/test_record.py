import json

import pytest

from titanic_ml.registry.store import ModelStore


@pytest.fixture(scope="module")
def version(trained):
    store = ModelStore(str(trained))
    return {name: store.read("champion", name).decode() for name in FILES} | {
        "manifest": store.manifest("champion")
    }


FILES = ("evaluation.json", "report.html", "model_card.md")


def test_facts_hold_all_that_the_report_is_drawn_from(version):
    facts = json.loads(version["evaluation.json"])
    assert set(facts) == {
        *("version", "time", "git", "libraries", "seed", "dataset", "chosen", "procedure"),
        *("candidates", "evaluation", "strangers", "importance", "dependence", "learning_curve"),
        "groups",
    }
    manifest = version["manifest"]
    assert facts["version"] == manifest["version"]
    assert facts["chosen"]["name"] == manifest["estimator"]
    assert facts["evaluation"]["estimates"] == manifest["metrics"]
    assert facts["strangers"]["estimates"] == manifest["strangers"]
    assert facts["dataset"]["rows"] == 891 and facts["dataset"]["positives"] == 342
    assert set(facts["dataset"]["columns"]) == set(manifest["data"]["profile"])
    losses = [candidate["log_loss"] for candidate in facts["candidates"]]
    assert losses == sorted(losses)
    assert [c["name"] for c in facts["candidates"] if c["baseline"]]


def test_report_and_card_are_of_the_version(version):
    name = version["manifest"]["version"]
    assert name in version["report.html"] and name in version["model_card.md"]
