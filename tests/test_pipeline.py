"""The pipeline: from a table to a chosen, kept and promoted model, and to answers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from titanic_ml import TitanicPipeline
from titanic_ml.errors import (
    DataError,
    InvalidTable,
    ModelNotFound,
    PromotionRefused,
    SettingsError,
)
from titanic_ml.results import Training

ROOT = Path(__file__).parents[1]
TRAIN, TEST = (ROOT / "data" / f"{name}.csv" for name in ("train", "test"))


@pytest.fixture
def pipeline(store, quick) -> TitanicPipeline:
    """A pipeline with one champion in its store."""
    return TitanicPipeline(f"store.uri={store}", *quick)


@pytest.fixture(scope="module")
def passengers() -> pd.DataFrame:
    return pd.read_csv(TRAIN)


def train(pipeline: TitanicPipeline, estimator: str, *words: str, **given) -> Training:
    """Train one candidate into the store of a pipeline."""
    s = pipeline.settings
    overrides = (
        *(f"store.uri={s.store.uri}", f"data.uri={s.data.uri}", f"estimator={estimator}"),
        *(f"scratch={s.scratch}", f"selection.significance={s.selection.significance}"),
        *("selection.repeats=1", "selection.folds=2", "selection.inner_folds=2"),
        *("evaluation.resamples=20", "n_jobs=1"),
    )
    return TitanicPipeline(*overrides, *words).train(**given)


def test_training_evaluating_and_predicting_return_values_and_print_nothing(tmp_path, quick, capfd):
    pipeline = TitanicPipeline(f"store.uri={tmp_path / 'models'}", *quick)
    training = pipeline.train()
    evaluation = pipeline.evaluate()
    answer = pipeline.predict(str(TEST))
    assert capfd.readouterr() == ("", "")
    assert repr(pipeline) == (
        f"TitanicPipeline(env='local', dataset='titanic', data='{TRAIN}', "
        f"store='{tmp_path / 'models'}', seed=0)"
    )
    for words in ("Candidate", "<- chosen", "Out of fold", training.version, "is the new champion"):
        assert words in repr(training)
    assert "891 rows, 342 of class 1" in repr(evaluation)
    assert list(answer) == ["PassengerId", "Survived"]
    assert len(answer) == 418
    assert set(answer["Survived"]) == {0, 1}
    assert json.loads(json.dumps(training.to_dict()))["promoted"] is True
    assert json.loads(json.dumps(evaluation.to_dict()))["rows"] == 891


def test_progress_is_told_from_none_to_all(pipeline):
    told = []
    pipeline.train(progress=lambda done, total: told.append((done, total)))
    steps = list(dict.fromkeys(told))  # a stage begins where the one before it ended
    assert steps == [(done, 7) for done in range(8)]  # two folds, all rows, two folds, two looks


def test_a_wrong_setting_is_told_before_anything_is_done():
    with pytest.raises(SettingsError, match="did you mean seed"):
        TitanicPipeline("seeds=1")


def test_a_frame_and_its_file_give_the_same_model(pipeline, passengers):
    before = passengers.copy()
    of_file, of_frame = pipeline.train(), pipeline.train(passengers)
    pd.testing.assert_frame_equal(passengers, before)
    file, frame = (pipeline.store.manifest(t.version) for t in (of_file, of_frame))
    assert frame["metrics"] == file["metrics"]
    assert frame["data"]["sha256"] == file["data"]["sha256"]
    assert file["data"]["uri"] == file["settings"]["data"]["uri"] == str(TRAIN)
    assert frame["data"]["uri"] == frame["settings"]["data"]["uri"] == "the table"
    assert frame["files"]["model.joblib"] == file["files"]["model.joblib"]


def test_a_version_knows_the_champion_it_was_trained_against(pipeline):
    champion = pipeline.store.alias("champion").version
    assert pipeline.store.manifest(pipeline.train().version)["parent"] == champion


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
    threshold = pipeline.store.manifest("champion")["threshold"]
    assert answer["probability"].between(0, 1).all()
    assert (answer["Survived"] == (answer["probability"] >= threshold)).all()


@pytest.mark.parametrize("method", ["predict", "evaluate"])
def test_a_version_and_an_alias_may_be_named(pipeline, method):
    champion = pipeline.store.alias("champion").version
    train(pipeline, "majority")
    call = getattr(pipeline, method)
    assert repr(call(str(TRAIN), "champion")) == repr(call(str(TRAIN), champion))
    assert repr(call(str(TRAIN), "champion")) != repr(call(str(TRAIN), "latest"))
    with pytest.raises(ModelNotFound, match="no model nope"):
        call(str(TRAIN), "nope")


def test_the_schema_of_a_version_is_that_of_its_training(pipeline, passengers):
    """Loosening the settings afterwards does not let a table past an older model."""
    loose = TitanicPipeline(f"store.uri={pipeline.store.uri}", "dataset.columns.Age.maximum=1000")
    with pytest.raises(InvalidTable, match="at most 120"):
        loose.predict(passengers.assign(Age=500.0))


@pytest.mark.parametrize(("changed", "seen"), [(0, 891), (100, 791), (891, 0)])
def test_rows_that_the_model_was_trained_on_are_counted(pipeline, passengers, changed, seen):
    fares = passengers["Fare"].where(passengers.index >= changed, passengers["Fare"] + 0.125)
    evaluation = pipeline.evaluate(passengers.assign(Fare=fares))
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
    history = TitanicPipeline(f"store.uri={trained}").store.alias("champion").history()
    assert [entry["why"] for entry in history] == ["the first champion"]


def test_a_better_version_becomes_the_champion(pipeline):
    training = train(pipeline, "logistic_regression")
    assert training.promoted
    assert "against the champion's" in training.why and "on 891 rows" in training.why
    assert pipeline.store.alias("champion").version == training.version
    assert pipeline.store.alias("champion").history()[-1]["why"] == training.why


def test_a_version_that_is_worse_is_kept_but_not_promoted(pipeline):
    champion = pipeline.store.alias("champion").version
    training = train(pipeline, "majority")
    assert not training.promoted
    assert "worse by more than 0.005" in training.why
    assert f"{training.version} did not become the champion: {training.why}" in repr(training)
    assert pipeline.store.alias("champion").version == champion
    assert pipeline.store.alias("latest").version == training.version
    assert training.version in pipeline.store.versions()
    with pytest.raises(PromotionRefused, match="worse by more than"):
        pipeline.promote("latest")


def test_a_version_that_is_worse_within_the_margin_becomes_the_champion(pipeline):
    assert train(pipeline, "majority", "promotion.margin=10").promoted


def test_an_equal_version_becomes_the_champion_without_any_margin(pipeline):
    assert train(
        pipeline, "[majority,one_column,logistic_regression]", "promotion.margin=0"
    ).promoted


def test_versions_without_a_row_in_common_are_not_compared(pipeline, passengers):
    others = passengers.assign(Fare=passengers["Fare"] + 0.125)
    training = train(pipeline, "logistic_regression", data=others)
    assert not training.promoted
    assert "no rows in common" in training.why and "--force" in training.why


def test_versions_are_compared_on_the_rows_in_common_alone(pipeline, passengers):
    training = train(pipeline, "logistic_regression", data=passengers.iloc[:600])
    assert "on 600 rows" in training.why


def test_force_skips_the_gate_and_the_history_says_so(pipeline):
    version = train(pipeline, "majority").version
    assert pipeline.promote(version, force=True) == "forced"
    entry = pipeline.store.alias("champion").history()[-1]
    assert (entry["version"], entry["why"]) == (version, "forced")


def test_the_champion_may_be_promoted_again(pipeline):
    assert pipeline.promote("champion") == "it was the champion already"


def test_what_is_not_there_is_not_promoted(pipeline):
    before = pipeline.store.alias("champion").history()
    for force in (False, True):
        with pytest.raises(ModelNotFound):
            pipeline.promote("nope", force)
    assert pipeline.store.alias("champion").history() == before


RUN = """
import json, sys
from titanic_ml import TitanicPipeline
pipeline = TitanicPipeline(*sys.argv[2:])
version = pipeline.train().version
manifest = pipeline.store.manifest(version)
answer = pipeline.predict(sys.argv[1], version, probability=True)
print(json.dumps([manifest["metrics"], manifest["candidates"], answer["probability"].tolist()]))
"""


def test_the_same_seed_gives_the_same_answers_in_any_process_with_any_n_jobs(tmp_path):
    """All but the seed and the settings differ: the process, its hash seed and the workers."""
    overrides = (
        *(f"data.uri={TRAIN}", "selection.repeats=1", "selection.folds=2"),
        *("selection.inner_folds=2", "evaluation.resamples=20", "seed=3"),
        "estimator=[logistic_regression,random_forest,gradient_boosting]",
        "estimator.random_forest.estimator.n_estimators=10",
        "estimator.gradient_boosting.estimator.max_iter=10",
    )

    def outcome(name: str, n_jobs: int) -> list:
        words = (TEST, f"store.uri={tmp_path / name}", f"n_jobs={n_jobs}", *overrides)
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": name}
        done = subprocess.run(
            [sys.executable, "-c", RUN, *map(str, words)],
            env=environment,
            capture_output=True,
            text=True,
        )
        assert (done.returncode, done.stderr) == (0, "")
        return json.loads(done.stdout)

    one = outcome("1", n_jobs=1)
    assert outcome("2", n_jobs=1) == one
    assert outcome("3", n_jobs=2) == one


def test_another_seed_gives_other_folds(pipeline):
    metrics = [
        pipeline.store.manifest(train(pipeline, "logistic_regression", f"seed={n}").version)[
            "metrics"
        ]
        for n in (0, 1)
    ]
    assert metrics[0] != metrics[1]


def test_a_path_is_as_good_as_its_name(pipeline):
    pipeline.train()
    by_path, by_name = (pipeline.predict(kind(TEST)) for kind in (Path, str))
    pd.testing.assert_frame_equal(by_path, by_name)


def test_a_training_row_is_explained_as_it_was_in_the_training(pipeline):
    told = pipeline.explain(5)
    assert told.subject == "PassengerId 5" and told.outcome == "Survived" and not told.warning
    total = told.base + sum(share for _, _, share in told.contributions)
    assert total == pytest.approx(told.probability, abs=1e-9)
    features = {name for names, _, _ in told.contributions for name in names}
    assert {"title", "log_fare", "booking_men"} <= features
    assert pipeline.explain("5").to_dict() == told.to_dict()


def test_an_own_label_explains_nothing_of_its_row(pipeline, passengers):
    """As trained, a row is left out of its party; as another table's row it is a member."""
    told = pipeline.explain(2).probability
    answer = pipeline.predict(passengers, probability=True)["probability"][1]
    assert told != pytest.approx(answer, abs=1e-3)
    other = pipeline.explain(2, passengers.head(20))
    assert other.probability == pytest.approx(answer, abs=1e-9)
    assert "trained on this row" in other.warning


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
