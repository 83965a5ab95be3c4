"""How a column becomes a number: the transformers and the unfitted preprocessor."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from titanic_ml.preprocessing.group_outcomes import CompanionResiduals
from titanic_ml.preprocessing.imputation import GroupMedianImputer

# The commonest titles in both tables; the French and formal ones are folded into them.
TITLES = {"MR": "Mr", "MRS": "Mrs", "MISS": "Miss", "MASTER": "Master"}
TITLES |= {"MLLE": "Miss", "MS": "Miss", "MME": "Mrs"}
PENCE = 240  # in a pound of 1912
PARTIES = ["ticket", "family", "booking"]  # what a party is known by


class TitanicFeatures(TransformerMixin, BaseEstimator):
    """What a passenger's facts say: the only place that knows a title, a deck or a party.

    Features
    --------
    sex, pclass, embarked
        As they stand; the class as a category, for its steps are not equal.
    title
        Between surname and first name: it tells boys (Master) from men and the unmarried (Miss)
        from the married. Rare ones (officers, clergy, nobles) are one group.
    sex_pclass
        Women of first and second class nearly all lived, those of third half; men the least in
        second: the two facts do not add up.
    deck
        First letter of the cabin; a missing cabin is a category of its own, for it was the
        survivors' cabins that were recorded.
    age, child
        Age in years, missing ones filled with the median of the title and class seen in `fit`;
        `child` is years below 16, 0 for the grown-up.
    age_known
        1 if the age was recorded.
    log_fare
        Logarithm of 1 + fare a head: a fare is for all who share the ticket, and fares span three
        orders of magnitude. The heads are the family's or the ticket's seen in `fit`, whichever
        are more. A missing fare is filled with the median of the class and of those alone or not.
    family_size, alone
        The passenger with siblings, spouse, parents and children; 1 if that is nobody else.
    ticket_men, family_men, booking_men
        How the men of the same party fared, against what their title and class let expect. A party
        is known by its ticket; by surname, class and size of family; or by a booking made together:
        tickets alike but for the last character, of one fare and class. Strangers have 0.
    ticket_women, family_women, booking_women
        The same of the party's women and boys, for a woman or boy: they mostly lived or died
        together, and apart from the men; so this is 0 for a man. Deotte found it ("Titanic using
        Name only", 2018) and made it a rule; here it is a shrunken mean of which each training row
        is left out, see `CompanionResiduals`.

    Parameters
    ----------
    shrinkage
        The number of companions without news that each party is given besides its own.
    """

    def __init__(self, shrinkage: float = 4.0):
        self.shrinkage = shrinkage

    def fit(self, X: pd.DataFrame, y: pd.Series) -> TitanicFeatures:
        """Learn medians, tickets and how parties fared; y is (n,), 1 for the survivors."""
        facts = self._learn(X)
        self.companions_.fit(facts, y)
        return self

    def fit_transform(self, X: pd.DataFrame, y: pd.Series) -> pd.DataFrame:
        """Learn, and compute the features of the same rows, each left out of its party's fate."""
        facts = self._learn(X)
        return self._features(facts, self.companions_.fit_transform(facts, y))

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """Compute the features of other rows: (n, 18), six categories and twelve numbers."""
        check_is_fitted(self)
        validate_data(self, X, reset=False, skip_check_array=True)
        facts = _facts(X)
        return self._features(facts, self.companions_.transform(facts))

    def get_feature_names_out(self, input_features: object = None) -> np.ndarray:
        """Names of the features, in order."""
        categories = ["sex", "pclass", "embarked", "title", "sex_pclass", "deck"]
        numbers = ["age", "child", "age_known", "log_fare", "family_size", "alone"]
        fates = [f"{party}_{part}" for party in PARTIES for part in ("men", "women")]
        return np.asarray(categories + numbers + fates, dtype=object)

    def _learn(self, X: pd.DataFrame) -> pd.DataFrame:
        """Learn what needs no outcome; return the facts."""
        validate_data(self, X, skip_check_array=True)
        facts = _facts(X)
        self.age_imputer_ = GroupMedianImputer(["title", "pclass"])
        self.age_imputer_.fit(facts[["title", "pclass", "age"]])
        self.fare_imputer_ = GroupMedianImputer(["pclass", "alone"])
        self.fare_imputer_.fit(facts[["pclass", "alone", "fare"]])
        self.heads_ = facts["ticket"].value_counts()
        self.companions_ = CompanionResiduals(PARTIES, "part", "cell", self.shrinkage)
        return facts

    def _features(self, facts: pd.DataFrame, fates: pd.DataFrame) -> pd.DataFrame:
        age = self.age_imputer_.transform(facts[["title", "pclass", "age"]])["age"]
        fare = self.fare_imputer_.transform(facts[["pclass", "alone", "fare"]])["fare"]
        heads = facts["ticket"].map(self.heads_).fillna(1.0)
        made = {
            "age_known": facts["age"].notna().astype("float64"),
            "age": age,
            "child": (16.0 - age).clip(lower=0.0),
            "log_fare": np.log1p(fare / np.maximum(heads, facts["family_size"])),
        }
        woman_or_boy = facts["part"] == "women"
        for party in PARTIES:
            for part, counts in (("men", True), ("women", woman_or_boy)):
                name = f"{party}_{part}"  # a table of men alone teaches nothing of women
                made[name] = fates[name] * counts if name in fates else 0.0
        return facts.assign(**made)[list(self.get_feature_names_out())]


def _facts(X: pd.DataFrame) -> pd.DataFrame:
    """What one row tells by itself."""
    title = X["Name"].str.extract(r",\s*([^.,]+)\.", expand=False).str.strip()
    title = title.str.upper().map(TITLES).fillna("rare")
    pclass = X["Pclass"].astype("int64").astype("str")
    family_size = X["SibSp"] + X["Parch"] + 1
    fare = X["Fare"].astype("float64")
    woman_or_boy = (X["Sex"] == "female") | (title == "Master")
    return pd.DataFrame(
        {
            "sex": X["Sex"],
            "pclass": pclass,
            "embarked": X["Embarked"].fillna("unknown"),
            "title": title,
            "sex_pclass": X["Sex"] + "_" + pclass,
            "deck": X["Cabin"].str[0].fillna("unknown"),
            "age": X["Age"].astype("float64"),
            "fare": fare,
            "family_size": family_size.astype("float64"),
            "alone": (family_size == 1).astype("float64"),
            "ticket": X["Ticket"],
            "family": X["Name"].str.split(",").str[0]
            + "|"
            + pclass
            + "|"
            + family_size.astype(str),
            "booking": X["Ticket"].str[:-1]
            + "|"
            + pclass
            + "|"
            + (fare * PENCE).round().astype(str),
            "part": np.where(woman_or_boy, "women", "men"),
            "cell": title + pclass,
        }
    )


def travelling_parties(X: pd.DataFrame) -> np.ndarray:
    """Number of the party of each row, (n,): rows that share a ticket, family or booking.

    The rows that any chain of those links are one party, so that in cross-validation by party no
    row's companions are among the rows it is tested against.
    """
    facts = _facts(X)
    rows, links = np.arange(len(facts)), []
    for party in PARTIES:
        first = facts.groupby(party).cumcount() == 0
        leader = facts[party].map(pd.Series(rows[first], index=facts[party][first]))
        links.append(coo_array((np.ones(len(rows)), (rows, leader)), shape=(len(rows),) * 2))
    return connected_components(sum(links[1:], links[0]), directed=False)[1]
