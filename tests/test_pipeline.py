"""The pipeline: from a table to a chosen, kept and promoted model, and to answers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd
import pyarrow
import pytest

from titanic_ml import TitanicPipeline
from titanic_ml.errors import (
    DataError,
    ModelNotFound,
    ModelRefused,
    SettingsError,
)
from titanic_ml.registry.signatures import sealed

ROOT = Path(__file__).parents[1]
TRAIN, TEST = (ROOT / "data" / f"{name}.csv" for name in ("train", "test"))


def test_a_wrong_setting_is_reported_before_anything_is_done():
    with pytest.raises(SettingsError, match="did you mean seed"):
        TitanicPipeline("seeds=1")


@pytest.mark.parametrize("method", ["predict", "evaluate"])
def test_a_version_and_an_alias_may_be_named(pipeline, worse, method):
    champion = pipeline.store.champion.version
    call = getattr(pipeline, method)
    assert repr(call(str(TRAIN), "champion")) == repr(call(str(TRAIN), champion))
    assert repr(call(str(TRAIN), "champion")) != repr(call(str(TRAIN), "latest"))
    assert repr(call(str(TRAIN), "latest")) == repr(call(str(TRAIN), worse.name))
    with pytest.raises(ModelNotFound, match="no model nope"):
        call(str(TRAIN), "nope")


def test_a_passenger_may_be_a_dict_but_not_none(pipeline, passengers):
    row = passengers.drop(columns="Survived").iloc[4]
    expected = pipeline.predict(passengers.iloc[[4]], probability=True)
    for one in (
        row,
        row.to_dict(),
        [row.to_dict()],
        pyarrow.table({k: [v] for k, v in row.items()}),
    ):
        pd.testing.assert_frame_equal(pipeline.predict(one, probability=True), expected)
    with pytest.raises(DataError, match="found an object of the type NoneType, expected"):
        pipeline.predict(None)


@pytest.mark.system
@pytest.mark.usefixtures("unmeasured")
def test_many_threads_may_ask_one_pipeline(pipeline, passengers):
    """All at once load the version: each gets the predictions that it would get alone."""
    fresh = TitanicPipeline(f"store.uri={pipeline.store.uri}", "evaluation.resamples=20")
    asks = [
        lambda: fresh.predict(passengers, probability=True)["probability"].tolist(),
        lambda: fresh.evaluate(passengers).to_dict(),
        lambda: fresh.explain(5, passengers).to_dict(),
    ]
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda ask: ask(), asks * 5))
    alone = [ask() for ask in asks]
    assert all(found[start : start + 3] == alone for start in range(0, 15, 3))


def outcome(words: list[str]) -> list:
    """Metrics of a training with these settings, and predictions of its model."""
    pipeline = TitanicPipeline(*words)
    training = pipeline.train()
    scores = training.selection.table.drop(columns="fit_seconds").to_dict("index")
    predictions = pipeline.predict(TEST, training.version, probability=True)
    return [training.to_dict()["metrics"], scores, predictions["probability"].tolist()]


RUN = """
import json, sys
from test_pipeline import outcome
print(json.dumps(outcome(sys.argv[1:])))
"""


@pytest.mark.system
@pytest.mark.usefixtures("unmeasured")
def test_the_same_seed_gives_the_same_predictions_in_any_process_with_any_n_jobs(
    tmp_path, passengers
):
    """All but the seed and the settings differ: the process, its hash seed and the workers."""
    passengers.head(300).to_csv(tmp_path / "train.csv", index=False)

    def words(n_jobs: int) -> list[str]:
        return [
            *(f"data.uri={tmp_path / 'train.csv'}", "selection.repeats=1", "selection.folds=2"),
            *("selection.inner_folds=2", "evaluation.resamples=20", "seed=3", f"n_jobs={n_jobs}"),
            "estimator=[logistic_regression,random_forest,gradient_boosting]",
            "estimator.random_forest.estimator.n_estimators=10",
            "estimator.gradient_boosting.estimator.max_iter=10",
            *(f"{key}={tmp_path / key / str(n_jobs)}" for key in ("store.uri", "scratch")),
        ]

    path = os.pathsep.join([str(ROOT), str(Path(__file__).parent)])
    done = subprocess.run(
        [sys.executable, "-c", RUN, *words(n_jobs=2)],
        env={**os.environ, "PYTHONPATH": path, "PYTHONHASHSEED": "1"},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == json.loads(json.dumps(outcome(words(n_jobs=1))))


def test_a_path_is_as_good_as_its_name(pipeline):
    by_path, by_name = (pipeline.predict(kind(TEST)) for kind in (Path, str))
    pd.testing.assert_frame_equal(by_path, by_name)


@pytest.mark.parametrize("id", [1, 3, 5, 258, 760, 892])  # the last one is of the other table
def test_all_methods_give_the_same_probability(pipeline, passengers, id):
    table = pd.concat([passengers.drop(columns="Survived"), pd.read_csv(TEST)])
    predicted = pipeline.predict(table, probability=True).set_index("PassengerId")["probability"]
    frame = table[table["PassengerId"] == id].astype("object")
    row = frame.where(frame.notna(), None).to_dict("records")[0]
    found = [
        pipeline.predict(frame, probability=True)["probability"].item(),
        pipeline.predict_one(row)["probability"],
        pipeline.online.predict_each([row, row])[1]["probability"],
        pipeline.online.predict_rows([row])[0]["probability"],
        pipeline.explain(id, table).probability,
        pipeline.explain_one(row).probability,
    ]
    assert found == [predicted[id]] * len(found)


def test_a_version_of_another_scikit_learn_is_loaded_where_that_is_allowed_with_a_warning(
    pipeline, store, quick, tmp_path
):
    name = pipeline.store.champion.version
    path = store / name / "manifest.json"
    values = json.loads(path.read_text())
    values["libraries"]["scikit-learn"] = "0.24.1"
    del values["digest"], values["signature"]
    path.write_bytes(sealed(values, None))
    with pytest.raises(ModelRefused, match="made with scikit-learn 0.24.1.*or allow the mismatch"):
        pipeline.predict(str(TEST))
    lenient = TitanicPipeline(f"store.uri={store}", *quick, allow_mismatch=True)
    words = f"{name} was made with scikit-learn 0.24.1, but here is"
    assert words in lenient.predict(str(TEST)).attrs["warning"]
    for answer in (
        lenient.evaluate(str(TRAIN)),
        lenient.explain(5, TRAIN),
        lenient.predict_into(tmp_path / "out.csv", str(TEST)),
    ):
        assert words in answer.warning and f"WARNING: {words}" in repr(answer)
        assert words in answer.to_dict()["warning"]


def test_a_table_of_ones_own_is_drafted_and_used(tmp_path, monkeypatch, passengers):
    monkeypatch.chdir(tmp_path)
    columns = ["PassengerId", "Pclass", "Sex", "Survived"]
    passengers[columns].to_csv("few.csv", index=False)
    found = TitanicPipeline.draft_dataset(tmp_path / "few.csv", "Survived", name="drafted")
    assert (found.name, found.path) == ("drafted", "conf/dataset/drafted.yaml")
    spec = TitanicPipeline("dataset=drafted").spec
    assert (spec.id, spec.target, list(spec.columns)) == ("PassengerId", "Survived", columns)
    with pytest.raises(SettingsError, match="exists"):
        TitanicPipeline.draft_dataset("few.csv", "Survived", name="drafted")
