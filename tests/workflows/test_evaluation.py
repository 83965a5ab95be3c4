"""Evaluating and explaining a version."""

from __future__ import annotations

from pathlib import Path

import pytest

from titanic_ml import TitanicPipeline
from titanic_ml.errors import (
    DataError,
    InvalidTable,
)

ROOT = Path(__file__).parents[2]
TRAIN, TEST = (ROOT / "data" / f"{name}.csv" for name in ("train", "test"))


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
        (
            lambda f: {"PassengerId": f["PassengerId"] + 5000},
            891,
        ),  # with other ids: other columns identify them
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


def test_the_parts_of_an_explanation_sum_to_the_probability(pipeline):
    told = pipeline.explain(5)
    assert told.subject == "PassengerId 5" and told.outcome == "Survived" and not told.warning
    total = told.base + sum(part.contribution for part in told.contributions)
    assert total == pytest.approx(told.probability, abs=2e-9)
    features = {name for part in told.contributions for name in part.features}
    assert {"title", "log_fare", "booking_men"} <= features
    assert pipeline.explain("5").to_dict() == told.to_dict()


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
