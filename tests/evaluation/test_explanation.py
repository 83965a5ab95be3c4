"""Shapley values: held to their definition and to their axioms."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from titanic_ml.evaluation.explanation import MOST_EXACT, Contribution, Explainer, Explanation


def table(columns: int, rows: int = 80) -> pd.DataFrame:
    random = np.random.default_rng(0)
    return pd.DataFrame(
        random.normal(size=(rows, columns)), columns=list("abcdefghijklm"[:columns])
    )


def explainer(X: pd.DataFrame, y: pd.Series, groups=None, estimator=None, seed=0) -> Explainer:
    model = make_pipeline(LogisticRegression(C=10.0) if estimator is None else estimator).fit(X, y)
    return Explainer(model, X.iloc[:20], groups or [[name] for name in X], seed)


def by_definition(explainer: Explainer, row: pd.DataFrame) -> dict[tuple[str, ...], float]:
    """The mean over all orders of what each group adds where its turn comes."""
    worth = {tuple(group): 0.0 for group in explainer.groups}
    orders = list(permutations(explainer.groups))
    for order in orders:
        mixed = explainer.background.copy()
        before = explainer.model.predict_proba(mixed)[:, 1].mean()
        for group in order:
            for name in group:
                mixed[name] = row[name].iloc[0]
            after = explainer.model.predict_proba(mixed)[:, 1].mean()
            worth[tuple(group)] += (after - before) / len(orders)
            before = after
    return worth


def shares(explanation: Explanation) -> dict[tuple[str, ...], float]:
    return {tuple(part.features): part.contribution for part in explanation.contributions}


@pytest.mark.parametrize("groups", [None, [["a", "c"], ["b"], ["d"]]])
@pytest.mark.parametrize(
    "estimator", [LogisticRegression(C=10.0), RandomForestClassifier(20, random_state=0)]
)
def test_exact_values_are_those_of_the_definition(groups, estimator):
    X = table(4)
    asked = explainer(X, (X["a"] * X["b"] + X["c"] > 0).astype(int), groups, estimator)
    row = X.iloc[[30]]
    found = asked.explain(row, "row 30", "y")
    assert shares(found) == pytest.approx(by_definition(asked, row), abs=1e-12)
    assert found.probability == pytest.approx(asked.model.predict_proba(row)[0, 1], abs=1e-12)
    assert found.base == pytest.approx(asked.model.predict_proba(X.iloc[:20])[:, 1].mean())


@pytest.mark.usefixtures("unmeasured")
@pytest.mark.parametrize("columns", [3, MOST_EXACT + 2])
def test_they_sum_to_the_probability(columns):
    X = table(columns)
    asked = explainer(X, (X["a"] + X["b"] > 0).astype(int))
    for place in (25, 40, 60):
        found = asked.explain(X.iloc[[place]], "a row", "y")
        total = found.base + sum(part.contribution for part in found.contributions)
        assert total == pytest.approx(found.probability, abs=1e-9)
        moved = [abs(part.contribution) for part in found.contributions]
        assert moved == sorted(moved, reverse=True)


def test_sampled_values_are_near_the_exact_ones():
    X = table(MOST_EXACT)
    y = (X["a"] + X["b"] * X["c"] > 0).astype(int)
    row, exact = X.iloc[[30]], explainer(X, y)
    more = X.assign(k=0.0)  # one more group, which tells nothing, and orders are sampled
    sampled = explainer(more, y).explain(more.iloc[[30]], "a row", "y")
    near = shares(sampled)
    assert near.pop(("k",)) == pytest.approx(0.0, abs=1e-12)
    assert near == pytest.approx(shares(exact.explain(row, "a row", "y")), abs=0.03)


@pytest.mark.parametrize("columns", [3, MOST_EXACT + 2])
def test_what_the_model_ignores_moves_nothing_and_equals_move_alike(columns):
    X = table(columns)
    X["b"] = X["a"]
    model = make_pipeline(LogisticRegression()).fit(X, (X["a"] > 0).astype(int))
    weights = np.zeros(columns)
    weights[:2] = 1.0
    model[-1].coef_ = weights[None]
    found = Explainer(model, X.iloc[:20], [[n] for n in X]).explain(X.iloc[[30]], "a row", "y")
    moved = shares(found)
    assert all(moved[n,] == pytest.approx(0.0, abs=1e-12) for n in X if n not in ("a", "b"))
    assert moved["a",] != 0
    assert moved["a",] == pytest.approx(moved["b",], abs=1e-12 if columns == 3 else 0.02)


@pytest.mark.usefixtures("unmeasured")
def test_same_seed_same_sample_and_another_seed_another():
    X = table(MOST_EXACT + 1)
    y = (X["a"] * X["b"] + X["c"] > 0).astype(int)
    forest = RandomForestClassifier(10, random_state=0)
    found = [
        shares(explainer(X, y, estimator=forest, seed=seed).explain(X.iloc[[30]], "", ""))
        for seed in (0, 0, 1)
    ]
    assert found[0] == found[1] != found[2]


def test_it_is_reported_in_words_and_in_plain_values():
    part = Contribution(["a", "b"], "a 1, b x", 0.25)
    told = Explanation("row 1", "y", 0.75, 0.5, [part], "mind this")
    assert repr(told).splitlines() == [
        "WARNING: mind this",
        "row 1: probability of y 0.750; the mean over the training rows is 0.500",
        "  +0.250  a 1, b x",
    ]
    plain = {"features": ["a", "b"], "values": "a 1, b x", "contribution": 0.25}
    assert told.to_dict()["contributions"] == [plain]
    assert "WARNING" not in repr(Explanation("row 1", "y", 0.5, 0.5, []))
