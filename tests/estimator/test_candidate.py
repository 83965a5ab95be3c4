from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import check_is_fitted
from threadpoolctl import threadpool_limits

import titanic_ml
from titanic_ml.config.compose import build, load_settings
from titanic_ml.errors import DataError, SettingsError
from titanic_ml.estimator.candidate import Candidate

NAMES = [p.stem for p in (Path(titanic_ml.__file__).parent / "conf/estimator").glob("*.yaml")]


@pytest.fixture(params=sorted(NAMES))
def candidate(request):
    (name, node), *others = load_settings([f"estimator={request.param}"]).estimator.items()
    assert name == request.param and not others
    return Candidate.from_dict(name, build(node))


def test_the_candidates_that_the_default_compares_are_all_there(candidates):
    assert set(candidates) == set(NAMES) - {"extra_trees", "searched_vote"}
    assert [c.name for c in candidates.values() if c.baseline] == ["majority", "one_column"]
    ranks = [c.complexity for c in candidates.values()]
    assert len(set(ranks)) == len(ranks)


def test_every_setting_of_the_search_fits_and_gives_probabilities(candidate, dataset):
    X, y = dataset.X.head(80), dataset.y.head(80)
    numbers = X[["Pclass", "SibSp", "Parch"]].to_numpy(float)
    matrix = clone(candidate.preprocessor).fit_transform(X) if candidate.preprocessor else numbers
    with pytest.raises(NotFittedError):
        check_is_fitted(candidate.estimator)
    for parameters in candidate.param_grid():
        with threadpool_limits(1):  # as in training; else threads that wait make it slow
            model = candidate.fit(parameters, 0, matrix, y)
            probability = model.predict_proba(matrix)
        assert probability.shape == (80, 2)
        assert np.allclose(probability.sum(axis=1), 1) and (probability >= 0).all()
        assert parameters.items() <= model.get_params().items()


def test_seed_reaches_every_part_and_the_original_stays_as_it_is():
    forest = RandomForestClassifier(random_state=None)
    candidate = Candidate("c", "c", CalibratedClassifierCV(forest), 1)
    built = candidate.build({"estimator__n_estimators": 7}, seed=5)
    assert built.estimator.random_state == 5 and built.estimator.n_estimators == 7
    assert forest.random_state is None and forest.n_estimators == 100


def test_without_a_search_space_there_is_one_setting():
    assert Candidate("c", "c", LogisticRegression(), 1).param_grid() == [{}]
    grid = Candidate("c", "c", LogisticRegression(), 1, {"C": [1, 2], "tol": [3, 4]}).param_grid()
    assert len(grid) == 4 and {"C": 2, "tol": 3} in grid


def test_unknown_property_is_named():
    with pytest.raises(SettingsError, match=r"estimator.x: unknown lable; did you mean label\?"):
        Candidate.from_dict("x", {"lable": "x", "estimator": None, "complexity": 1})
    with pytest.raises(SettingsError, match="estimator.x: missing 1 required .*'complexity'"):
        Candidate.from_dict("x", {"label": "x", "estimator": None})


@pytest.mark.parametrize("most", [0, -1, 2.5, "many"])
def test_the_most_rows_are_a_whole_number(most):
    node = {"label": "x", "estimator": LogisticRegression(), "complexity": 1, "max_rows": most}
    with pytest.raises(SettingsError, match=f"estimator.x.max_rows is {most!r}, expected a whole"):
        Candidate.from_dict("x", node)


def test_a_candidate_says_of_how_many_rows_it_is_too_slow():
    free = Candidate("x", "x", LogisticRegression(), 1)
    most = Candidate("x", "x", LogisticRegression(), 1, max_rows=4000)
    assert free.too_many(10**9) == most.too_many(4000) == ""
    assert most.too_many(4001).endswith(
        "up to 4,000 rows (max_rows in its YAML), and here are 4,001"
    )


def test_what_cannot_be_learned_is_the_data_at_fault():
    candidate = Candidate("c", "logistic", LogisticRegression(), 1)
    with pytest.raises(DataError, match="logistic can't learn from 2 rows: .*add rows, or name"):
        candidate.fit({}, 0, np.array([[1.0], [np.nan]]), pd.Series([0, 1]))


def test_pipeline_goes_from_the_table_to_probabilities(fitted, dataset):
    assert [name for name, _ in fitted.steps] == ["features", "encoder", "estimator"]
    assert fitted.predict_proba(dataset.X).shape == (891, 2)


def test_own_preprocessor_replaces_the_shared_one(candidates, dataset):
    own = candidates["one_column"].preprocessor
    shared = StandardScaler()  # would fail on words
    model = candidates["one_column"].fit_pipeline(shared, {}, 0, dataset.X, dataset.y)
    assert [name for name, _ in model.steps] == ["encoder", "estimator"]
    for unfitted in (own, shared):
        with pytest.raises(NotFittedError):
            check_is_fitted(unfitted)
    probability = pd.Series(model.predict_proba(dataset.X)[:, 1])
    rates = dataset.y.groupby(dataset.X["Sex"]).mean()
    assert probability.groupby(dataset.X["Sex"]).mean().to_dict() == pytest.approx(
        rates.to_dict(), abs=0.005
    )
