import shutil

import pandas as pd
import pytest

from titanic_ml.errors import InvalidTable, ModelRefused
from titanic_ml.integrations import mlflow_model
from titanic_ml.registry.store import ModelStore


@pytest.fixture
def served(store):
    """The champion, from a folder that holds it alone and no more than its predictions need."""
    version = ModelStore(str(store)).open("champion")
    alone = store.parent / "alone" / version.name
    alone.mkdir(parents=True)
    for file in ("manifest.json", "model.joblib"):
        shutil.copy(store / version.name / file, alone)
    return mlflow_model._load_pyfunc(str(alone.parent))


def test_it_predicts_as_predict_does(served, pipeline, test_frame):
    wanted = pipeline.predict(test_frame, probability=True)
    pd.testing.assert_frame_equal(served.predict(test_frame), wanted, check_exact=True)


def test_what_may_be_missing_may_be_left_out(served, pipeline, test_frame):
    rows = test_frame.head(3).assign(Age=None, Fare=None, Cabin=None, Embarked=None)
    wanted = pipeline.predict(rows, probability=True)
    fewer = rows.drop(columns=["Age", "Fare", "Cabin", "Embarked"])
    pd.testing.assert_frame_equal(served.predict(fewer), wanted, check_exact=True)


def test_a_bad_row_is_reported_by_place(served, test_frame):
    with pytest.raises(InvalidTable, match="row 2, column Sex: found 'x', expected a word"):
        served.predict(test_frame.head(2).assign(Sex=["male", "x"]))
    with pytest.raises(InvalidTable, match="column Name: found no column of this name"):
        served.predict(test_frame.head(2).drop(columns="Name"))


def test_a_changed_model_is_refused_when_it_is_loaded(store):
    version = ModelStore(str(store)).open("champion")
    (store / version.name / "model.joblib").write_bytes(b"something else")
    with pytest.raises(ModelRefused, match="not the file that was saved"):
        mlflow_model._load_pyfunc(str(store))
