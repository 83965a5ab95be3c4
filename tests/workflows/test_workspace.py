"""The workspace of the workflows: settings, versions, and their caches."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from titanic_ml import TitanicPipeline
from titanic_ml.errors import (
    DataError,
    ModelRefused,
    SettingsError,
)
from titanic_ml.registry.version import ModelVersion
from titanic_ml.storage.object_store import ObjectStore
from titanic_ml.workflows.workspace import validated

ROOT = Path(__file__).parents[2]
TRAIN, TEST = (ROOT / "data" / f"{name}.csv" for name in ("train", "test"))


def test_a_version_that_was_loaded_is_kept_and_only_the_alias_is_read_again(
    pipeline, passengers, monkeypatch
):
    first = pipeline.predict(passengers)
    names = []
    read = ObjectStore.read

    def noted(objects: ObjectStore, name: str) -> bytes | None:
        if objects.uri == pipeline.store.uri:  # a service of other tests looks at its own store
            names.append(name)
        return read(objects, name)

    monkeypatch.setattr(ObjectStore, "read", noted)
    pd.testing.assert_frame_equal(pipeline.predict(passengers), first)
    assert names == ["aliases/champion/000001.json"]


def test_a_promotion_between_two_reads_mixes_no_two_versions(pipeline, quick, worse, monkeypatch):
    """Another process promotes while a version is being loaded: what was resolved counts."""
    champion = pipeline.store.champion.version
    expected = pipeline.evaluate(str(TRAIN)).to_dict()
    fresh = TitanicPipeline(f"store.uri={pipeline.store.uri}", *quick)
    read = ModelVersion.read

    def promoted_meanwhile(version: ModelVersion, file: str) -> bytes:
        if pipeline.store.champion.version == champion:
            pipeline.models.promote(worse.name, force=True)
        return read(version, file)

    monkeypatch.setattr(ModelVersion, "read", promoted_meanwhile)
    assert fresh.evaluate(str(TRAIN)).to_dict() == expected
    assert fresh.store.champion.version == worse.name
    assert fresh.explain(5, TRAIN, champion).version == champion
    assert fresh.evaluate(str(TRAIN)).version == worse.name  # the next call sees the new champion
    assert fresh.predict(str(TEST)).attrs["version"] == worse.name


@pytest.mark.system
@pytest.mark.usefixtures("unmeasured", "undrawn")
def test_the_settings_of_a_version_train_the_same_model_again(pipeline, store, quick, dataset):
    other = TitanicPipeline(f"store.uri={store}", *quick[:2], "seed=3", "n_jobs=1")
    again = TitanicPipeline(f"store.uri={store}", *quick[1:2], "n_jobs=1").like("champion")
    first, s = pipeline.store.open("champion"), again.settings
    assert s.selection == pipeline.settings.selection != other.settings.selection
    assert (s.seed, list(s.estimator)) == (0, list(pipeline.settings.estimator))
    assert (s.data.uri, s.store.uri) == (str(TRAIN), str(store))
    training = again.train()
    second = pipeline.store.open(training.version)
    assert second.manifest.metrics == first.manifest.metrics
    models = [version.model.predict_proba(dataset.X) for version in (first, second)]
    assert np.array_equal(*models)
    assert second.manifest.settings == first.manifest.settings | {
        key: second.manifest.settings[key] for key in ("scratch", "store", "monitoring")
    }
    without = TitanicPipeline(f"store.uri={store}", *quick, "~estimator.majority")
    assert list(without.like("champion").settings.estimator) == [
        "one_column",
        "logistic_regression",
    ]
    assert other.like("champion").settings.seed == 3  # what is overridden stays so
    assert other.settings.selection.repeats == 3  # and a pipeline is not changed by it


@pytest.mark.usefixtures("unmeasured")
def test_like_a_version_on_another_table_is_refused_unless_it_is_named(
    pipeline, store, quick, computed, passengers, tmp_path
):
    table = tmp_path / "mine.csv"
    passengers.to_csv(table, index=False)
    first = TitanicPipeline(f"store.uri={store}", *quick).train(table)
    passengers.assign(Fare=passengers["Fare"] + 1).to_csv(table, index=False)
    like = TitanicPipeline(f"store.uri={store}", quick[1]).like(first.version)
    assert like.settings.data.uri == str(table)
    told = f"mine.csv is not the table that {first.version} was trained on .*; name the table to"
    with pytest.raises(DataError, match=told):
        like.train()
    assert like.train(table).version
    named = TitanicPipeline(f"store.uri={store}", quick[1], f"data.uri={table}")
    assert named.like(first.version).train().version


@pytest.mark.parametrize("uri", ["the table", "-", "postgresql://ann:***@host/db?table=t"])
def test_like_a_version_whose_table_has_no_address_any_more_takes_todays(
    pipeline, add_version, uri
):
    manifest = pipeline.store.open("champion").manifest
    version = add_version(
        data=replace(manifest.data, uri=uri), settings={**manifest.settings, "data": {"uri": uri}}
    )
    assert pipeline.like(version.name).settings.data == pipeline.settings.data


def test_like_a_version_of_other_settings_is_reported(pipeline, add_version):
    settings = pipeline.store.open("champion").manifest.settings
    version = add_version(settings={**settings, "colour": "red"})
    with pytest.raises(SettingsError, match="settings of that version can't be used: .*colour"):
        pipeline.like(version.name)


def test_a_version_keeps_its_settings_without_secrets(tmp_path, quick, computed):
    predictions = "postgresql://ann:s3cret@host/db?table=t"
    words = f"store.uri={tmp_path}", "store.signing_key=s3cret key", *quick
    pipeline = TitanicPipeline(*words, f"predictions.uri={predictions}")
    assert pipeline.settings.predictions.uri == predictions and "s3cret" not in repr(pipeline)
    version = pipeline.store.open(pipeline.train().version)
    for file in ("manifest.json", *version.manifest.files):
        assert b"s3cret" not in version.objects.read(f"{version.name}/{file}"), file
    kept = version.manifest.settings
    assert kept["predictions"]["uri"] == "postgresql://ann:***@host/db?table=t"
    assert kept["store"]["signing_key"] is None
    with pytest.raises(ModelRefused, match="its signature is not by store.signing_key"):
        TitanicPipeline(words[0], "store.signing_key=another").predict(str(TEST))


def test_rows_without_a_target_are_counted_in_a_warning(passengers, spec, caplog):
    target = replace(spec.columns["Survived"], nullable=True)
    nullable = replace(spec, columns={**spec.columns, "Survived": target})
    frame = passengers.astype({"Survived": "float64"})
    assert len(validated(frame, nullable, "t.csv")) == 891 and caplog.text == ""
    frame.loc[:2, "Survived"] = None
    assert len(validated(frame, nullable, "t.csv")) == 888
    assert "t.csv: 3 rows without Survived are left out" in caplog.text
