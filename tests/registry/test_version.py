"""Contents of a version: typed, read once, and checked before any of its code runs."""

from __future__ import annotations

import hashlib
import json
import pickle
import re
import warnings
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pandas as pd
import pytest
from sklearn.pipeline import Pipeline

from titanic_ml.errors import ModelRefused
from titanic_ml.registry import provenance
from titanic_ml.registry.signatures import sealed
from titanic_ml.registry.store import ModelStore
from titanic_ml.registry.version import Contents

PARTS = {"model.joblib": "model", "out_of_fold.parquet": "out_of_fold"}
FILES = list(PARTS)
WRITTEN = ["baselines.joblib", "background.parquet", "evaluation.json", "figures.json"]
WRITTEN += ["manifest.json", "model_card.md", "profile.json", "report.html"]


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
    assert [version] * 3 == [store.open("latest"), store.open(version.name), *store.versions()]
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
        *("env", "seed", "n_jobs", "scratch", "data", "store", "tracking", "selection"),
        *(
            "evaluation",
            "promotion",
            "monitoring",
            "service",
            "dataset",
            "estimator",
            "predictions",
        ),
    }
    assert manifest["libraries"] == provenance.libraries()
    assert {"python", "titanic_ml", "scikit-learn", "numpy"} <= set(manifest["libraries"])
    assert manifest["git"] == provenance.git_commit()
    data = manifest["data"]
    assert data["rows"] == 891
    assert re.fullmatch(r"[0-9a-f]{64}", data["fingerprint"])
    assert data["uri"].endswith("train.csv")
    assert data["file_sha256"] == hashlib.sha256(Path(data["uri"]).read_bytes()).hexdigest()
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
    path = f"{name}/{file}"
    whole = new.objects.read(path)
    load = lambda name: getattr(new.open(name), PARTS[file])  # noqa: E731
    new.objects.replace(path, whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(ModelRefused, match=f"{name}/{file}: not the file that was saved"):
        load(name)
    new.objects.replace(path, pickle.dumps([SideEffect(made)]))
    with pytest.raises(ModelRefused, match=f"{name}/{file}: not the file that was saved"):
        load(name)
    assert not made.exists()
    new.objects.replace(path, whole)
    load(name)
    assert made.exists() == (file == "model.joblib")


@pytest.mark.parametrize("file", FILES)
def test_a_missing_file_is_refused_by_name(new, file, save):
    name = save(new)
    new.objects.delete([f"{name}/{file}"])
    load = lambda name: getattr(new.open(name), PARTS[file])  # noqa: E731
    with pytest.raises(ModelRefused, match=f"{name}/{file}: missing; train anew or roll back"):
        load(name)


@pytest.mark.parametrize("damage", [b"", b"{", b"\xff", b"[]", b"7", b"{}", b'{"version": "a"}'])
def test_a_damaged_manifest_is_refused_by_name(folder, damage, save):
    name = save(folder)
    folder.objects.replace(f"{name}/manifest.json", damage)
    with pytest.raises(ModelRefused, match=f"{name}/manifest.json: damaged: .*roll back"):
        folder.open(name)
    (refused,) = folder.versions()
    assert isinstance(refused, ModelRefused) and "damaged" in str(refused)


@pytest.mark.usefixtures("unmeasured")
def test_any_flipped_bit_of_a_manifest_is_refused(folder, save):
    name = save(folder)
    path = folder.objects.folder / name / "manifest.json"
    whole = path.read_bytes()
    for place in range(0, len(whole), 7):
        path.write_bytes(
            whole[:place] + bytes([whole[place] ^ 1 << place % 8]) + whole[place + 1 :]
        )
        with pytest.raises(ModelRefused, match=f"{name}/manifest.json: damaged: "):
            folder.open(name)
    path.write_bytes(whole)
    assert folder.open(name).manifest.threshold == 0.5


def edited(folder, name, *keys, value, key=None):
    """Set a value of the manifest, with the digest that belongs to it."""
    path = folder.objects.folder / name / "manifest.json"
    values = json.loads(path.read_text())
    del values["digest"], values["signature"]
    place = values
    for part in keys[:-1]:
        place = place[part]
    if value is None and keys[-1] in place:
        del place[keys[-1]]
    else:
        place[keys[-1]] = value
    path.write_bytes(sealed(values, key))


@pytest.mark.parametrize(
    ("keys", "value", "words"),
    [
        (("threshold",), 1.01, "its threshold is 1.01"),
        (("threshold",), "half", "threshold: .*valid number"),
        (("threshold",), None, "threshold: Field required"),
        (("metrics",), {}, "it lacks the log loss"),
        (("metrics", "log_loss"), {"value": 1, "low": 0}, "high: Field required"),
        (("metrics", "log_loss"), [1, 2, 3], "metrics.*log_loss"),
        (("settings",), {}, "damaged: 'evaluation'"),
        (("settings", "evaluation", "confidence"), 7, "it lacks the log loss, or the confidence"),
        (("data", "rows"), "many", "data.rows: .*valid integer"),
        (("libraries",), [], "libraries: .*valid dict"),
        (("files",), {"a": "b"}, "its files are a"),
        (("version",), "20260101T000000.000Z-aaaaaa", "it is the manifest of 20260101T"),
    ],
)
def test_a_manifest_that_says_what_cannot_be_is_refused(folder, save, keys, value, words):
    name = save(folder)
    edited(folder, name, *keys, value=value)
    with pytest.raises(ModelRefused, match=f"{name}/manifest.json: .*{words}") as caught:
        folder.open(name)
    assert "\n" not in str(caught.value)


def test_a_manifest_with_a_value_that_is_none_is_refused(folder, save):
    name = save(folder)
    path = folder.objects.folder / name / "manifest.json"
    path.write_text(path.read_text().replace('"threshold": 0.5', '"threshold": NaN'))
    with pytest.raises(ModelRefused, match="manifest.json: damaged: NaN is no value"):
        folder.open(name)


def test_with_a_key_only_what_it_signed_is_opened(folder, save, tmp_path):
    """A swapped model under a right hash is refused before anything of it runs."""
    signing, made = ModelStore(folder.uri, "a key"), tmp_path / "made by unpickling"
    name = save(signing)
    assert signing.open(name).model == folder.open(name).model == "a model"
    assert signing.verify().faults == []
    unsigned = save(folder, SideEffect(made))
    swapped = pickle.dumps(SideEffect(made))
    for number, key in enumerate([None, "another key"]):
        folder.objects.replace(f"{name}/model.joblib", swapped)
        digest = hashlib.sha256(swapped).hexdigest()
        edited(folder, name, "files", "model.joblib", value=digest, key=key)
        words = ["it is not signed, and store.signing_key is set", "its signature is not by store"]
        with pytest.raises(ModelRefused, match=f"{name}/manifest.json: {words[number]}"):
            signing.open(name)
        with pytest.raises(ModelRefused, match=f"{unsigned}/manifest.json: it is not signed"):
            signing.open(unsigned)
        assert len(signing.verify().faults) == 2 and not folder.verify().faults
    assert not made.exists()


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
    folder, tmp_path, library, theirs, refused, save
):
    made = tmp_path / "made by unpickling"
    name = save(folder, SideEffect(made))
    ours = provenance.libraries()[library]
    theirs = theirs.format(*ours.split("."))
    edited(folder, name, "libraries", library, value=theirs)
    if refused:
        words = f"{name} was made with {library} {theirs}, but here is {ours}; install {library}"
        with pytest.raises(ModelRefused, match=re.escape(words)):
            folder.open(name).model
    else:
        assert folder.open(name).model is None  # what `SideEffect` makes of itself
    assert made.exists() != refused


def test_a_version_knows_its_training_rows(trained, dataset, unlabelled):
    version = ModelStore(str(trained)).open("champion")
    assert version.seen(dataset).all() and not version.seen(unlabelled).any()
    half = replace(dataset, ids=dataset.ids[:9], X=dataset.X[:9], y=dataset.y[:9])
    assert version.seen(half).all()


class Fails:
    """Warns when it is unpickled, or can't be."""

    def __init__(self, error: Exception | None):
        self.error = error

    def __reduce__(self):
        return _failing, (self.error,)


def _failing(error: Exception | None) -> str:
    if error:
        raise error
    warnings.warn("made by another scikit-learn", UserWarning, stacklevel=1)
    return "a model"


def test_a_mismatch_of_scikit_learn_may_be_allowed_and_is_warned_of(folder, save):
    name, ours = save(folder, Fails(None)), provenance.libraries()["scikit-learn"]
    lenient = replace(folder, allow_mismatch=True)
    assert lenient.open(name).warning == folder.open(name).warning == ""
    edited(folder, name, "libraries", "scikit-learn", value="0.24.1")
    with pytest.raises(ModelRefused, match="train anew, or allow the mismatch"):
        folder.open(name).model
    version = lenient.open(name)
    assert version.model == "a model"  # and the warning of unpickling is not heard
    assert version.warning.startswith(
        f"{name} was made with scikit-learn 0.24.1, but here is {ours}"
    )


def test_what_another_scikit_learn_made_and_cannot_be_loaded_is_refused_by_name(folder, save):
    name = save(folder, Fails(AttributeError("no attribute _loss")))
    edited(folder, name, "libraries", "scikit-learn", value="0.24.1")
    words = f"{name}/model.joblib: it can't be loaded, for {name} was made with scikit-learn 0.24.1"
    with pytest.raises(ModelRefused, match=f"{words}.*AttributeError: no attribute _loss"):
        replace(folder, allow_mismatch=True).open(name).model


def test_a_mismatch_of_this_package_is_never_allowed(folder, save):
    name = save(folder)
    edited(folder, name, "libraries", "titanic_ml", value="99.0.0")
    with pytest.raises(ModelRefused, match="made with titanic_ml 99.0.0"):
        replace(folder, allow_mismatch=True).open(name).model


def test_a_report_in_a_bucket_is_copied_to_be_opened(bucket, folder, save):
    for store in (folder, ModelStore(bucket("models"))):
        name = save(store, documents=lambda origin: {"report.html": b"<html>"})
        version = store.open(name)
        assert version.report == store.objects.address(f"{name}/report.html")
        assert Path(version.local_report()).read_bytes() == b"<html>"
