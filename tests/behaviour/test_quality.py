"""Of the whole procedure: it finds what is there, it finds nothing where nothing is."""

from __future__ import annotations

import pandas as pd
import pytest

from titanic_ml import TitanicPipeline
from titanic_ml.results import Training

ONE_REPEAT = ("selection.repeats=1", "evaluation.resamples=200", "n_jobs=1")


def train(folder, quick, estimator: str, data: pd.DataFrame | None = None) -> Training:
    """The default procedure with fewer candidates and one repeat of its folds."""
    words = (f"store.uri={folder / 'models'}", f"estimator={estimator}", *quick[:2], *ONE_REPEAT)
    return TitanicPipeline(*words).train(data)


@pytest.fixture(scope="module")
def honest(tmp_path_factory, quick) -> Training:
    """The default candidate on the true labels."""
    folder = tmp_path_factory.mktemp("honest")
    return train(folder, quick, "[majority,one_column,logistic_regression]")


def test_the_model_is_good_and_calibrated(honest):
    estimates = honest.evaluation.estimates
    assert estimates["log_loss"].value < 0.40
    assert estimates["roc_auc"].value > 0.88
    assert estimates["accuracy"].value > 0.83
    assert estimates["calibration_error"].value <= 0.03


def test_it_is_better_than_both_baselines_beyond_chance(honest):
    gains = honest.evaluation.gains
    assert set(gains) == {"majority class", "Sex alone"}
    assert all(gain["log_loss"].low > 0.05 for gain in gains.values())


def test_strangers_are_harder(honest):
    of_the_voyage, strangers = honest.evaluation, honest.assessment.strangers
    loss, theirs = (e.estimates["log_loss"].value for e in (of_the_voyage, strangers))
    assert loss + 0.02 < theirs < 0.48


@pytest.fixture(scope="module")
def shuffled(_train_table) -> pd.DataFrame:
    """The table with its labels dealt out anew."""
    labels = _train_table["Survived"].sample(frac=1, random_state=0).to_numpy()
    return _train_table.assign(Survived=labels)


@pytest.mark.parametrize("estimator", ["logistic_regression", "gradient_boosting"])
def test_shuffled_labels_teach_nothing(tmp_path, quick, shuffled, estimator):
    alone = train(tmp_path, quick, f"[{estimator}]", shuffled)
    for evaluation in (alone.evaluation, alone.assessment.strangers):
        auc = evaluation.estimates["roc_auc"]
        assert auc.low < 0.5 < auc.high


def test_where_nothing_is_to_be_learned_the_majority_is_chosen(tmp_path, quick, shuffled):
    training = train(tmp_path, quick, "[majority,one_column,logistic_regression]", shuffled)
    assert training.selection.chosen.name == "majority"
    auc = training.evaluation.estimates["roc_auc"]
    assert auc.low <= 0.5 <= auc.high
