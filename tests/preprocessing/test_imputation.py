import numpy as np
import pandas as pd
from sklearn.utils.estimator_checks import parametrize_with_checks

from titanic_ml.preprocessing.imputation import GroupMedianImputer


@parametrize_with_checks([GroupMedianImputer()])
def test_scikit_learn_takes_it_for_one_of_its_own(estimator, check):
    check(estimator)


GROUPS = pd.DataFrame(
    {
        "title": ["Mr", "Mr", "Mr", "Miss", "Miss", "Dr"],
        "age": [30.0, 40.0, np.nan, 10.0, np.nan, np.nan],
    }
)


def test_group_median_fills_by_group_then_by_all():
    imputer = GroupMedianImputer(by=["title"]).fit(GROUPS)
    assert imputer.transform(GROUPS)["age"].tolist() == [30, 40, 35, 10, 10, 30]
    unseen = pd.DataFrame({"title": ["Sir", "Mr"], "age": [np.nan, 1.0]})
    assert imputer.transform(unseen)["age"].tolist() == [30, 1]


def test_group_median_by_two_columns_leaves_input_and_keys_alone():
    frame = GROUPS.assign(pclass=["1", "2", "2", "1", "1", "1"]).set_axis(list("fedcba"))
    before = frame.copy(deep=True)
    filled = GroupMedianImputer(by=["title", "pclass"]).fit_transform(frame)
    pd.testing.assert_frame_equal(frame, before)
    pd.testing.assert_frame_equal(filled.drop(columns="age"), frame.drop(columns="age"))
    assert filled["age"].tolist() == [30, 40, 40, 10, 10, 30]


def test_a_column_without_any_number_becomes_zero():
    frame = pd.DataFrame({"age": [np.nan, np.nan]})
    assert GroupMedianImputer().fit_transform(frame)["age"].tolist() == [0, 0]
