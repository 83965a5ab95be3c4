"""From a table to a saved and announced version."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from titanic_ml import TitanicPipeline
from titanic_ml.errors import (
    ModelRefused,
    SettingsError,
)
from titanic_ml.registry.store import ModelStore
from titanic_ml.workflows import training as training_workflow
from titanic_ml.workflows.champion import Models
from titanic_ml.workflows.training import TrainingWorkflow
from titanic_ml.workflows.workspace import Workspace

ROOT = Path(__file__).parents[2]
TRAIN, TEST = (ROOT / "data" / f"{name}.csv" for name in ("train", "test"))


@pytest.mark.usefixtures("unmeasured", "undrawn")
def test_training_evaluating_and_predicting_return_values_and_print_nothing(
    tmp_path, quick, trained, capfd
):
    pipeline = TitanicPipeline(f"store.uri={tmp_path / 'models'}", *quick)
    steps = []
    training = pipeline.train(progress=lambda *work: steps.append(work))
    evaluation = pipeline.evaluate()
    predictions = pipeline.predict(str(TEST))
    assert capfd.readouterr() == ("", "")
    assert [work[:2] for work in steps] == sorted(work[:2] for work in steps)
    assert steps[0][:2] == (0, 21) and steps[-1][:2] == (
        21,
        21,
    )  # 3 × 3 folds, 3 × 2 grouped, 3 × 2
    assert list(dict.fromkeys(stage for *_, stage in steps)) == [
        *("comparing candidates", "estimating for unseen groups"),
        *("inspecting", "measuring"),
    ]
    assert repr(pipeline) == (
        f"TitanicPipeline(env='local', dataset='titanic', data='{TRAIN}', "
        f"store='{tmp_path / 'models'}', seed=0)"
    )
    for words in (
        "Candidate",
        "<- chosen",
        "Out-of-fold metrics",
        training.version,
        "is the new champion",
    ):
        assert words in repr(training)
    assert "891 rows, 342 with Survived 1" in repr(evaluation)
    assert list(predictions) == ["PassengerId", "Survived"]
    assert len(predictions) == 418
    assert set(predictions["Survived"]) == {0, 1}
    assert evaluation.version == predictions.attrs["version"] == training.version
    assert json.loads(json.dumps(training.to_dict()))["promoted"] is True
    assert json.loads(json.dumps(evaluation.to_dict()))["rows"] == 891
    ours, theirs = (ModelStore(str(uri)).open("champion") for uri in (pipeline.store.uri, trained))
    assert ours.manifest.metrics == theirs.manifest.metrics  # another run of the same settings


@pytest.mark.system
@pytest.mark.usefixtures("unmeasured", "undrawn")
def test_a_frame_gives_the_model_of_its_file_and_it_knows_the_champion_of_the_time(
    pipeline, passengers
):
    before = passengers.copy()
    training = pipeline.train(passengers)
    pd.testing.assert_frame_equal(passengers, before)
    file, frame = (
        v.manifest for v in (pipeline.store.versions()[1], pipeline.store.open("latest"))
    )
    assert frame.version == training.version and frame.parent == file.version
    assert frame.metrics == file.metrics
    assert frame.data.fingerprint == file.data.fingerprint
    assert frame.data.file_sha256 is None
    assert file.data.uri == file.settings["data"]["uri"] == str(TRAIN)
    assert frame.data.uri == frame.settings["data"]["uri"] == "the table"
    predictions = [pipeline.predict(TEST, m.version, probability=True) for m in (file, frame)]
    pd.testing.assert_frame_equal(*predictions, check_exact=True)


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        ("out_of_fold.parquet", "out_of_fold.parquet: not the file that was saved"),
        ("manifest.json", "manifest.json: damaged"),
        (None, "no model"),
    ],
)
def test_a_training_beside_a_damaged_champion_keeps_its_version_and_says_so(
    pipeline, store, computed, damage, words
):
    champion = pipeline.store.champion.version
    if damage:
        (store / champion / damage).write_bytes(b"")
    else:
        shutil.rmtree(store / champion)
    training = pipeline.train()
    assert (training.promoted, training.failed) == (False, True)
    assert words in training.why
    assert f"{training.version} is kept, but not promoted: {training.why}" in repr(training)
    assert f"`models promote {training.version}` tries again; --force skips" in repr(training)
    assert pipeline.store.champion.version == champion
    assert pipeline.store.open(training.version).faults() == []
    assert pipeline.models.promote(training.version, force=True) == "forced"
    assert len(pipeline.predict(str(TEST))) == 418


def test_a_damaged_history_is_reported_before_the_work(pipeline, store, monkeypatch):
    monkeypatch.setattr(TrainingWorkflow, "choose", lambda *words: 1 / 0)
    before = sorted(store.iterdir())
    (store / "aliases" / "champion" / "000002.json").write_text("{")
    with pytest.raises(ModelRefused, match="000002.json: damaged"):
        pipeline.train()
    assert sorted(store.iterdir()) == before


def test_a_training_of_an_id_is_done_once_whenever_it_broke_off(
    tmp_path, quick, computed, monkeypatch
):
    pipeline = TitanicPipeline(f"store.uri={tmp_path / 'models'}", *quick)

    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Models, "announce", killed)  # the version is kept, and no more
        with pytest.raises(KeyboardInterrupt):
            pipeline.train(run_id="nightly@1")
    (version,) = pipeline.store.names()
    assert pipeline.store.champion.version is None

    waiting = pipeline.train(run_id="nightly@1", promote=False)
    assert (waiting.version, waiting.promoted) == (version, False)
    assert "The training nightly@1 was done before, and is not repeated" in repr(waiting)
    assert f"{version} did not become the champion: no promotion was requested" in repr(waiting)
    done = pipeline.train(run_id="nightly@1")
    assert (done.version, done.promoted, done.why) == (version, True, "the first champion")
    again = pipeline.train(run_id="nightly@1").to_dict()
    assert again == done.to_dict() and len(pipeline.store.champion.history()) == 1
    assert again["metrics"] == pipeline.evaluate().to_dict()["estimates"]
    with monkeypatch.context() as patch:  # it was interrupted before MLflow received the champion
        sent = []
        tracking = SimpleNamespace(send=sent.append)
        patch.setattr(Workspace, "tracking", lambda self: tracking)
        pipeline.train(run_id="nightly@1")
        assert sent == [version]
    assert pipeline.store.names() == [version]

    other = pipeline.train(run_id="nightly@2", promote=False)
    assert len(pipeline.store.names()) == 2 and not other.promoted
    assert other.to_dict().keys() == again.keys()
    with pytest.raises(SettingsError, match="run id 'a b': expected 1 to 100 letters"):
        pipeline.train(run_id="a b")


def test_other_code_or_libraries_are_another_run(tmp_path, quick, dataset, monkeypatch):
    workspace = TitanicPipeline(*quick, f"scratch={tmp_path}")._workspace
    workflow = TrainingWorkflow(workspace)
    kept = workflow._checkpoint(dataset).folder
    monkeypatch.setattr(training_workflow, "source_hash", lambda: "other code")
    assert workflow._checkpoint(dataset).folder != kept
    monkeypatch.undo()
    monkeypatch.setattr(training_workflow, "libraries", lambda: {"scikit-learn": "0.1"})
    assert workflow._checkpoint(dataset).folder != kept
    monkeypatch.undo()
    assert workflow._checkpoint(dataset).folder == kept
