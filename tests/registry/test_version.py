"""What a version holds: typed, read once, and checked before any code of it runs."""

from __future__ import annotations

import hashlib
import json
import pickle
import re
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pandas as pd
import pytest
from sklearn.pipeline import Pipeline

from titanic_ml.errors import ModelRefused
from titanic_ml.registry import provenance
from titanic_ml.registry.store import ModelStore
from titanic_ml.registry.version import Contents

PARTS = {"model.joblib": "model", "out_of_fold.parquet": "out_of_fold"}
FILES = list(PARTS)
WRITTEN = ["baselines.joblib", "background.parquet", "evaluation.json", "manifest.json"]
WRITTEN += ["model_card.md", "report.html"]


class SideEffect:
    """Makes a file when it is unpickled."""

    def __init__(self, path: Path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_a_trained_model_comes_back(trained):
    store = ModelStore(str(trained))
    version = store.open("champion")
    assert isinstance(version.model, Pipeline)
    assert version == store.open("latest") == store.open(version.name) == store.versions()[0]
    assert repr(version) == f"ModelVersion({version.name}, {version.manifest.estimator})"


def test_what_is_read_is_what_was_saved(new, table, summary):
    saved = new.save(Contents("a model", {"majority": 1}, table, table), summary)
    read = new.open(saved.name)
    assert read == saved and read.manifest.metrics == summary.metrics
    assert (read.model, read.baselines) == ("a model", {"majority": 1})
    pd.testing.assert_frame_equal(read.background, table)
    pd.testing.assert_frame_equal(read.out_of_fold, table)
    assert read.model is read.model and read.out_of_fold is read.out_of_fold  # read once


def test_the_manifest_holds_all_that_a_model_comes_from(trained):
    manifest = ModelStore(str(trained)).open("champion").manifest.to_dict()
    folder = trained / manifest["version"]
    assert sorted(path.name for path in folder.iterdir()) == sorted(WRITTEN + FILES)
    assert manifest["parent"] is None
    assert datetime.fromisoformat(manifest["time"]).tzinfo is not None
    assert manifest["seed"] == manifest["settings"]["seed"] == 0
    assert set(manifest["settings"]) == {
        *("env", "seed", "n_jobs", "scratch", "data", "store", "selection"),
        *("evaluation", "promotion", "dataset", "estimator"),
    }
    assert manifest["libraries"] == provenance.libraries()
    assert {"python", "titanic_ml", "scikit-learn", "numpy"} <= set(manifest["libraries"])
    assert manifest["git"] == provenance.git_commit()
    data = manifest["data"]
    assert data["rows"] == 891
    assert re.fullmatch(r"[0-9a-f]{64}", data["sha256"])
    assert data["uri"].endswith("train.csv")
    assert data["profile"]["Age"]["missing"] == 177
    assert set(data["profile"]) == set(manifest["settings"]["dataset"]["columns"]) - {
        "PassengerId",
        "Survived",
    }
    assert manifest["threshold"] == 0.5
    for name, e in manifest["metrics"].items():
        assert e["low"] <= e["value"] <= e["high"], name
    assert {"log_loss", "roc_auc", "accuracy", "brier"} <= set(manifest["metrics"])
    assert manifest["estimator"] in manifest["candidates"]
    assert set(manifest["candidates"]) == {"majority", "one_column", "logistic_regression"}
    assert manifest["files"] == {
        name: hashlib.sha256((folder / name).read_bytes()).hexdigest()
        for name in (set(WRITTEN) | set(FILES)) - {"manifest.json"}
    }


def test_a_manifest_is_json_that_any_reader_takes(trained):
    text = (trained / ModelStore(str(trained)).resolve("latest") / "manifest.json").read_text()

    def refuse(constant):
        raise AssertionError(constant)

    json.loads(text, parse_constant=refuse)


@pytest.mark.parametrize("file", FILES)
def test_a_flipped_byte_is_refused_by_name_before_any_code_of_the_file_runs(
    new, tmp_path, file, save
):
    made = tmp_path / "made by unpickling"
    name = save(new, SideEffect(made))
    path = Path(new.uri) / name / file
    whole = path.read_bytes()
    load = lambda name: getattr(new.open(name), PARTS[file])  # noqa: E731
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(ModelRefused, match=f"{name}/{file}: not the file that was saved"):
        load(name)
    path.write_bytes(pickle.dumps([SideEffect(made)]))
    with pytest.raises(ModelRefused, match=f"{name}/{file}: not the file that was saved"):
        load(name)
    assert not made.exists()
    path.write_bytes(whole)
    load(name)
    assert made.exists() == (file == "model.joblib")


@pytest.mark.parametrize("file", FILES)
def test_a_missing_file_is_refused_by_name(new, file, save):
    name = save(new)
    (Path(new.uri) / name / file).unlink()
    load = lambda name: getattr(new.open(name), PARTS[file])  # noqa: E731
    with pytest.raises(ModelRefused, match=f"{name}/{file}: missing; train anew or roll back"):
        load(name)


@pytest.mark.parametrize("damage", [b"", b"{", b"\xff", b"[]", b"7", b"{}", b'{"version": "a"}'])
def test_a_damaged_manifest_is_refused_by_name(new, damage, save):
    name = save(new)
    (Path(new.uri) / name / "manifest.json").write_bytes(damage)
    for call in (new.open, lambda _: new.versions()):
        with pytest.raises(ModelRefused, match=f"{name}/manifest.json: damaged: .*roll back"):
            call(name)


@pytest.mark.parametrize(
    ("library", "theirs", "refused"),
    [
        ("scikit-learn", "0.24.1", True),
        ("scikit-learn", "{}.{}.99", False),
        ("titanic_ml", "99.0.0", True),
        ("numpy", "1.0.0", False),
    ],
)
def test_a_model_of_another_minor_version_is_refused_before_it_is_unpickled(
    new, tmp_path, library, theirs, refused, save
):
    made = tmp_path / "made by unpickling"
    name = save(new, SideEffect(made))
    path = Path(new.uri) / name / "manifest.json"
    manifest = json.loads(path.read_text())
    ours = manifest["libraries"][library]
    theirs = theirs.format(*ours.split("."))
    manifest["libraries"][library] = theirs
    path.write_text(json.dumps(manifest))
    if refused:
        words = f"{name} was made with {library} {theirs}, but here is {ours}; install {library}"
        with pytest.raises(ModelRefused, match=re.escape(words)):
            new.open(name).model
    else:
        assert new.open(name).model is None  # what `SideEffect` makes of itself
    assert made.exists() != refused


def test_a_version_knows_its_training_table_and_rows(trained, dataset, unlabelled):
    version = ModelStore(str(trained)).open("champion")
    assert version.is_trained_on(dataset) and version.seen(dataset).all()
    assert not version.is_trained_on(unlabelled) and not version.seen(unlabelled).any()
    half = replace(dataset, ids=dataset.ids[:9], X=dataset.X[:9], y=dataset.y[:9])
    assert not version.is_trained_on(half) and version.seen(half).all()
