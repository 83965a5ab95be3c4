from copy import deepcopy

import numpy as np
import pandas as pd
import pytest

from titanic_ml.preprocessing.titanic import PARTIES, TitanicFeatures, travelling_parties

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
    assert TitanicFeatures().fit_transform(X, dataset.y.head(3))["title"].tolist() == [title] * 3


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
    ({"Fare": 7.0, "Ticket": "new", "SibSp": 0, "Parch": 0}, "log_fare", np.log(8)),
    ({"Fare": 8.0, "Ticket": "new", "SibSp": 1, "Parch": 2}, "log_fare", np.log(3)),
    ({"Fare": 14.0, "Ticket": "1601", "SibSp": 0, "Parch": 0}, "log_fare", np.log(3)),
    ({"SibSp": 1, "Parch": 2}, "family_size", 4.0),
    ({"SibSp": 0, "Parch": 0}, "alone", 1.0),
    ({"SibSp": 0, "Parch": 1}, "alone", 0.0),
]


@pytest.mark.parametrize("facts, feature, value", FACTS)
def test_feature_says_what_its_fact_says(dataset, facts, feature, value):
    features = TitanicFeatures().fit(dataset.X, dataset.y)
    row = dataset.X.head(1).assign(**facts).astype({"Age": float, "Fare": float})
    found = features.transform(row)[feature].item()
    # A logarithm's last digit depends on the processor.
    assert found == (pytest.approx(value, rel=1e-12) if isinstance(value, float) else value)


def test_missing_age_and_fare_are_medians_of_the_training_rows(dataset, unlabelled):
    features = TitanicFeatures().fit(dataset.X, dataset.y)
    boys = dataset.X["Name"].str.contains(", MASTER") & (dataset.X["Pclass"] == 3)
    boy = dataset.X[boys & dataset.X["Age"].isna()]
    assert (features.transform(boy)["age"] == dataset.X[boys]["Age"].median()).all()
    without_fare = unlabelled.X[unlabelled.X["Fare"].isna()]
    alone = dataset.X["SibSp"] + dataset.X["Parch"] == 0
    expected = dataset.X[alone & (dataset.X["Pclass"] == 3)]["Fare"].median()
    assert features.transform(without_fare)["log_fare"].item() == np.log1p(expected)


def test_transform_learns_nothing_and_changes_nothing(dataset, unlabelled):
    features = TitanicFeatures().fit(dataset.X, dataset.y)
    before = features.transform(dataset.X)
    learned = deepcopy([features.age_medians_, features.fare_medians_, features.heads_])
    given = unlabelled.X.copy(deep=True)
    features.transform(unlabelled.X)
    pd.testing.assert_frame_equal(unlabelled.X, given)
    assert [features.age_medians_, features.fare_medians_, features.heads_] == learned
    pd.testing.assert_frame_equal(features.transform(dataset.X), before)


OUTCOMES = [f"{party}_{part}" for party in PARTIES for part in ("men", "women")]


def fitted_features(X, y):
    return TitanicFeatures().fit_transform(X, y)


def features_of_training_rows(X, y):
    return TitanicFeatures().fit(X, y).transform(X)


@pytest.mark.parametrize("compute", [fitted_features, features_of_training_rows])
def test_moving_a_rows_label_changes_no_feature_of_that_row(dataset, compute):
    """Flip each of some labels; the row's own features stay as they are."""
    before = compute(dataset.X, dataset.y)
    large = dataset.X["Ticket"].value_counts().head(8).index
    rows = np.flatnonzero(dataset.X["Ticket"].isin(large))[::3]
    assert len(rows) > 15
    for row in rows:
        y = dataset.y.copy()
        y.iloc[row] = 1 - y.iloc[row]
        after = compute(dataset.X, y)
        pd.testing.assert_series_equal(after.iloc[row], before.iloc[row])
        assert not after[OUTCOMES].equals(before[OUTCOMES])  # its companions' do change


def test_a_training_row_is_recognised_later_alone_or_among_others(dataset, unlabelled):
    features = TitanicFeatures()
    learned = features.fit(dataset.X, dataset.y).transform(dataset.X)
    mixed = pd.concat([unlabelled.X.head(200), dataset.X[::-3], unlabelled.X.tail(20)])
    among = features.transform(mixed.reset_index(drop=True)).iloc[200:-20]
    pd.testing.assert_frame_equal(
        among.reset_index(drop=True), learned[::-3].reset_index(drop=True), check_exact=True
    )
    for row, expected in zip(dataset.X.to_dict("records")[:60], learned.to_dict("records")):
        assert features.columns(row) == expected


def test_fit_and_fit_transform_learn_the_same(dataset):
    first, second = TitanicFeatures(), TitanicFeatures()
    first.fit(dataset.X, dataset.y)
    cross_fitted = second.fit_transform(dataset.X, dataset.y)
    found = first.transform(dataset.X)
    pd.testing.assert_frame_equal(found, second.transform(dataset.X), check_exact=True)
    same = [name for name in found if name not in OUTCOMES]
    pd.testing.assert_frame_equal(cross_fitted[same], found[same], check_exact=True)


def test_cross_fitted_features_do_not_depend_on_the_order_of_the_rows(dataset):
    order = np.random.default_rng(0).permutation(len(dataset.X))
    found = TitanicFeatures().fit_transform(dataset.X, dataset.y)
    mixed = TitanicFeatures().fit_transform(dataset.X.iloc[order], dataset.y.iloc[order])
    pd.testing.assert_frame_equal(mixed, found.iloc[order], rtol=0, atol=1e-12)


def test_other_rows_change_no_training_feature(dataset, unlabelled):
    features = TitanicFeatures()
    before = features.fit_transform(dataset.X, dataset.y)
    features.transform(unlabelled.X)
    again = TitanicFeatures().fit_transform(dataset.X, dataset.y)
    pd.testing.assert_frame_equal(again, before)


def test_strangers_are_neutral_and_men_get_nothing_from_women(dataset):
    features = TitanicFeatures().fit(dataset.X, dataset.y)
    strangers = dataset.X.assign(Ticket="none 1", Name="Nobody, Miss. Ann", Fare=1.0)
    assert (features.transform(strangers)[OUTCOMES] == 0).all(axis=None)
    men = features.transform(dataset.X[dataset.X["Name"].str.contains(", MR\\.")])
    women = [name for name in OUTCOMES if name.endswith("_women")]
    assert (men[women] == 0).all(axis=None)
    assert (men.drop(columns=women)[OUTCOMES[::2]] != 0).any(axis=None)


def test_party_survival_features(dataset):
    """A woman on the ticket of women who all lived against one on a ticket of dead ones."""
    women = dataset.X["Sex"] == "female"
    outcomes = dataset.y[women].groupby(dataset.X["Ticket"][women]).agg(["mean", "size"])
    large = outcomes[outcomes["size"] >= 3]
    living, dead = large[large["mean"] == 1].index[0], large[large["mean"] == 0].index[0]
    features = TitanicFeatures().fit(dataset.X, dataset.y)
    rows = dataset.X[women].head(2).assign(Ticket=[living, dead])
    happy, sad = features.transform(rows)["ticket_women"]
    assert sad < -0.1 < 0 < happy


def test_a_table_of_men_teaches_nothing_of_women(dataset):
    men = (dataset.X["Sex"] == "male") & ~dataset.X["Name"].str.contains("MASTER")
    features = TitanicFeatures().fit(dataset.X[men], dataset.y[men])
    made = features.transform(dataset.X)
    assert (made["ticket_women"] == 0).all() and list(made) == list(
        features.get_feature_names_out()
    )


def test_a_row_alone_or_in_another_order_gets_the_same(dataset, unlabelled):
    features = TitanicFeatures().fit(dataset.X, dataset.y)
    whole = features.transform(unlabelled.X)
    pd.testing.assert_frame_equal(features.transform(unlabelled.X[::-1]), whole[::-1])
    some = unlabelled.X.iloc[::25]
    alone = pd.concat([features.transform(some.iloc[[i]]) for i in range(len(some))])
    pd.testing.assert_frame_equal(alone, whole.loc[some.index])


def test_parties_are_chains_of_what_is_shared(dataset):
    X = dataset.X.head(5).assign(
        Ticket=["A", "A", "B", "C", "D"],
        Name=["X, Mr. A", "Y, Mr. B", "Y, Mr. C", "Z, Mr. D", "W, Mr. E"],
        Pclass=3,
        SibSp=1,
        Parch=0,
        Fare=[1.0, 2.0, 3.0, 4.0, 5.0],
    )
    numbers = travelling_parties(X)
    assert numbers[0] == numbers[1] == numbers[2]  # by the ticket, then by the family
    assert len(set(numbers)) == 3
    whole = travelling_parties(dataset.X)
    for key in ("Ticket",):
        assert (pd.Series(whole).groupby(dataset.X[key].to_numpy()).nunique() == 1).all()


def test_the_names_that_people_read_are_of_features(spec):
    assert set(spec.labels) <= set(TitanicFeatures().get_feature_names_out())


def test_plain_columns_of_one_row_give_what_the_table_gives(dataset, unlabelled):
    features = TitanicFeatures().fit(dataset.X, dataset.y)
    whole = features.transform(unlabelled.X)
    for row, expected in zip(unlabelled.X.to_dict("records")[:60], whole.to_dict("records")):
        assert features.columns(row) == expected
    missing = unlabelled.X.head(1).to_dict("records")[0] | {"Cabin": None, "Embarked": None}
    found = features.columns(missing)
    assert found["deck"] == found["embarked"] == "unknown"
