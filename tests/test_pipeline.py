"""The pipeline: from a table to a chosen, kept and promoted model, and to answers."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pyarrow
import pytest
from sklearn.base import clone

from titanic_ml import TitanicPipeline
from titanic_ml.dataset.dataset import Dataset
from titanic_ml.errors import (
    DataError,
    InvalidTable,
    ModelError,
    ModelNotFound,
    ModelRefused,
    PromotionRefused,
    SettingsError,
    StoreUnusable,
)
from titanic_ml.registry.signatures import sealed
from titanic_ml.registry.store import ModelStore
from titanic_ml.registry.version import ModelVersion
from titanic_ml.storage.objects import Objects

ROOT = Path(__file__).parents[1]
TRAIN, TEST = (ROOT / "data" / f"{name}.csv" for name in ("train", "test"))


@pytest.mark.usefixtures("unmeasured")
def test_training_evaluating_and_predicting_return_values_and_print_nothing(
    tmp_path, quick, trained, capfd
):
    pipeline = TitanicPipeline(f"store.uri={tmp_path / 'models'}", *quick)
    told = []
    training = pipeline.train(progress=lambda *work: told.append(work))
    evaluation = pipeline.evaluate()
    predictions = pipeline.predict(str(TEST))
    assert capfd.readouterr() == ("", "")
    assert [work[:2] for work in told] == sorted(work[:2] for work in told)
    assert told[0][:2] == (0, 21) and told[-1][:2] == (21, 21)  # 3 × 3 folds, 3 × 2 grouped, 3 × 2
    assert list(dict.fromkeys(stage for *_, stage in told)) == [
        *("comparing candidates", "estimating for unseen groups"),
        *("inspecting", "measuring"),
    ]
    assert repr(pipeline) == (
        f"TitanicPipeline(env='local', dataset='titanic', data='{TRAIN}', "
        f"store='{tmp_path / 'models'}', seed=0)"
    )
    for words in ("Candidate", "<- chosen", "Out of fold", training.version, "is the new champion"):
        assert words in repr(training)
    assert "891 rows, 342 of class 1" in repr(evaluation)
    assert list(predictions) == ["PassengerId", "Survived"]
    assert len(predictions) == 418
    assert set(predictions["Survived"]) == {0, 1}
    assert evaluation.version == predictions.attrs["version"] == training.version
    assert json.loads(json.dumps(training.to_dict()))["promoted"] is True
    assert json.loads(json.dumps(evaluation.to_dict()))["rows"] == 891
    ours, theirs = (ModelStore(str(uri)).open("champion") for uri in (pipeline.store.uri, trained))
    assert ours.manifest.metrics == theirs.manifest.metrics  # another run of the same settings


def test_a_wrong_setting_is_told_before_anything_is_done():
    with pytest.raises(SettingsError, match="did you mean seed"):
        TitanicPipeline("seeds=1")


@pytest.mark.usefixtures("unmeasured")
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


@pytest.mark.parametrize("probability", [False, True])
def test_the_answer_is_in_the_order_of_the_input(pipeline, passengers, probability):
    shuffled = passengers.drop(columns="Survived").sample(frac=1, random_state=1)
    before = shuffled.copy()
    answer = pipeline.predict(shuffled, probability=probability)
    pd.testing.assert_frame_equal(shuffled, before)
    assert list(answer["PassengerId"]) == list(shuffled["PassengerId"])
    assert list(answer) == ["PassengerId", "Survived"] + ["probability"] * probability
    inorder = pipeline.predict(passengers, probability=probability).set_index("PassengerId")
    pd.testing.assert_frame_equal(answer.set_index("PassengerId").sort_index(), inorder)


@pytest.mark.parametrize("target", [0, 1, None, "nonsense", -7])
def test_the_target_in_the_table_to_predict_is_not_looked_at(pipeline, passengers, target):
    expected = pipeline.predict(passengers.drop(columns="Survived"), probability=True)
    answer = pipeline.predict(passengers.assign(Survived=target), probability=True)
    pd.testing.assert_frame_equal(answer, expected)


def test_a_probability_is_a_class_by_the_threshold_of_the_version(pipeline):
    answer = pipeline.predict(str(TEST), probability=True)
    threshold = pipeline.store.open("champion").threshold
    assert answer["probability"].between(0, 1).all()
    assert (answer["Survived"] == (answer["probability"] >= threshold)).all()


@pytest.mark.parametrize("method", ["predict", "evaluate"])
def test_a_version_and_an_alias_may_be_named(pipeline, worse, method):
    champion = pipeline.store.champion.version
    call = getattr(pipeline, method)
    assert repr(call(str(TRAIN), "champion")) == repr(call(str(TRAIN), champion))
    assert repr(call(str(TRAIN), "champion")) != repr(call(str(TRAIN), "latest"))
    assert repr(call(str(TRAIN), "latest")) == repr(call(str(TRAIN), worse.name))
    with pytest.raises(ModelNotFound, match="no model nope"):
        call(str(TRAIN), "nope")


def test_a_version_that_was_loaded_is_kept_and_only_the_alias_is_read_again(
    pipeline, passengers, monkeypatch
):
    first = pipeline.predict(passengers)
    names = []
    read = Objects.read

    def noted(objects: Objects, name: str) -> bytes | None:
        names.append(name)
        return read(objects, name)

    monkeypatch.setattr(Objects, "read", noted)
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
            pipeline.promote(worse.name, force=True)
        return read(version, file)

    monkeypatch.setattr(ModelVersion, "read", promoted_meanwhile)
    assert fresh.evaluate(str(TRAIN)).to_dict() == expected
    assert fresh.store.champion.version == worse.name
    assert fresh.explain(5, TRAIN, champion).version == champion
    assert fresh.evaluate(str(TRAIN)).version == worse.name  # the next call sees the new champion
    assert fresh.predict(str(TEST)).attrs["version"] == worse.name


def test_a_passenger_may_be_a_dict_and_none_is_nobody(pipeline, passengers):
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


def test_the_specification_of_a_version_is_that_of_its_training(pipeline, passengers):
    """Loosening the settings afterwards does not let a table past an older model."""
    loose = TitanicPipeline(f"store.uri={pipeline.store.uri}", "dataset.columns.Age.maximum=1000")
    with pytest.raises(InvalidTable, match="at most 120"):
        loose.predict(passengers.assign(Age=500.0))


@pytest.mark.parametrize(
    ("changes", "seen"),
    [
        (lambda f: {}, 891),
        (lambda f: {"Fare": f["Fare"].astype("float32"), "Age": f["Age"].astype("float32")}, 891),
        (lambda f: {"Age": f["Age"].fillna(30.0)}, 891),  # cleaned: the ids tell
        (lambda f: {"PassengerId": f["PassengerId"] + 5000}, 891),  # numbered anew: the rest tells
        (lambda f: {"Ticket": f["Ticket"].str.lower() + " ", "PassengerId": f.index + 5000}, 891),
        (lambda f: {"Survived": 1 - f["Survived"], "Fare": f["Fare"] + 1}, 0),
        (lambda f: {"Fare": f["Fare"] + 1, "PassengerId": f["PassengerId"] + 5000}, 0),
        (lambda f: {"Fare": f["Fare"] + 1, "PassengerId": f["PassengerId"] + 791}, 53),  # by chance
    ],
)
def test_rows_that_the_model_was_trained_on_are_counted(pipeline, passengers, changes, seen):
    evaluation = pipeline.evaluate(passengers.assign(**changes(passengers)))
    assert evaluation.seen == seen
    assert ("WARNING" in repr(evaluation)) == bool(seen)


def test_an_evaluation_is_of_the_champion_on_the_table_given(pipeline, passengers):
    half = passengers.iloc[:400]
    answer = pipeline.predict(half)
    evaluation = pipeline.evaluate(half)
    hits = (answer["Survived"] == half["Survived"]).mean()
    assert evaluation.estimates["accuracy"].value == pytest.approx(hits)
    assert evaluation.rows == 400


def test_the_first_version_becomes_the_champion(trained):
    history = TitanicPipeline(f"store.uri={trained}").store.champion.history()
    assert [entry.why for entry in history] == ["the first champion"]


@pytest.fixture
def out_of_fold(pipeline) -> pd.DataFrame:
    """The out-of-fold table of the champion."""
    return pipeline.store.open("champion").out_of_fold.copy()


def test_a_better_version_becomes_the_champion(pipeline, add_version, out_of_fold):
    better = 0.9 * out_of_fold["repeat_1"] + 0.1 * out_of_fold["y"]
    version = add_version(out_of_fold.assign(repeat_1=better))
    why = pipeline.promote()
    assert "against the champion's" in why and "on 891 rows" in why
    assert pipeline.store.champion.version == version.name
    assert pipeline.store.champion.history()[-1].why == why


def test_a_version_that_is_worse_is_kept_but_not_promoted(pipeline, quick, passengers):
    champion = pipeline.store.champion.version
    words = f"store.uri={pipeline.store.uri}", *quick
    training = TitanicPipeline(*words, "estimator=majority").train(passengers.head(300))
    assert not training.promoted
    assert "which is more than the margin of 0.005" in training.why
    assert f"{training.version} did not become the champion: {training.why}" in repr(training)
    assert pipeline.store.champion.version == champion
    assert pipeline.store.latest == training.version
    assert training.version in pipeline.store.names()
    with pytest.raises(PromotionRefused, match="more than the margin"):
        pipeline.promote("latest")


def test_a_version_that_is_worse_within_the_margin_becomes_the_champion(pipeline, worse):
    loose = TitanicPipeline(f"store.uri={pipeline.store.uri}", "promotion.margin=10")
    assert "margin 10" in loose.promote(worse.name)
    assert pipeline.store.champion.version == worse.name


def test_an_equal_version_becomes_the_champion_without_any_margin(pipeline, add_version):
    equal = add_version()
    strict = TitanicPipeline(f"store.uri={pipeline.store.uri}", "promotion.margin=0")
    strict.promote()
    assert pipeline.store.champion.version == equal.name


def test_versions_without_a_row_in_common_are_not_compared(pipeline, add_version, out_of_fold):
    add_version(out_of_fold.assign(row=out_of_fold["row"] ^ 1, id=out_of_fold["id"] + 5000))
    with pytest.raises(PromotionRefused, match="no rows in common with .*--force"):
        pipeline.promote()


def test_versions_are_compared_on_the_rows_in_common_alone(pipeline, add_version, out_of_fold):
    rest = out_of_fold.iloc[600:].assign(repeat_1=0.5)  # of others
    add_version(
        pd.concat([out_of_fold.iloc[:600], rest.assign(row=rest["row"] ^ 1, id=rest["id"] + 5000)])
    )
    assert "on 600 rows" in pipeline.promote()


def test_force_skips_the_gate_and_the_history_says_so(pipeline, worse):
    assert pipeline.promote(worse.name, force=True) == "forced"
    entry = pipeline.store.champion.history()[-1]
    assert (entry.version, entry.why) == (worse.name, "forced")


def test_the_champion_may_be_promoted_again(pipeline):
    assert pipeline.promote("champion") == "it was the champion already"


def test_what_is_not_there_is_not_promoted(pipeline):
    before = pipeline.store.champion.history()
    for force in (False, True):
        with pytest.raises(ModelNotFound):
            pipeline.promote("nope", force)
    assert pipeline.store.champion.history() == before


def outcome(words: list[str]) -> list:
    """What a training with these settings measures, and what its model predicts."""
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


def test_the_parts_of_an_explanation_sum_to_the_probability(pipeline):
    told = pipeline.explain(5)
    assert told.subject == "PassengerId 5" and told.outcome == "Survived" and not told.warning
    total = told.base + sum(part.contribution for part in told.contributions)
    assert total == pytest.approx(told.probability, abs=2e-9)
    features = {name for part in told.contributions for name in part.features}
    assert {"title", "log_fare", "booking_men"} <= features
    assert pipeline.explain("5").to_dict() == told.to_dict()


@pytest.mark.parametrize("id", [1, 3, 5, 258, 760, 892])  # the last one is of the other table
def test_all_methods_give_the_same_probability(pipeline, passengers, id):
    table = pd.concat([passengers.drop(columns="Survived"), pd.read_csv(TEST)])
    predicted = pipeline.predict(table, probability=True).set_index("PassengerId")["probability"]
    frame = table[table["PassengerId"] == id].astype("object")
    row = frame.where(frame.notna(), None).to_dict("records")[0]
    found = [
        pipeline.predict(frame, probability=True)["probability"].item(),
        pipeline.predict_one(row)["probability"],
        pipeline.predict_each([row, row])[1]["probability"],
        pipeline.predict_rows([row])[0]["probability"],
        pipeline.explain(id, table).probability,
        pipeline.explain_one(row).probability,
    ]
    assert found == [predicted[id]] * len(found)


def test_predictions_of_training_rows_ignore_their_own_outcome(pipeline, passengers):
    """Train twice, with one outcome flipped: only the estimator knows, the features do not."""
    version = pipeline.store.open("champion")
    flipped = passengers.assign(Survived=passengers["Survived"].where(passengers.index != 257, 0))
    assert flipped["Survived"][257] != passengers["Survived"][257]
    features = []
    for table in (passengers, flipped):
        dataset = Dataset.from_frame(table, version.spec, "a table")
        fitted = clone(version.model[0]).fit(dataset.X, dataset.y)
        features.append(fitted.transform(dataset.X.iloc[[257]]))
    pd.testing.assert_frame_equal(*features, check_exact=True)


def test_the_base_of_explanations_is_the_mean_prediction_for_the_training_rows(
    pipeline, passengers
):
    mean = pipeline.predict(passengers, probability=True)["probability"].mean()
    assert pipeline.explain(892, TEST).base == pytest.approx(mean, abs=0.005)
    assert "the mean over the training rows is" in repr(pipeline.explain(892, TEST))


@pytest.mark.parametrize("target", ["perhaps", None, 1])
def test_a_target_is_not_looked_at_where_a_row_is_explained(pipeline, passengers, target):
    plain = pipeline.explain(5).to_dict()
    assert pipeline.explain(5, passengers.assign(Survived=target)).to_dict() == plain
    assert pipeline.explain(5, passengers.drop(columns="Survived")).to_dict() == plain


def test_a_row_without_answer_is_explained(pipeline):
    told = pipeline.explain(892, TEST)
    assert not told.warning
    answer = pipeline.predict(TEST, probability=True)["probability"][0]
    assert told.probability == pytest.approx(answer, abs=1e-9)


def test_a_row_that_is_not_there_is_no_row(pipeline, passengers):
    with pytest.raises(DataError, match=r"train\.csv has no PassengerId 7777; name one of"):
        pipeline.explain(7777)
    with pytest.raises(DataError, match="the table has no PassengerId 5"):
        pipeline.explain(5, passengers.head(3))


def test_monitor_compares_a_log_by_what_was_answered(pipeline, test_frame):
    version = pipeline.store.resolve("champion")
    log = test_frame.assign(
        model_version=version, predicted_at=pd.Timestamp("2026-11-20", tz="UTC")
    )
    log["probability"] = pipeline.predict(test_frame, probability=True)["probability"]
    found = pipeline.monitor(log)
    assert not found.alarm and found.version == version and found.drift.rows == 418
    assert "no drift in 418 rows" in repr(found)
    computed = pipeline.monitor(test_frame)  # the same, where nobody says what was answered
    assert repr(computed) == repr(found)
    surer = pipeline.monitor(log.assign(probability=log["probability"] ** 3))
    assert [column.name for column in surer.drift.drifted] == ["probability"]
    other = pipeline.monitor(log.assign(model_version="another"))
    assert "probability" not in [column.name for column in other.drift.columns]
    assert pipeline.monitor(log, since="2026-11-21").drift.rows == 0


def test_monitor_looks_at_rows_with_a_fault_too(pipeline, test_frame):
    bad = test_frame.astype("object")
    for row, (name, value) in enumerate([("Name", "nobody"), ("Sex", "x"), ("Pclass", "9")]):
        bad.loc[row, name] = value
    bad.loc[3, "Ticket"] = None
    found = pipeline.monitor(bad)
    assert found.invalid == 4 and found.drift.rows == 418 and not found.alarm
    assert "rows with a fault: 4" in repr(found)
    nobody = pipeline.monitor(bad.assign(Sex="x"))
    assert nobody.invalid == 418 and [c.name for c in nobody.drift.drifted] == ["Sex"]


def test_monitor_leaves_rows_of_the_training_out_of_the_probability(pipeline, passengers):
    found = pipeline.monitor(passengers)
    assert found.known == 891 and not found.alarm
    assert "probability" not in [column.name for column in found.drift.columns]
    with pytest.raises(DataError, match="0 outcomes of rows that .* expected some of both classes"):
        pipeline.monitor(passengers, labels=passengers)


def test_monitor_measures_again_where_outcomes_are_known(pipeline, passengers):
    later = passengers.assign(PassengerId=passengers["PassengerId"] + 5000)
    later["Fare"] = later["Fare"] + 0.5  # others than those of the training
    fine = pipeline.monitor(later, labels=later[["PassengerId", "Survived"]])
    assert fine.performance.now.rows == 891 and not fine.performance.worse
    wrong = later.assign(Survived=1 - later["Survived"])
    found = pipeline.monitor(later, labels=wrong[["PassengerId", "Survived"]])
    assert found.alarm and found.performance.worse and "worse, by more than chance" in repr(found)


def test_monitor_needs_a_version_with_a_profile(pipeline, add_version, test_frame):
    with pytest.raises(ModelError, match="was trained before profiles were kept; train anew"):
        pipeline.monitor(test_frame, model=add_version().name)


@pytest.mark.usefixtures("unmeasured")
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


def test_like_a_version_of_other_settings_is_told(pipeline, add_version):
    settings = pipeline.store.open("champion").manifest.settings
    version = add_version(settings={**settings, "colour": "red"})
    with pytest.raises(SettingsError, match="settings of that version can't be used: .*colour"):
        pipeline.like(version.name)


def test_a_version_keeps_its_settings_without_secrets(tmp_path, quick, computed):
    predictions = "postgresql://ann:s3cret@host/db?table=t"
    words = f"store.uri={tmp_path}", "store.signing_key=s3cret key", *quick
    pipeline = TitanicPipeline(*words, f"predictions.uri={predictions}")
    assert pipeline.output == predictions and "s3cret" not in repr(pipeline)
    version = pipeline.store.open(pipeline.train().version)
    for file in ("manifest.json", *version.manifest.files):
        assert b"s3cret" not in version.objects.read(f"{version.name}/{file}"), file
    kept = version.manifest.settings
    assert kept["predictions"]["uri"] == "postgresql://ann:***@host/db?table=t"
    assert kept["store"]["signing_key"] is None
    with pytest.raises(ModelRefused, match="its signature is not by store.signing_key"):
        TitanicPipeline(words[0], "store.signing_key=another").predict(str(TEST))


def test_predictions_without_a_place_are_told(quick):
    with pytest.raises(SettingsError, match="no output: name one .--output., or set predictions"):
        TitanicPipeline(*quick, "predictions.uri=null").output
    with pytest.raises(SettingsError, match="no input: name a table, or set predictions.input"):
        TitanicPipeline(*quick, "predictions.input=null").input


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
    assert pipeline.promote(training.version, force=True) == "forced"
    assert len(pipeline.predict(str(TEST))) == 418


def test_a_damaged_history_or_store_is_told_before_the_work(pipeline, store, monkeypatch):
    monkeypatch.setattr(TitanicPipeline, "_choose", lambda *words: 1 / 0)
    before = sorted(store.iterdir())
    (store / "aliases" / "champion" / "000002.json").write_text("{")
    with pytest.raises(ModelRefused, match="000002.json: damaged"):
        pipeline.train()
    assert sorted(store.iterdir()) == before
    (store / "champion.json").write_text("{}")
    with pytest.raises(StoreUnusable, match="earlier layout"):
        pipeline.train()


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


def test_a_training_of_an_id_is_done_once_whenever_it_broke_off(
    tmp_path, quick, computed, monkeypatch
):
    pipeline = TitanicPipeline(f"store.uri={tmp_path / 'models'}", *quick)

    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(TitanicPipeline, "_promote", killed)  # the version is kept, and no more
        with pytest.raises(KeyboardInterrupt):
            pipeline.train_once("nightly@1")
    (version,) = pipeline.store.names()
    assert pipeline.store.champion.version is None

    waiting = pipeline.train_once("nightly@1", promote=False)
    assert (waiting.version, waiting.promoted) == (version, False)
    assert "The training nightly@1 was done before, and is not repeated" in repr(waiting)
    assert f"{version} did not become the champion: that was not asked for" in repr(waiting)
    done = pipeline.train_once("nightly@1")
    assert (done.version, done.promoted, done.why) == (version, True, "the first champion")
    again = pipeline.train_once("nightly@1").to_dict()
    assert again == done.to_dict() and len(pipeline.store.champion.history()) == 1
    assert again["metrics"] == pipeline.evaluate().to_dict()["estimates"]
    with monkeypatch.context() as patch:  # it broke off before MLflow was told of the champion
        told = []
        queue = SimpleNamespace(add=lambda *words: told.append(words), send=lambda: None)
        patch.setattr(TitanicPipeline, "_tracking", lambda self: queue)
        pipeline.train_once("nightly@1")
        assert told == [(version,), (version, "champion")]
    assert pipeline.store.names() == [version]

    other = pipeline.train_once("nightly@2", promote=False)
    assert len(pipeline.store.names()) == 2 and not other.promoted
    assert other.to_dict().keys() == again.keys()
    with pytest.raises(SettingsError, match="run id 'a b': expected 1 to 100 letters"):
        pipeline.train_once("a b")


def test_a_table_in_memory_is_checked_too(pipeline, passengers):
    assert repr(pipeline.validate(passengers)) == "the table: 891 rows, with target, all right"
    assert pipeline.validate(passengers.drop(columns="Survived")).faults == []
    assert len(pipeline.validate(passengers.drop(columns="Survived"), True).faults) == 1
    assert pipeline.validate().rows == 891


def test_rows_asked_together_get_what_each_gets_alone(pipeline, passengers):
    rows = passengers.drop(columns="Survived").astype(object).head(4).to_dict("records")
    alone = [pipeline.predict_one(row) for row in rows]
    assert pipeline.predict_rows(rows) == alone == pipeline.predict_each(rows)
    found = pipeline.predict_each([rows[0], rows[1] | {"Pclass": 7}])
    assert found == [alone[0], None]  # `predict_one` tells what is wrong with it
    with pytest.raises(InvalidTable, match="row 2, column Pclass"):
        pipeline.predict_rows([rows[0], rows[1] | {"Pclass": 7}])


def test_one_passenger_gets_what_the_table_says(pipeline, add_version, passengers):
    champion = pipeline.store.champion.version
    row = passengers.drop(columns="Survived").astype(object).iloc[0].to_dict()
    answer = pipeline.predict_one(row)
    table = pipeline.predict(row, probability=True)
    assert answer == table.iloc[0].to_dict() | {"model_version": champion}
    assert answer == pipeline.predict_one(row | {"Survived": "not looked at"})
    other = add_version(threshold=0.0).name
    assert pipeline.predict_one(row)["Survived"] == 0
    assert pipeline.warm("latest") == other
    assert pipeline.predict_one(row) == answer | {"Survived": 1, "model_version": other}
    with pytest.raises(
        InvalidTable, match="row 1, column Pclass: found 7, expected a whole number"
    ):
        pipeline.predict_one(row | {"Pclass": 7})
    with pytest.raises(ModelNotFound):
        pipeline.warm("nope")
    assert pipeline.predict_one(row)["model_version"] == other
