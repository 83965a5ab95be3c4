"""Changes without meaning leave predictions unchanged, for both tables and the whole model."""

import numpy as np
import pytest

from titanic_ml.dataset.dataset import Dataset
from titanic_ml.prediction.predictor import Predictor


@pytest.fixture(params=["train_frame", "test_frame"])
def frame(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def probability(fitted, spec):
    def of(frame):
        data = Dataset.from_frame(frame, spec, "t", with_target=False)
        return Predictor(fitted).probability(data.X)

    return of


def test_a_row_alone_has_the_answer_it_has_in_a_batch(frame, probability):
    together = probability(frame)
    for row in range(0, len(frame), 31):
        alone = probability(frame.iloc[[row]])
        assert alone[0] == pytest.approx(together[row], abs=1e-12)


def test_another_order_of_rows_gives_the_same_answers(frame, probability):
    order = np.random.default_rng(0).permutation(len(frame))
    assert np.allclose(
        probability(frame.iloc[order]), probability(frame)[order], atol=1e-12, rtol=0
    )


CHANGES = {
    "order of columns": lambda f: f[sorted(f)],
    "index": lambda f: f.set_axis([f"row {i}" for i in range(len(f))]),
    "id": lambda f: f.assign(PassengerId=range(5000, 5000 + len(f))),
    "target": lambda f: f.assign(Survived=1),
    "first names": lambda f: f.assign(Name=f["Name"].str.replace(r"\. .*", ". X", regex=True)),
    "cabin's number": lambda f: f.assign(Cabin=f["Cabin"].str[0] + "1"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_answer_does_not_depend_on(frame, probability, change, request):
    if change == "first names" and request.node.callspec.params["frame"] == "train_frame":
        frame = frame.drop_duplicates("Ticket", keep=False)
        frame = frame[(frame[["SibSp", "Parch"]].astype("int64") == 0).all(axis=1)]
        changed = probability(CHANGES[change](frame))
        # With another name the row is a new passenger, and the training passenger is a companion.
        assert np.abs(changed - probability(frame)).max() > 0.1
        return
    assert np.allclose(probability(CHANGES[change](frame)), probability(frame), atol=1e-12, rtol=0)


@pytest.mark.parametrize(
    "change",
    [
        {"Age": 50.0},
        {"Cabin": "E10"},
        {"Embarked": "Q"},
    ],
    ids=str,
)
def test_an_edited_training_row_is_still_that_passenger(fitted, dataset, change):
    """Its own outcome stays left out of the features of its party."""
    features = fitted[0].transform(dataset.X.assign(**change))
    outcomes = [name for name in features if name.endswith(("_men", "_women"))]
    assert features[outcomes].equals(fitted[0].transform(dataset.X)[outcomes])
