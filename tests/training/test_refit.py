from dataclasses import replace

import numpy as np
import pytest

from titanic_ml.dataset.splits import stratified_splits
from titanic_ml.preprocessing.encoder import build_preprocessor
from titanic_ml.preprocessing.titanic import TitanicFeatures
from titanic_ml.training.fold import Choice
from titanic_ml.training.refit import FRACTIONS, Refitter


@pytest.fixture
def refitter(dataset, candidates):
    folds = [(s, Choice({"C": 0.3}, 0.5)) for s in stratified_splits(dataset.y, 3, 1, 0)]
    preprocessor = build_preprocessor(TitanicFeatures())
    return Refitter(candidates["logistic_regression"], preprocessor, folds, n_jobs=1)


def nothing(model, X, y):
    pass


@pytest.mark.usefixtures("unmeasured")
def test_each_model_is_looked_at_on_the_rows_it_had_not_seen(refitter, dataset):
    def look(model, X, y):
        assert X.index.equals(y.index) and model[-1].C == 0.3
        heads = model.named_steps["features"].heads_
        known = sum(heads.values())  # as many tickets as training rows
        return set(X.index), known

    rows, known = zip(*refitter.refit(look, dataset.X, dataset.y)[0], strict=True)
    assert set.union(*rows) == set(dataset.X.index) and sum(map(len, rows)) == len(dataset)
    assert [count + len(test) for count, test in zip(known, rows, strict=True)] == [891] * 3


@pytest.mark.system
@pytest.mark.usefixtures("unmeasured")
def test_more_rows_teach_more(refitter, dataset):
    _, curve = refitter.refit(nothing, dataset.X, dataset.y)
    assert [point.rows for point in curve] == [int(594 * part) for part in FRACTIONS]
    assert curve[-1].test < curve[0].test - 0.03
    assert all(point.train < point.test for point in curve)
    assert all(point.standard_error > 0 for point in curve)
    assert curve == refitter.refit(nothing, dataset.X, dataset.y)[1]


def test_the_loss_on_training_rows_is_that_of_predicting_them(refitter, dataset):
    """The features of training rows leave their own outcome out, also when they are predicted."""
    split, choice = refitter.folds[0]
    X, y = dataset.X.iloc[split[0]], dataset.y.iloc[split[0]]
    model = refitter.candidate.fit_pipeline(refitter.preprocessor, choice.parameters, 0, X, y)
    predicted = -np.log(np.where(y == 1, *model.predict_proba(X).T[::-1])).mean()
    only = replace(refitter, folds=[(split, choice)] * 2)
    _, curve = only.refit(nothing, dataset.X, dataset.y)
    assert curve[-1].train == pytest.approx(predicted)
