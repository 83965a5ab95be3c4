"""Whether the world has moved: large differences beyond chance, and nothing else."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from titanic_ml.dataset.dataset import Dataset
from titanic_ml.monitoring.drift import DriftDetector, _chi_squared, _psi
from titanic_ml.monitoring.profile import Profile

CHANGES = {
    "fares doubled": ({"Fare"}, lambda X: X.assign(Fare=2 * X["Fare"])),
    "third class": ({"Pclass"}, lambda X: X.assign(Pclass=3)),
    "ages missing": ({"Age"}, lambda X: X.assign(Age=np.nan)),
    "half of the ages missing": ({"Age"}, lambda X: X.assign(Age=X["Age"].where(X.index % 2 == 0))),
    "swapped": (
        {"SibSp", "Parch"},
        lambda X: X.rename(columns={"SibSp": "Parch", "Parch": "SibSp"}),
    ),
    "a new port": ({"Embarked"}, lambda X: X.assign(Embarked=X["Embarked"].replace("S", "B"))),
    "cabins known": ({"Cabin"}, lambda X: X.assign(Cabin=X["Cabin"].fillna("C85"))),
    "as it was": (set(), lambda X: X),
}


@pytest.fixture
def halves(dataset, spec) -> tuple[Profile, pd.DataFrame]:
    """The profile of two thirds of the table, and the columns of the others."""
    order = np.random.default_rng(0).permutation(len(dataset))
    chance = pd.DataFrame({"repeat_1": np.random.default_rng(1).random(591)})
    first = Dataset(dataset.ids, dataset.X.iloc[order[:591]], None)
    profile = Profile.of(first.profile(spec), chance)
    return profile, dataset.X.iloc[order[591:]].reset_index(drop=True)


@pytest.mark.parametrize("change", CHANGES)
def test_what_has_moved_is_named_and_nothing_else(halves, change):
    profile, later = halves
    expected, changed = CHANGES[change]
    drift = DriftDetector().compare(profile, changed(later))
    assert {column.name for column in drift.drifted} == expected
    for name in expected:
        assert name in drift.verdict
    assert expected or drift.verdict == "no drift in 300 rows"


def test_what_is_said_of_a_column(halves):
    profile, later = halves
    found = DriftDetector().compare(profile, later.assign(Embarked="B", Age=np.nan))
    by_name = {column.name: column for column in found.columns}
    assert by_name["Embarked"].unseen == 1 and "100% are values that" in by_name["Embarked"].words
    assert by_name["Age"].missing_now == 1 and "100% now" in by_name["Age"].words
    assert found.columns[0].psi == max(column.psi for column in found.columns)
    assert found.to_dict()["drifted"] == [column.name for column in found.drifted]


def test_a_difference_beyond_chance_that_is_small_is_no_drift(halves):
    profile, later = halves
    many = pd.concat([later.assign(Age=later["Age"] + 1)] * 300, ignore_index=True)
    age = next(c for c in DriftDetector().compare(profile, many).columns if c.name == "Age")
    assert age.p < 1e-2 and age.psi < 0.1 and not age.drifted


def test_of_few_rows_nothing_is_said(halves):
    profile, later = halves
    found = DriftDetector().compare(profile, later.assign(Pclass=3).head(29))
    assert not found.drifted and found.verdict == "too few rows to tell: 29, expected at least 30"


def test_the_probability_is_a_column_too(halves):
    profile, later = halves
    moved = np.random.default_rng(2).random(300) ** 3
    drift = DriftDetector().compare(profile, later, moved)
    assert [column.name for column in drift.drifted] == ["probability"]


def test_the_index_by_hand():
    before, now = np.array([50.0, 50.0]), np.array([80.0, 20.0])
    a, b = np.array([0.5, 0.5]), np.array([80.5, 20.5]) / 101
    assert _psi(before, now) == pytest.approx(float(((a - b) * np.log(a / b)).sum()) - 2 / 100)
    assert _psi(before, before) == 0


def test_the_index_without_drift_is_seldom_large():
    """Without its value by chance; with it 90% of tables of 30 rows have an index above 0.1."""
    random = np.random.default_rng(0)
    found = []
    for rows in (30, 100):
        tables = (np.bincount(random.integers(0, 10, rows), minlength=10) for _ in range(500))
        found.append(np.mean([_psi(np.full(10, 89.0), now.astype(float)) >= 0.1 for now in tables]))
    assert found[0] < 0.5 and found[1] < 0.1


def test_rare_values_are_put_together_in_the_chi_squared_test():
    before, now = [500, 300, 2, 1, 1], [200, 200, 0, 1, 0]
    alike = stats.chi2_contingency([[500, 300, 4], [200, 200, 1]]).pvalue
    assert _chi_squared(before, now) == pytest.approx(alike)
    assert _chi_squared([5, 0], [7, 0]) == 1
