"""Known facts of the voyage change predictions in the expected direction."""

import numpy as np
import pandas as pd
import pytest

from titanic_ml.dataset.dataset import Dataset
from titanic_ml.prediction.predictor import Predictor

PASSENGER = {
    "PassengerId": 1,
    "Pclass": 2,
    "Name": "Doe, Mr. John",
    "Sex": "male",
    "Age": 30.0,
    "SibSp": 0,
    "Parch": 0,
    "Ticket": "1234",
    "Fare": 20.0,
    "Cabin": None,
    "Embarked": "S",
}
WOMAN = {"Sex": "female", "Name": "Doe, Mrs. John"}
BOY = {"Age": 4.0, "Name": "Doe, Master. John"}
PAIRS = [
    ("a woman above a man", WOMAN, {}),
    ("a boy above a man", BOY, {}),
    ("first class above third", {"Pclass": 1, "Fare": 60.0}, {"Pclass": 3, "Fare": 8.0}),
    ("a woman of first class above one of third", WOMAN | {"Pclass": 1}, WOMAN | {"Pclass": 3}),
    ("a young man above an old one", {"Age": 20.0}, {"Age": 70.0}),
    ("a small family above a large one", WOMAN | {"SibSp": 1}, WOMAN | {"SibSp": 5, "Parch": 2}),
]


@pytest.mark.parametrize("above, below", [p[1:] for p in PAIRS], ids=[p[0] for p in PAIRS])
def test_probability_is_higher(fitted, spec, above, below):
    table = pd.DataFrame([PASSENGER | above, PASSENGER | below | {"PassengerId": 2}])
    data = Dataset.from_frame(table, spec, "t", with_target=False)
    first, second = Predictor(fitted).probability(data.X)
    assert first > second + 0.02


@pytest.fixture(params=["dataset", "unlabelled"])
def X(request):
    """Every passenger as a stranger: with companions, their outcomes may count for more."""
    X = request.getfixturevalue(request.param).X
    number = pd.Series(range(len(X)), index=X.index).astype(str)
    names = "Nobody" + number + "," + X["Name"].str.split(",", n=1).str[1]
    return X.assign(Name=names, Ticket="none " + number + " x")


def test_every_passenger_is_likelier_to_live_as_a_woman(fitted, X):
    def turned(sex, title):
        names = X["Name"].str.replace(r", [^.]+\.", f", {title}.", regex=True)
        return Predictor(fitted).probability(X.assign(Sex=sex, Name=names))

    assert np.all(turned("female", "Mrs") > turned("male", "Mr"))


def test_no_passenger_is_likelier_to_live_in_third_class_than_in_first(fitted, X):
    first, third = (Predictor(fitted).probability(X.assign(Pclass=number)) for number in (1, 3))
    assert np.all(first >= third)


def test_a_woman_fares_as_the_women_of_her_party_did(fitted, dataset):
    women = dataset.X["Sex"] == "female"
    outcomes = dataset.y[women].groupby(dataset.X["Ticket"][women]).agg(["mean", "size"])
    large = outcomes[outcomes["size"] >= 2]
    row = dataset.X[women].head(1)
    happy, sad = (
        Predictor(fitted).probability(row.assign(Ticket=large[large["mean"] == outcome].index[0]))
        for outcome in (1, 0)
    )
    assert happy > sad + 0.05
