"""One row alone gets what it gets in a table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from titanic_ml.dataset.dataset import Dataset
from titanic_ml.errors import InvalidTable
from titanic_ml.prediction.predictor import Predictor
from titanic_ml.prediction.row import RowPredictor
from titanic_ml.preprocessing.encoder import build_preprocessor
from titanic_ml.preprocessing.titanic import TitanicFeatures

ROOT = Path(__file__).parents[2]
TABLES = ["data/train.csv", "data/test.csv", "tests/known/made_passengers.parquet"]


def rows_of(table: str, spec) -> tuple[list[dict], Dataset]:
    path = ROOT / table
    frame = pd.read_csv(path) if path.suffix == ".csv" else pd.read_parquet(path)
    frame = frame.astype("object")
    dataset = Dataset.from_frame(frame, spec, table, with_target=False)
    return frame.where(frame.notna(), None).to_dict("records"), dataset


@pytest.fixture(scope="module", params=["logistic_regression", "gradient_boosting"])
def predictor(request, candidates, dataset) -> Predictor:
    candidate = candidates[request.param]
    settings = candidate.param_grid()[0]
    preprocessor = build_preprocessor(TitanicFeatures())
    return Predictor(candidate.fit_pipeline(preprocessor, settings, 0, dataset.X, dataset.y), 0.4)


@pytest.fixture
def row_predictor(predictor, spec) -> RowPredictor:
    return RowPredictor(predictor, spec)


@pytest.mark.usefixtures("unmeasured")
@pytest.mark.parametrize("table", TABLES)
def test_a_row_alone_gets_what_it_gets_in_a_table(row_predictor, predictor, spec, table):
    rows, dataset = rows_of(table, spec)
    if not isinstance(predictor.model[-1], LogisticRegression):
        rows, dataset = rows[:60], Dataset(dataset.ids[:60], dataset.X[:60], None)  # it is slow
    with threadpool_limits(1):  # threads for one row only get in each other's way
        whole = predictor.predict(dataset, spec, with_probability=True)
        found = pd.DataFrame([row_predictor.predict(row) for row in rows], columns=list(whole))
    pd.testing.assert_frame_equal(found, whole.reset_index(drop=True), rtol=0, atol=1e-12)


def test_a_bad_row_has_the_faults_of_a_table(row_predictor, predictor, spec):
    rows, _ = rows_of("data/test.csv", spec)
    bad = rows[0] | {"Pclass": 7, "Age": "old"}
    with pytest.raises(InvalidTable) as caught:
        row_predictor.predict(bad)
    with pytest.raises(InvalidTable) as expected:
        Dataset.from_frame(pd.DataFrame([bad]), spec, "the table", with_target=False)
    assert str(caught.value) == str(expected.value) and len(caught.value.faults) == 2


def test_numbers_of_numpy_are_read(row_predictor, spec):
    rows, _ = rows_of("data/test.csv", spec)
    odd = rows[0] | {"Pclass": np.int64(3), "Fare": np.float32(7.8292)}
    assert row_predictor.predict(odd) == row_predictor.predict(rows[0] | {"Fare": 7.8292})


def test_a_model_of_other_steps_predicts_through_scikit_learn(candidates, dataset, spec):
    candidate = candidates["one_column"]
    model = candidate.fit_pipeline(candidate.preprocessor, {}, 0, dataset.X, dataset.y)
    predictor = Predictor(model)
    one = RowPredictor(predictor, spec)
    rows, asked = rows_of("data/test.csv", spec)
    whole = predictor.predict(asked, spec, with_probability=True)
    assert predictor.fast_path is None
    expected = list(whole[:9].itertuples(False, None))
    assert [one.predict(row) for row in rows[:9]] == one.predict_table(rows[:9]) == expected


def test_independent_rows_are_predicted_together(row_predictor, spec):
    rows, _ = rows_of("data/test.csv", spec)
    bad = rows[1] | {"Pclass": 7}
    found = row_predictor.predict_each([rows[0], bad, rows[2], rows[0]])
    first = row_predictor.predict(rows[0])
    assert found[::3] == [first, first] and found[2] == row_predictor.predict(rows[2])
    with pytest.raises(InvalidTable) as caught:
        row_predictor.predict(bad)
    assert str(found[1]) == str(caught.value)
    assert str(row_predictor.predict_each([bad])[0]) == str(caught.value)


def test_many_rows_are_one_table(row_predictor, spec):
    rows, _ = rows_of("data/test.csv", spec)
    short = [{name: v for name, v in row.items() if v is not None} for row in rows[:9]]
    assert row_predictor.predict_table(short) == [row_predictor.predict(row) for row in rows[:9]]
    with pytest.raises(InvalidTable, match="row 3, column Pclass(.|\n)*row 4, column PassengerId"):
        row_predictor.predict_table([*rows[:2], rows[2] | {"Pclass": 7}, rows[0]])
