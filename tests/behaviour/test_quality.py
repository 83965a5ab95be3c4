"""Quality of the whole procedure: it finds a signal, and none in noise."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import pandas as pd
import pytest

from titanic_ml.evaluation.evaluator import Evaluator
from titanic_ml.evaluation.result import Evaluation
from titanic_ml.preprocessing.encoder import build_preprocessor
from titanic_ml.preprocessing.titanic import TitanicFeatures, travelling_parties
from titanic_ml.training.result import Selection
from titanic_ml.training.trainer import Trainer


class Measured(NamedTuple):
    """Selected candidate, and its metrics on stratified and grouped folds."""

    selection: Selection
    evaluation: Evaluation
    grouped: Evaluation


@pytest.fixture(scope="module")
def measure(candidates, dataset) -> Callable[..., Measured]:
    """The default procedure with fewer candidates and one repeat of its folds."""

    def measure(*names: str, y: pd.Series = dataset.y) -> Measured:
        chosen = [candidates[name] for name in names]
        trainer = Trainer(build_preprocessor(TitanicFeatures()), chosen, repeats=1, n_jobs=1)
        selection = trainer.train(dataset.X, y)
        splits = trainer.grouped_splits(y, travelling_parties(dataset.X))
        grouped, _ = trainer.estimate(selection.candidates, selection.chosen, splits, dataset.X, y)
        evaluations = (
            Evaluator(200).evaluate(
                y.to_numpy(),
                found.probability.to_numpy(),
                prediction=found.prediction.to_numpy(),
                baselines=found.baselines,
            )
            for found in (selection.out_of_fold, grouped)
        )
        return Measured(selection, *evaluations)

    return measure


@pytest.fixture(scope="module")
def honest(measure) -> Measured:
    """The default candidate on the true labels."""
    return measure("majority", "one_column", "logistic_regression")


@pytest.mark.system
def test_the_model_is_good_and_calibrated(honest):
    estimates = honest.evaluation.estimates
    assert estimates["log_loss"].value < 0.40
    assert estimates["roc_auc"].value > 0.88
    assert estimates["accuracy"].value > 0.83
    assert estimates["calibration_error"].value <= 0.03


@pytest.mark.system
def test_it_is_better_than_both_baselines_beyond_chance(honest):
    gains = honest.evaluation.gains
    assert set(gains) == {"majority class", "Sex alone"}
    assert all(gain["log_loss"].low > 0.05 for gain in gains.values())
    losses = honest.selection.table.log_loss
    assert losses["logistic_regression"] < losses["one_column"] - 0.05
    assert losses["one_column"] < losses["majority"] - 0.05


@pytest.mark.system
def test_unseen_groups_are_harder(honest):
    loss, theirs = (e.estimates["log_loss"].value for e in (honest.evaluation, honest.grouped))
    assert loss + 0.02 < theirs < 0.48


@pytest.fixture(scope="module")
def shuffled(dataset) -> pd.Series:
    """Permuted labels."""
    return dataset.y.sample(frac=1, random_state=0).reset_index(drop=True)


@pytest.mark.system
@pytest.mark.parametrize("estimator", ["logistic_regression", "gradient_boosting"])
def test_shuffled_labels_teach_nothing(measure, shuffled, estimator):
    alone = measure(estimator, y=shuffled)
    for evaluation in (alone.evaluation, alone.grouped):
        auc = evaluation.estimates["roc_auc"]
        assert auc.low < 0.5 < auc.high


@pytest.mark.system
def test_where_nothing_is_to_be_learned_the_majority_is_chosen(measure, shuffled):
    found = measure("majority", "one_column", "logistic_regression", y=shuffled)
    assert found.selection.chosen.name == "majority"
    auc = found.evaluation.estimates["roc_auc"]
    assert auc.low <= 0.5 <= auc.high
