import json

import pytest

from titanic_ml.registry.store import ModelStore
from titanic_ml.reporting.version_report import VersionReport


@pytest.fixture(scope="module")
def version(trained):
    return ModelStore(str(trained)).open("champion")


@pytest.fixture(scope="module")
def facts(version) -> VersionReport:
    return VersionReport.from_json(version.facts)


def test_facts_are_read_as_they_were_written(version, facts):
    assert facts.to_json() == version.facts
    with pytest.raises(ValueError, match="evaluation"):
        VersionReport.from_json(b'{"origin": null}')


def test_facts_and_manifest_say_the_same(version, facts, training):
    manifest = version.manifest
    assert facts.origin.version == facts.evaluation.version == facts.grouped.version
    assert facts.origin.version == manifest.version == training.version
    assert facts.chosen.name == manifest.estimator
    assert facts.evaluation.estimates == manifest.metrics == training.evaluation.estimates
    assert facts.grouped.estimates == manifest.grouped
    assert (facts.dataset.rows, facts.dataset.positives) == (891, 342)
    assert set(facts.dataset.columns) == set(manifest.data.profile)
    losses = [candidate.log_loss for candidate in facts.candidates]
    assert losses == sorted(losses)
    assert {c.name for c in facts.candidates if c.baseline} == {"majority", "one_column"}
    grouped = {c.name: c.grouped_log_loss for c in facts.candidates}
    assert grouped[facts.chosen.name] == pytest.approx(
        facts.grouped.estimates["log_loss"].value, abs=0.01
    )
    assert all(loss > 0 for loss in grouped.values())
    assert {c.name: c.chosen_share for c in facts.candidates} == facts.stability.shares
    assert set(manifest.candidates) == {c.name for c in facts.candidates}
    assert manifest.data.profile["Age"]["missing"] == 177
    json.dumps(manifest.to_dict())


def test_report_and_card_are_of_the_version(version):
    for file in ("report.html", "model_card.md"):
        assert version.name in version.read(file).decode()
