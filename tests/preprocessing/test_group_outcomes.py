import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import log_loss

from titanic_ml.preprocessing.group_outcomes import CompanionResiduals

NAMES = ["ticket_men", "ticket_women"]


def table(rows=60, seed=0):
    random = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "ticket": random.choice(list("abcdefghijklmnopqrstuvwxyz"), rows),
            "part": random.choice(["men", "women"], rows),
            "cell": random.choice(["Mr1", "Mr3", "Miss1"], rows),
        }
    )
    return frame, random.integers(0, 2, rows)


def learnt(frame, y, **kwargs):
    return CompanionResiduals(**kwargs).fit(*columns(frame), y)


def of_the_same(frame, y, **kwargs):
    """The features of the rows that are learned from."""
    found = CompanionResiduals(**kwargs).fit_transform(*columns(frame), y)
    return pd.DataFrame(found, index=frame.index)


def of_others(fitted, frame):
    return pd.DataFrame(fitted.transform({"ticket": frame["ticket"]}), index=frame.index)


def columns(frame):
    return {"ticket": frame["ticket"]}, frame["part"].to_numpy(), frame["cell"]


def without(frame, y, row, k=2.0):
    """The features of one row by the definition, from the other rows alone."""
    others = np.arange(len(frame)) != row
    rest, outcome = frame[others], y[others]
    found = []
    for part in ("men", "women"):
        near = (rest["ticket"] == frame["ticket"][row]) & (rest["part"] == part)
        residuals = []
        for cell, lived in zip(rest["cell"][near], outcome[near], strict=True):
            same = outcome[rest["cell"] == cell]
            residuals.append(lived - (same.sum() + k * outcome.mean()) / (len(same) + k))
        found.append(sum(residuals) / (len(residuals) + k))
    return found


def test_a_training_row_is_left_out_of_all_that_is_computed_for_it():
    frame, y = table()
    made = of_the_same(frame, y)
    assert list(made) == NAMES
    expected = [without(frame, y, row) for row in range(len(frame))]
    assert np.allclose(made.to_numpy(), expected)


def test_its_own_outcome_changes_no_feature_of_a_row():
    frame, y = table()
    before = of_the_same(frame, y)
    for row in range(len(frame)):
        flipped = y.copy()
        flipped[row] = 1 - y[row]
        after = of_the_same(frame, flipped)
        pd.testing.assert_series_equal(after.iloc[row], before.iloc[row])
    assert not after.equals(before)  # but those of its companions do change


def test_other_rows_see_all_training_rows():
    frame, y = table()
    fitted = learnt(frame, y)
    for row in (0, 7, 23):
        rest = np.arange(len(frame)) != row
        left_out = of_others(learnt(frame[rest], y[rest]), frame.iloc[[row]])
        assert np.allclose(left_out.to_numpy()[0], without(frame, y, row))
    strangers = frame.head(3).assign(ticket="never seen")
    assert (of_others(fitted, strangers) == 0).all(axis=None)


def test_rows_alone_in_a_batch_or_in_another_order_get_the_same():
    frame, y = table()
    fitted = learnt(frame, y)
    whole = of_others(fitted, frame)
    alone = pd.concat([of_others(fitted, frame.iloc[[row]]) for row in range(len(frame))])
    pd.testing.assert_frame_equal(alone, whole)
    pd.testing.assert_frame_equal(of_others(fitted, frame[::-1]), whole[::-1])


def test_shrinkage_pulls_towards_zero():
    frame, y = table()
    weak, strong = (of_the_same(frame, y, shrinkage=k).abs() for k in (0.5, 50.0))
    assert strong.to_numpy().sum() < 0.2 * weak.to_numpy().sum()


def test_a_single_row_has_no_companions():
    frame, y = table(rows=1)
    assert (of_the_same(frame, y) == 0).all(axis=None)


def test_it_needs_outcomes():
    with pytest.raises(ValueError, match="learns from y"):
        learnt(table()[0], None)


def test_a_single_row_gets_what_it_gets_in_a_table():
    frame, y = table()
    fitted = learnt(frame, y)
    whole = of_others(fitted, frame)
    for place, ticket in enumerate(frame["ticket"]):
        assert fitted.transform({"ticket": [ticket]}) == whole.iloc[place].to_dict()
    assert fitted.transform({"ticket": ["never seen"]}) == dict.fromkeys(whole, 0.0)


def test_cross_fitted_values_are_those_of_the_other_folds():
    frame, y = table()
    folds = np.arange(len(frame)) % 3
    found = CompanionResiduals().cross_fit(*columns(frame), y, folds)
    for fold in range(3):
        rest = frame[folds != fold].reset_index(drop=True)
        fitted = learnt(rest, y[folds != fold])
        expected = of_others(fitted, frame[folds == fold])
        for name in NAMES:
            assert np.allclose(found[name][folds == fold], expected[name])


def test_a_tree_can_not_read_a_rows_outcome_from_cross_fitted_values():
    """Groups of three with random outcomes: nothing can be learned from the other two."""
    random = np.random.default_rng(0)
    rows = 900
    groups, y = {"ticket": np.repeat(np.arange(rows // 3), 3)}, random.integers(0, 2, rows)
    part, cell = np.full(rows, "all"), ["one"] * rows
    left_out = CompanionResiduals().fit_transform(groups, part, cell, y)["ticket_all"]
    folds = random.integers(0, 5, rows)
    crossed = CompanionResiduals().cross_fit(groups, part, cell, y, folds)["ticket_all"]
    fresh_y = random.integers(0, 2, rows)
    fresh = CompanionResiduals().fit(groups, part, cell, fresh_y).transform(groups)["ticket_all"]
    losses = {}
    for name, values in (("left out", left_out), ("crossed", crossed)):
        X = np.column_stack([values, np.repeat(np.arange(rows // 3), 3)])
        model = HistGradientBoostingClassifier(random_state=0).fit(X, y)
        new = np.column_stack([fresh, np.repeat(np.arange(rows // 3), 3)])
        losses[name] = log_loss(fresh_y, model.predict_proba(new)[:, 1])
    assert losses["crossed"] < losses["left out"]
