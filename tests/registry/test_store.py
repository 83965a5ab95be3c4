"""Model versions: whole or absent, checked before they are loaded."""

from __future__ import annotations

import hashlib
import json
import pickle
import re
import shutil
import stat
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import Pipeline

from titanic_ml.errors import ModelError, ModelNotFound, ModelRefused
from titanic_ml.registry import provenance
from titanic_ml.registry import store as model_store
from titanic_ml.registry.promotion import out_of_fold
from titanic_ml.registry.store import ModelStore
from titanic_ml.storage.tables import parquet

FILES = ["model.joblib", "out_of_fold.parquet"]
WRITTEN = ["baselines.joblib", "background.parquet", "evaluation.json", "manifest.json"]
WRITTEN += ["model_card.md", "report.html"]
TABLE = pd.DataFrame({"row": np.array([1, 2], dtype="uint64"), "y": [0, 1], "repeat_1": [0.2, 0.9]})
FACTS = {
    "estimator": "majority",
    "threshold": 0.5,
    "metrics": {"log_loss": [0.3, 0.2, 0.4]},
    "data": {"rows": 2},
    "settings": {"evaluation": {"confidence": 0.95}},
}


@pytest.fixture
def new(tmp_path) -> ModelStore:
    """A store in a folder that isn't there yet."""
    return ModelStore(str(tmp_path / "deep" / "models"))


def save(store: ModelStore, model: object = "a model", parent: str | None = None) -> str:
    return store.save(model, {"out_of_fold.parquet": parquet(TABLE)}, FACTS, parent)


def contents(folder: Path) -> dict[str, bytes]:
    """Every file under a folder with its bytes."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


class SideEffect:
    """Makes a file when it is unpickled."""

    def __init__(self, path: Path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_a_trained_model_comes_back(trained):
    store = ModelStore(str(trained))
    model, manifest = store.load("champion")
    assert isinstance(model, Pipeline)
    assert manifest == store.manifest("latest") == store.manifest(manifest["version"])


def test_the_manifest_holds_all_that_a_model_comes_from(trained):
    manifest = ModelStore(str(trained)).manifest("champion")
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
    for name, (value, low, high) in manifest["metrics"].items():
        assert low <= value <= high, name
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


def test_saving_makes_the_folder_and_points_latest_at_the_version(new):
    name = save(new)
    assert re.fullmatch(r"\d{8}T\d{6}\.\d{3}Z-[0-9a-f]{6}", name)
    assert new.versions() == [name]
    assert new.alias("latest").version == name
    assert new.alias("champion").version is None
    assert new.load(name)[0] == "a model"
    pd.testing.assert_frame_equal(out_of_fold(new, "latest"), TABLE)


def test_a_version_can_be_read_by_others(new):
    folder = Path(new.uri) / save(new)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o755


def test_the_parent_is_kept(new):
    first = save(new)
    assert new.manifest(save(new, parent=first))["parent"] == first


def test_versions_of_the_same_moment_are_all_kept(new, monkeypatch):
    class Clock(datetime):
        @classmethod
        def now(cls, tz=None):
            return cls(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

    monkeypatch.setattr(model_store, "datetime", Clock)
    names = [save(new) for _ in range(3)]
    assert len(set(names)) == 3
    assert new.versions() == sorted(names, reverse=True)
    assert [new.manifest(name)["version"] for name in names] == names
    assert new.alias("latest").version == names[-1]


def test_the_newest_version_is_first(new):
    names = ["20260102T000000Z-aaaaaa", "20260101T000000Z-bbbbbb", save(new)]
    for name in names[:2]:
        shutil.copytree(Path(new.uri) / names[2], Path(new.uri) / name)
    assert new.versions() == sorted(names, reverse=True)


@pytest.mark.parametrize("failing", [*FILES, "manifest.json"])
def test_a_save_that_fails_midway_leaves_the_store_as_it_was(store, monkeypatch, failing):
    writer = ModelStore(str(store))
    before = contents(store)
    write_file = model_store.write_file

    def write(path, fill):
        if path.name == failing:
            raise OSError(28, "No space left on device")
        write_file(path, fill)

    monkeypatch.setattr(model_store, "write_file", write)
    with pytest.raises(ModelError, match="models can't be written: .*No space left"):
        save(writer)
    assert contents(store) == before


def test_a_save_that_is_killed_midway_leaves_only_hidden_litter(new, monkeypatch):
    save(new)
    before = new.versions()
    monkeypatch.setattr(model_store.shutil, "rmtree", lambda *_, **__: None)
    monkeypatch.setattr(Path, "rename", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        save(new)
    monkeypatch.undo()
    litter = [path for path in Path(new.uri).iterdir() if path.name.startswith(".incoming-")]
    assert (litter[0] / "manifest.json").exists()
    assert new.versions() == before
    assert [row["version"] for row in new.summaries()] == before


def test_a_store_that_is_a_file_is_told(tmp_path):
    (tmp_path / "models").touch()
    with pytest.raises(ModelError, match="models can't be written: "):
        save(ModelStore(str(tmp_path / "models")))


@pytest.mark.parametrize("file", FILES)
def test_a_flipped_byte_is_refused_by_name_before_any_code_of_the_file_runs(new, tmp_path, file):
    made = tmp_path / "made by unpickling"
    name = save(new, SideEffect(made))
    path = Path(new.uri) / name / file
    whole = path.read_bytes()
    load = new.load if file == "model.joblib" else partial(out_of_fold, new)
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
def test_a_missing_file_is_refused_by_name(new, file):
    name = save(new)
    (Path(new.uri) / name / file).unlink()
    load = new.load if file == "model.joblib" else partial(out_of_fold, new)
    with pytest.raises(ModelRefused, match=f"{name}/{file}: missing; train anew or roll back"):
        load(name)


@pytest.mark.parametrize("damage", [b"", b"{", b"\xff", b"[]", b"7", b"{}", b'{"version": "a"}'])
def test_a_damaged_manifest_is_refused_by_name(new, damage):
    name = save(new)
    (Path(new.uri) / name / "manifest.json").write_bytes(damage)
    for call in (new.load, new.manifest, partial(out_of_fold, new), lambda _: new.summaries()):
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
    new, tmp_path, library, theirs, refused
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
            new.load(name)
    else:
        new.load(name)
    assert made.exists() != refused


def test_an_empty_store_says_how_to_train(new):
    for name in ("champion", "latest", "20260101T000000Z-aaaaaa"):
        with pytest.raises(ModelNotFound, match="holds no model; train one first: python main.py"):
            new.load(name)
    assert new.versions() == new.summaries() == []
    assert not Path(new.uri).exists()


@pytest.mark.parametrize("name", ["nope", "", ".", "..", "../models", "*", "/", "champion.json"])
def test_an_unknown_name_is_told_what_there_is(store, name):
    known = ModelStore(str(store))
    with pytest.raises(ModelNotFound) as caught:
        known.load(name)
    there = f"expected one of champion, latest, {known.versions()[0]}"
    assert str(caught.value) == f"no model {name} in {store}, {there}"


def test_a_version_outside_the_store_is_not_found(store, tmp_path):
    name = ModelStore(str(store)).versions()[0]
    shutil.copytree(store / name, tmp_path / "outside")
    for path in ("../outside", str(tmp_path / "outside"), f"{name}/../{name}"):
        with pytest.raises(ModelNotFound):
            ModelStore(str(store)).load(path)


def test_a_champion_that_was_deleted_is_not_offered(new):
    name = save(new)
    new.alias("champion").point("gone", "forced")
    with pytest.raises(ModelNotFound) as caught:
        new.load("champion")
    assert str(caught.value).endswith(f"expected one of latest, {name}")


def test_a_summary_has_what_models_list_shows(new):
    first, second = save(new, "first"), save(new, "second")
    new.alias("champion").point(first, "forced")
    rows = {row["version"]: row for row in new.summaries()}
    assert rows[first]["aliases"] == ["champion"]
    assert rows[second]["aliases"] == ["latest"]
    assert rows[first] | {"time": ""} == {
        "version": first,
        "time": "",
        "estimator": "majority",
        "log_loss": [0.3, 0.2, 0.4],
        "rows": 2,
        "aliases": ["champion"],
        "confidence": 0.95,
    }


def test_documents_are_made_from_the_manifest_with_the_name_that_the_version_gets(new, monkeypatch):
    class Clock(datetime):
        @classmethod
        def now(cls, tz=None):
            return cls(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

    monkeypatch.setattr(model_store, "datetime", Clock)

    def documents(manifest):
        return {"card.md": f"{manifest['version']} of {manifest['data']['rows']} rows".encode()}

    table = {"out_of_fold.parquet": parquet(TABLE)}
    names = [new.save("m", table, FACTS, None, documents) for _ in range(2)]
    assert names[1] == f"{names[0]}-2"
    for name in names:
        assert new.read(name, "card.md").decode() == f"{name} of 2 rows"
    with pytest.raises(ModelRefused, match="other.md: missing"):
        new.read(names[0], "other.md")
