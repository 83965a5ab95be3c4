import numpy as np
import pandas as pd
import pytest

from titanic_ml.errors import SettingsError
from titanic_ml.estimator.one_column import one_column_encoder, one_column_estimator

COLUMNS = {
    "id": {"kind": "integer"},
    "note": {"kind": "text"},
    "home": {"kind": "category"},
    "income": {"kind": "number"},
    "y": {"kind": "integer"},
}
OTHERS = ["id", "y"]


def rates(baseline, X, y):
    matrix = one_column_encoder(COLUMNS, OTHERS, baseline).fit_transform(X)
    return one_column_estimator(COLUMNS, OTHERS, baseline).fit(matrix, y).predict_proba(matrix)


@pytest.mark.parametrize("baseline", [None, "home", "income"])
def test_the_rate_of_each_value_or_range_is_predicted(baseline):
    random = np.random.default_rng(0)
    high = random.random(400) < 0.5
    X = pd.DataFrame({"home": np.where(high, "own", "rent"), "income": high + random.random(400)})
    y = random.random(400) < np.where(high, 0.8, 0.2)
    found = rates(baseline, X.assign(note="x"), y)[:, 1]
    assert found[high].mean() == pytest.approx(y[high].mean(), abs=0.02)
    assert found[~high].mean() == pytest.approx(y[~high].mean(), abs=0.02)


def test_a_missing_number_has_a_rate_too():
    X = pd.DataFrame({"income": [np.nan] * 50 + [1.0] * 50})
    y = np.array([1] * 40 + [0] * 10 + [1] * 10 + [0] * 40)
    assert rates("income", X, y)[[0, 99], 1] == pytest.approx([0.8, 0.2])


def test_a_table_of_free_texts_has_no_baseline():
    columns = {name: COLUMNS[name] for name in ("id", "note", "y")}
    with pytest.raises(SettingsError, match="all input columns are free texts"):
        one_column_encoder(columns, OTHERS)
