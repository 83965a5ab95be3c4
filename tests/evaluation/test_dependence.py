from __future__ import annotations

import pandas as pd

from titanic_ml.evaluation.dependence import MISSING, dependence, dependence_of_fold, grids


def test_grids_hold_quantiles_few_values_commonest_and_the_missing():
    frame = pd.DataFrame(
        {
            "number": [*range(99), None],
            "few": [3, 1, 2, 1] * 25,
            "category": (["a"] * 60 + ["b"] * 40),
            "text": ["words"] * 100,
            "empty": [None] * 100,
        }
    )
    kinds = {"number": "number", "few": "integer", "category": "category", "text": "text"}
    found = grids(frame, kinds | {"empty": "number", "absent": "number"})
    assert set(found) == {"number", "few", "category"}
    assert len(found["number"]) == 13 and found["number"][-1] is None
    assert found["number"][:-1] == sorted(found["number"][:-1])
    assert found["few"] == [1, 2, 3] and found["category"] == ["a", "b"]
    many = pd.DataFrame({"category": [f"{i:02}" for i in range(30) for _ in range(i)]})
    commonest = [f"{i:02}" for i in range(18, 30)]
    assert grids(many, {"category": "category"}) == {"category": commonest}


def test_dependence_follows_the_model(model, X):
    kinds = dict.fromkeys(X, "number")
    values = grids(X, kinds)
    fold = dependence_of_fold(model, X, values, 40)
    assert fold["used"].shape == (40, 12)
    found = {d.column: d.points for d in dependence([fold, fold], values, kinds)}
    rising = [point.probability for point in found["used"]]
    assert rising == sorted(rising) and rising[-1] > rising[0] + 0.3
    assert len({round(point.probability, 12) for point in found["ignored"]}) == 1
    assert all(p.low <= p.probability <= p.high for p in found["used"])


def test_a_missing_value_is_tried_where_the_column_has_any(fitted, dataset):
    kinds = {"Age": "number", "Fare": "number", "Sex": "category", "Pclass": "integer"}
    values = grids(dataset.X, kinds)
    fold = dependence_of_fold(fitted, dataset.X, values, 30)
    found = {d.column: d.points for d in dependence([fold], values, kinds)}
    assert found["Age"][-1].value == MISSING and found["Fare"][-1].value != MISSING
    female, male = found["Sex"]
    assert (female.value, male.value) == ("female", "male")
    assert female.probability > male.probability + 0.1
    first, *_, third = found["Pclass"]
    assert first.probability > third.probability
