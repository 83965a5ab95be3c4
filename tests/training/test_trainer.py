import time
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from joblib import parallel_config
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.tree import DecisionTreeClassifier
from threadpoolctl import threadpool_info, threadpool_limits

from titanic_ml.dataset.splits import stratified_splits
from titanic_ml.errors import DataError
from titanic_ml.estimator.candidate import Candidate
from titanic_ml.preprocessing.encoder import build_preprocessor
from titanic_ml.preprocessing.titanic import TitanicFeatures
from titanic_ml.training.model_comparison import corrected_standard_error
from titanic_ml.training.trainer import Trainer


class Values(TransformerMixin, BaseEstimator):
    """The frame as numbers; it keeps which rows it was fitted on, in all its clones."""

    seen: list[set[int]] = []

    def fit(self, X, y=None):
        Values.seen.append(set(X.index))
        self.fitted_ = True
        return self

    def transform(self, X):
        return X.to_numpy(float)


class Memory(ClassifierMixin, BaseEstimator):
    """Knows by heart what it was fitted on and answers one half to all else."""

    def fit(self, X, y):
        self.classes_ = np.array([0, 1])
        self.known_ = dict(zip(X[:, 0], y, strict=True))
        return self

    def predict_proba(self, X):
        p = np.array([0.01 + 0.98 * self.known_.get(x, 0.5) for x in X[:, 0]])
        return np.column_stack([1 - p, p])


@pytest.fixture
def numbers():
    random = np.random.default_rng(0)
    x = random.permutation(120).astype(float)
    y = pd.Series((x + random.normal(0, 30, 120) > 60).astype(int))
    return pd.DataFrame({"x": x, "noise": random.normal(size=120)}), y


LOGISTIC = Candidate("logistic", "logistic", LogisticRegression(), 2, {"C": [1e-6, 0.01]})
MAJORITY = Candidate("majority", "majority", DummyClassifier(), 0, baseline=True)
TREE = Candidate("tree", "tree", DecisionTreeClassifier(), 3, {"max_depth": [1, None]})


def trainer(*candidates, preprocessor=None, **kwargs):
    sizes = {"repeats": 2, "folds": 3, "inner_folds": 2, "n_jobs": 1}
    return Trainer(preprocessor or Values(), candidates, **{**sizes, **kwargs})


def test_out_of_fold_is_by_models_that_had_not_seen_the_row(numbers):
    memory = Candidate("memory", "memory", Memory(), 1)
    selection = trainer(memory).train(*numbers)
    assert (selection.out_of_fold.probability == 0.5).all(axis=None)
    assert list(selection.out_of_fold.probability) == ["repeat_1", "repeat_2"]
    learned = selection.model.predict_proba(numbers[0])[:, 1]
    assert np.allclose(learned, 0.01 + 0.98 * numbers[1])  # and the final model saw them all


def test_preprocessor_is_fitted_on_training_rows_only(numbers):
    Values.seen.clear()
    trainer(LOGISTIC, MAJORITY, repeats=1).train(*numbers)
    everything = set(range(120))
    folds = [set(train) for train, _ in stratified_splits(numbers[1], 3, 1, 0)]
    # The search on all rows, in two halves; in each outer fold its own search, again in halves,
    # and once for the scores of both candidates; at the end the chosen one and the baseline.
    first, second, *within, last, baseline = Values.seen
    assert (first | second, first & second) == (everything, set())
    assert last == baseline == everything
    assert within[2::3] == folds
    for half, other, fold in zip(within[::3], within[1::3], folds, strict=True):
        assert (half | other, half & other) == (fold, set())


def test_scores_and_choice_follow_from_the_folds(numbers):
    X, y = numbers
    selection = trainer(LOGISTIC, MAJORITY, TREE).train(X, y)
    assert selection.chosen is LOGISTIC
    assert selection.table.index[0] == "logistic"
    assert selection.table.log_loss.is_monotonic_increasing
    assert selection.table.label["majority"] == "majority"
    rate = y.mean()
    assert selection.table.log_loss["majority"] == pytest.approx(
        -rate * np.log(rate) - (1 - rate) * np.log(1 - rate), abs=0.001
    )
    folds = [
        (y.iloc[test], selection.out_of_fold.probability.iloc[test, number // 3])
        for number, (_, test) in enumerate(stratified_splits(y, 3, 2, seed=0))
    ]
    losses = [log_loss(truth, p) for truth, p in folds]
    logistic = selection.table.loc["logistic"]
    assert logistic.log_loss == pytest.approx(np.mean(losses))
    assert logistic.roc_auc == pytest.approx(np.mean([roc_auc_score(t, p) for t, p in folds]))
    assert logistic.accuracy == pytest.approx(np.mean([(t == (p >= 0.5)).mean() for t, p in folds]))
    error = corrected_standard_error(np.array(losses), 1 / 2)
    assert logistic.standard_error == pytest.approx(error)
    assert selection.parameters == {"C": 0.01} and selection.model[-1].C == 0.01
    assert "logistic" in repr(selection) and "<- chosen" in repr(selection)


def test_a_simpler_candidate_within_the_tolerance_wins(numbers):
    losses = trainer(LOGISTIC, MAJORITY).train(*numbers).table.log_loss
    gap = losses["majority"] - losses["logistic"]
    assert gap > 0.005
    for tolerance, chosen in ((gap * 0.99, LOGISTIC), (gap * 1.01, MAJORITY)):
        assert trainer(LOGISTIC, MAJORITY, tolerance=tolerance).train(*numbers).chosen is chosen


class Choosy(LogisticRegression):
    """Learns from no fewer than 70 rows."""

    def fit(self, X, y):
        if len(y) < 70:
            raise ValueError("too few rows\nfor me")
        return super().fit(X, y)


CHOOSY = Candidate("choosy", "the choosy one", Choosy(), 1, {"C": [0.01, 1]})


def test_a_candidate_that_cannot_learn_is_left_out_with_a_note(numbers):
    with_it, without = (
        trainer(*candidates).train(*numbers)
        for candidates in ((CHOOSY, LOGISTIC, MAJORITY), (LOGISTIC, MAJORITY))
    )
    assert list(with_it.table.index) == list(without.table.index)
    assert with_it.chosen is LOGISTIC and without.left_out == {}
    (reason,) = with_it.left_out.values()
    assert list(with_it.left_out) == ["the choosy one"]
    assert reason.startswith("the choosy one can't learn from 40 rows: too few rows; add rows")
    assert f"Left out: the choosy one. {reason}" in repr(with_it)
    splits = stratified_splits(numbers[1], 3, 2, seed=9)
    out_of_fold, losses = trainer(LOGISTIC, MAJORITY).estimate(
        without.candidates, without.chosen, splits, *numbers
    )
    assert out_of_fold.baselines.keys() == {"majority"}
    assert losses.keys() == {"logistic", "majority"}
    expected = log_loss(numbers[1], out_of_fold.baselines["majority"][:, 0])
    assert losses["majority"] == pytest.approx(expected, abs=0.001)


def test_a_candidate_is_left_out_where_the_rows_are_more_than_it_is_worth(numbers):
    slow = replace(CHOOSY, name="slow", label="the slow one", max_rows=119)
    found = trainer(slow, LOGISTIC, MAJORITY).train(*numbers)
    reason = "the slow one is compared up to 119 rows (max_rows in its YAML), and here are 120"
    assert found.left_out == {"the slow one": reason} and "slow" not in found.table.index
    assert f"Left out: the slow one. {reason}" in repr(found)
    just = replace(LOGISTIC, max_rows=120)
    assert trainer(just, MAJORITY).train(*numbers).left_out == {}
    with pytest.raises(DataError, match="compared up to 119 rows"):
        trainer(slow).train(*numbers)


def test_a_threshold_is_chosen_for_the_chosen_one_alone(numbers, monkeypatch):
    rows: dict[str, list[int]] = {"better": [], "worse": []}

    class Counted(LogisticRegression):
        def fit(self, X, y):
            rows["better" if self.C > 0.001 else "worse"].append(len(y))
            return super().fit(X, y)

    asked = []
    monkeypatch.setattr(
        "titanic_ml.training.fold.choose_threshold",
        lambda y, p, metric, seed: asked.append(len(y)) or 0.4,
    )
    better, worse = (Candidate(n, n, Counted(C=c), 1) for n, c in (("better", 1), ("worse", 1e-9)))
    found = trainer(better, worse, tolerance=0).train(*numbers)
    assert found.chosen is better and found.threshold == 0.4
    assert sorted(rows["worse"]) == [80] * 6  # the outer folds and no other
    assert sorted(rows["better"]) == [40] * 12 + [60] * 2 + [80] * 6 + [120]
    assert asked == [120] + [80] * 6
    predicted = found.out_of_fold.probability >= 0.4
    assert np.array_equal(found.out_of_fold.prediction, predicted.astype(int))


def test_one_that_cannot_learn_from_an_inner_fold_gives_way_to_the_next(numbers):
    fixed = replace(CHOOSY, search={}, complexity=0)  # it can from the 80 of an outer one
    plain = Candidate("plain", "plain", LogisticRegression(C=0.01), 1)
    for finished in (None, {}):
        found = trainer(fixed, plain, tolerance=10).train(*numbers, finished=finished)
        assert found.chosen is plain and list(found.table.index) == ["plain"]
    assert found.left_out["the choosy one"].startswith("the choosy one can't learn from 60 rows")
    with pytest.raises(DataError, match="the choosy one can't learn from 60 rows"):
        trainer(fixed).train(*numbers)


def test_where_no_candidate_can_learn_the_data_are_at_fault(numbers):
    with pytest.raises(DataError, match="the choosy one can't learn from 40 rows: too few rows;"):
        trainer(CHOOSY).train(*numbers)
    splits = stratified_splits(numbers[1], 3, 2, seed=9)
    with pytest.raises(DataError, match="can't learn from 40 rows"):
        trainer(CHOOSY).estimate([CHOOSY], CHOOSY, splits, *numbers)


def test_the_share_of_each_candidate_is_in_the_table(numbers):
    found = trainer(LOGISTIC, MAJORITY, TREE).train(*numbers)
    assert found.table["chosen_share"].to_dict() == found.stability.shares
    assert sum(found.stability.shares.values()) == pytest.approx(1)
    assert found.stability.own == pytest.approx(found.table.log_loss["logistic"], abs=1e-9)


class Echo(ClassifierMixin, BaseEstimator):
    """Answers a row with its number over 200; the first to be fitted is the last to be done."""

    waits: list[float] = []

    def fit(self, X, y):
        self.classes_ = np.array([0, 1])
        time.sleep(Echo.waits.pop() if Echo.waits else 0)
        return self

    def predict_proba(self, X):
        return np.column_stack([1 - X[:, 0] / 200, X[:, 0] / 200])


def test_answers_stand_beside_their_rows_in_whatever_order_the_folds_end(numbers):
    X, y = numbers
    Echo.waits.append(0.3)
    with parallel_config("threading"):  # so that processes need not import this module
        selection = trainer(Candidate("echo", "echo", Echo(), 1), n_jobs=2).train(X, y)
    assert not Echo.waits
    for column in ("repeat_1", "repeat_2"):
        assert np.array_equal(selection.out_of_fold.probability[column], X["x"] / 200)


def test_search_keeps_what_generalises(numbers):
    selection = trainer(TREE).train(*numbers)
    assert selection.parameters == {"max_depth": 1}


class Threads(DummyClassifier):
    """Notes how many threads it might use."""

    seen: list[int] = []

    def fit(self, X, y):
        Threads.seen.append(max(pool["num_threads"] for pool in threadpool_info()))
        return super().fit(X, y)


def test_every_fit_has_one_thread(numbers):
    threads = Candidate("threads", "threads", Threads(), 1, {"constant": [0, 1]})
    with threadpool_limits(2):
        trainer(threads).train(*numbers)
    assert set(Threads.seen) == {1}


def test_another_seed_another_result(numbers):
    one, other = (trainer(TREE, seed=seed).train(*numbers) for seed in (1, 2))
    assert one.table.log_loss["tree"] != other.table.log_loss["tree"]


def test_seed_governs_the_inner_folds_too(numbers):
    Values.seen.clear()
    only = trainer(LOGISTIC, repeats=1)
    for seed in (1, 1, 2):
        replace(only, seed=seed).train(*numbers)
    first, again, other = Values.seen[:: len(Values.seen) // 3]
    assert first == again != other


def test_progress_counts_from_none_to_all(numbers):
    calls = []
    trainer(MAJORITY).train(*numbers, progress=lambda done, total: calls.append((done, total)))
    assert calls == [(done, 7) for done in range(8)]


@pytest.mark.parametrize("folds, inner, words", [(5, 2, "for 5 folds"), (2, 4, "for 4 folds")])
def test_too_few_rows_are_the_data_at_fault(folds, inner, words):
    X, y = pd.DataFrame({"x": range(20)}), pd.Series([1] * 4 + [0] * 16)
    with pytest.raises(DataError, match=words):
        trainer(LOGISTIC, folds=folds, inner_folds=inner).train(X, y)


def test_input_is_not_changed(numbers):
    X, y = numbers[0].copy(), numbers[1].copy()
    trainer(LOGISTIC).train(X, y)
    pd.testing.assert_frame_equal(X, numbers[0])
    pd.testing.assert_series_equal(y, numbers[1])


def test_a_forest_learns_one_small_batch_by_heart(dataset):
    forest = Candidate("forest", "forest", RandomForestClassifier(n_estimators=50), 5)
    X, y = dataset.X.head(40), dataset.y.head(40)
    model = forest.fit_pipeline(build_preprocessor(TitanicFeatures()), {}, 0, X, y)
    assert log_loss(y, model.predict_proba(X)[:, 1]) < 0.2
