import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.utils.estimator_checks import parametrize_with_checks

from titanic_ml.preprocessing import GroupMedianImputer, TitanicFeatures, build_preprocessor


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


NAMES = {
    "Braund, Mr. Owen Harris": "Mr",
    "Rice, Master. Eugene": "Master",
    "Sagesser, Mlle. Emma": "Miss",
    "Reynaldo, Ms. Encarnacion": "Miss",
    "Aubart, Mme. Leontine Pauline": "Mrs",
    "Rothes, the Countess. of (Lucy Noel Martha Dyer-Edwards)": "rare",
    "Uruchurtu, Don. Manuel E": "rare",
    "Nobody": "rare",
}


@pytest.mark.parametrize("name, title", NAMES.items())
def test_title_is_read_from_the_name(dataset, name, title):
    X = dataset.X.head(3).assign(Name=name)
    assert TitanicFeatures().fit_transform(X)["title"].tolist() == [title] * 3


FACTS = [
    ({"Cabin": "C85"}, "deck", "C"),
    ({"Cabin": "F G73"}, "deck", "F"),
    ({"Cabin": None}, "deck", "unknown"),
    ({"Embarked": None}, "embarked", "unknown"),
    ({"Sex": "female", "Pclass": 2}, "sex_pclass", "female_2"),
    ({"Age": 4.0}, "child", 12.0),
    ({"Age": 40.0}, "child", 0.0),
    ({"Age": 40.0}, "age_known", 1.0),
    ({"Age": None}, "age_known", 0.0),
    ({"Fare": 0.0}, "log_fare", 0.0),
    ({"SibSp": 1, "Parch": 2}, "family_size", 4.0),
    ({"SibSp": 0, "Parch": 0}, "alone", 1.0),
    ({"SibSp": 0, "Parch": 1}, "alone", 0.0),
]


@pytest.mark.parametrize("facts, feature, value", FACTS)
def test_feature_says_what_its_fact_says(dataset, facts, feature, value):
    features = TitanicFeatures().fit(dataset.X)
    row = dataset.X.head(1).assign(**facts).astype({"Age": float, "Fare": float})
    assert features.transform(row)[feature].item() == value


def test_missing_age_and_fare_are_medians_of_the_training_rows(dataset, unlabelled):
    features = TitanicFeatures().fit(dataset.X)
    boys = dataset.X["Name"].str.contains(", Master") & (dataset.X["Pclass"] == 3)
    boy = dataset.X[boys & dataset.X["Age"].isna()]
    assert (features.transform(boy)["age"] == dataset.X[boys]["Age"].median()).all()
    without_fare = unlabelled.X[unlabelled.X["Fare"].isna()]
    alone = dataset.X["SibSp"] + dataset.X["Parch"] == 0
    expected = dataset.X[alone & (dataset.X["Pclass"] == 3)]["Fare"].median()
    assert features.transform(without_fare)["log_fare"].item() == np.log1p(expected)


def test_transform_learns_nothing_and_changes_nothing(dataset, unlabelled):
    features = TitanicFeatures().fit(dataset.X)
    before = features.transform(dataset.X)
    learned = features.age_imputer_.medians_.copy(), features.fare_imputer_.medians_.copy()
    given = unlabelled.X.copy(deep=True)
    features.transform(unlabelled.X)
    pd.testing.assert_frame_equal(unlabelled.X, given)
    pd.testing.assert_frame_equal(features.age_imputer_.medians_, learned[0])
    pd.testing.assert_frame_equal(features.fare_imputer_.medians_, learned[1])
    pd.testing.assert_frame_equal(features.transform(dataset.X), before)


def test_matrix_is_finite_scaled_and_named(dataset, unlabelled):
    preprocessor = build_preprocessor(TitanicFeatures())
    matrix = preprocessor.fit_transform(dataset.X, dataset.y)
    names = list(preprocessor.get_feature_names_out())
    assert matrix.shape == (891, len(names)) and len(set(names)) == len(names)
    assert {"age", "sex_female", "title_Master", "sex_pclass_male_1"} <= set(names)
    numbers = matrix[:, :6]
    assert np.allclose(numbers.mean(axis=0), 0) and np.allclose(numbers.std(axis=0), 1)
    assert set(np.unique(matrix[:, 6:])) == {0.0, 1.0}
    assert np.isfinite(preprocessor.transform(unlabelled.X)).all()


def test_matrix_comes_as_a_frame_if_wished(dataset):
    preprocessor = build_preprocessor(TitanicFeatures())
    plain = clone(preprocessor).fit_transform(dataset.X)
    frame = preprocessor.set_output(transform="pandas").fit_transform(dataset.X)
    assert list(frame) == list(preprocessor.get_feature_names_out())
    assert np.array_equal(frame.to_numpy(), plain)


def test_rare_and_unseen_categories_share_a_column(dataset):
    preprocessor = build_preprocessor(TitanicFeatures()).fit(dataset.X)
    rows = dataset.X.head(2).assign(Cabin=["T1", "Z9"])  # one T in the table, no Z
    names = list(preprocessor.get_feature_names_out())
    column = preprocessor.transform(rows)[:, names.index("deck_infrequent_sklearn")]
    assert column.tolist() == [1, 1]
