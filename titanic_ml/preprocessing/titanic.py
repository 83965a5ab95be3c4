"""How a column becomes a number: the transformers and the unfitted preprocessor."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from titanic_ml.preprocessing.coded import (
    Coded,
    Numbers,
    Value,
    Values,
    at_least,
    coded,
    joined,
    mapped,
    numbered,
    numbers,
)
from titanic_ml.preprocessing.group_outcomes import CompanionResiduals
from titanic_ml.preprocessing.imputation import GroupMedians
from titanic_ml.preprocessing.training_rows import TrainingRows

# The commonest titles in both tables; the French and formal ones are folded into them.
TITLES = {"MR": "Mr", "MRS": "Mrs", "MISS": "Miss", "MASTER": "Master"}
TITLES |= {"MLLE": "Miss", "MS": "Miss", "MME": "Mrs"}
PENCE = 240  # in a pound of 1912
PARTIES = ["ticket", "family", "booking"]  # what a party is known by
FATES = [(f"{party}_men", f"{party}_women") for party in PARTIES]  # its features
TITLE = re.compile(r",\s*([^.,]+)\.")
Columns = dict[str, Coded | Numbers | Value]  # by name, texts or numbers


def title_of(name: str) -> str:
    """The title in a name: Mr, Mrs, Miss or Master, or that it is a rare one.

    >>> title_of("BRAUND, MR. OWEN HARRIS"), title_of("Uruchurtu, Don. Manuel E")
    ('Mr', 'rare')
    """
    found = TITLE.search(name)
    return TITLES.get(found[1].strip().upper(), "rare") if found else "rare"


def surname_of(name: str) -> str:
    """Return the part before the comma.

    >>> surname_of("BRAUND, MR. OWEN HARRIS")
    'BRAUND'
    """
    return name.partition(",")[0]


def pence_of(fare: float | None) -> float | None:
    """A fare in whole pence.

    >>> pence_of(7.25), pence_of(None)
    (1740.0, None)
    """
    return None if fare is None else round(fare * PENCE, 0)


def deck_of(cabin: Any) -> str:
    """The letter of a cabin, of the first if there are several; of none it is unknown.

    >>> deck_of("C23 C25"), deck_of(None)
    ('C', 'unknown')
    """
    return cabin[0] if isinstance(cabin, str) else "unknown"


class TitanicFeatures(TransformerMixin, BaseEstimator):
    """Features of a passenger; the only code that knows titles, decks and parties.

    Features
    --------
    sex, pclass, embarked
        As they stand; the class as a category, for its steps are not equal.
    title
        Between surname and first name: it separates boys (Master) from men and the unmarried (Miss)
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
        Number of the passenger, siblings, spouse, parents and children; 1 if it is 1.
    ticket_men, family_men, booking_men
        How the men of the same party fared, against what their title and class let expect. A party
        is known by its ticket; by surname, class and size of family; or by a booking made together:
        tickets alike but for the last character, of one fare and class. Strangers have 0.
    ticket_women, family_women, booking_women
        Like the above, over the women and boys of the party, for a woman or boy; 0 for a man.
        Women and boys of a party mostly have the same outcome, which differs from the men's.
        Deotte found it ("Titanic using Name only", 2018) and made it a rule; here it is a shrunken
        mean without the training row itself, in `fit_transform` (see `CompanionResiduals`) and
        when the same row is predicted later (see `TrainingRows`).

    Parameters
    ----------
    shrinkage
        Pseudo-count of zero residuals that is added to each party.
    """

    def __init__(self, shrinkage: float = 4.0):
        self.shrinkage = shrinkage

    def fit(self, X: pd.DataFrame, y: pd.Series) -> TitanicFeatures:
        """Learn medians, tickets and how parties fared; y is (n,), 1 for the survivors."""
        self._learn(X, y)
        return self

    def fit_transform(self, X: pd.DataFrame, y: pd.Series) -> pd.DataFrame:
        """Equal to ``fit(X, y).transform(X)``, but computed once."""
        return _frame(self._features(*self._learn(X, y)), X.index)

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """Compute the features: (n, 18), six categories and twelve numbers.

        The features of a passenger who was in `fit` leave the passenger's own outcome out.
        """
        check_is_fitted(self)
        validate_data(self, X, reset=False, skip_check_array=True)
        return _frame(self.columns(X), X.index)

    def columns(self, X: Mapping[str, Values | Value]) -> Columns:
        """Like `transform`, for a mapping of lists or arrays, or of the values of a single row.

        Texts come out as `Coded`, numbers as an array, (n,); those of a single row as they are.
        """
        facts = RawColumns.of(X)
        fates = self.companions_.transform(facts.groups)
        return self._features(facts, self.training_rows_.replace(facts.identity, fates))

    def get_feature_names_out(self, input_features: object = None) -> np.ndarray:
        """Return the names of the features, in order."""
        categories = ["sex", "pclass", "embarked", "title", "sex_pclass", "deck"]
        numbers = ["age", "child", "age_known", "log_fare", "family_size", "alone"]
        return np.asarray([*categories, *numbers, *chain(*FATES)], dtype=object)

    def _learn(self, X: pd.DataFrame, y: pd.Series) -> tuple[RawColumns, dict[str, Numbers]]:
        """Fit all parts; return the facts and the outcomes of companions of the rows of X."""
        validate_data(self, X, skip_check_array=True)
        facts = RawColumns.of(X)
        self.age_medians_ = GroupMedians.of(facts.age, facts.cell)
        self.fare_medians_ = GroupMedians.of(facts.fare, facts.fare_group)
        tickets = facts.groups["ticket"]
        self.heads_ = dict(zip(tickets.values, np.bincount(tickets.codes).tolist()))
        self.companions_ = CompanionResiduals(self.shrinkage)
        own = self.companions_.fit_transform(facts.groups, facts.part, facts.cell, y)
        self.training_rows_ = TrainingRows().fit(facts.identity, own)
        return facts, self.training_rows_.replace(facts.identity, own)

    def _features(self, facts: RawColumns, fates: Mapping[str, Numbers]) -> Columns:
        age = self.age_medians_.fill(facts.age, facts.cell)
        fare = self.fare_medians_.fill(facts.fare, facts.fare_group)
        heads = numbered(lambda ticket: self.heads_.get(ticket, 1), facts.groups["ticket"])
        columns: Columns = {
            "age": age,
            "child": at_least(0.0, 16.0 - age),
            "age_known": 1.0 * (facts.age == facts.age),  # what is missing is not even itself
            "log_fare": np.log1p(fare / at_least(facts.family_size, heads)),
            "family_size": facts.family_size,
            "alone": 1.0 * (facts.family_size == 1),
        }
        nothing = 0.0 * age  # if the training table has no men, or no women
        for men, women in FATES:
            columns[men] = fates.get(men, nothing)
            columns[women] = fates.get(women, nothing) * facts.women
        return facts.words | columns


@dataclass(slots=True)
class RawColumns:
    """Columns computed from the rows alone: texts as `Coded`, numbers as an array, (n,).

    Those of a single row are its values.

    Attributes
    ----------
    words
        By name, the features that are categories.
    groups
        By name, what each of the `PARTIES` is known by.
    name
        Of the passenger.
    women
        1 for women and boys, 0 for men.
    cell, fare_group
        Of title and class; of class and whether alone: in these a rate, an age, a fare is usual.
    age, fare, family_size
        In years, pounds of 1912, persons.
    """

    words: dict[str, Any]
    groups: dict[str, Any]
    name: Any
    women: Numbers
    cell: Any
    fare_group: Any
    age: Numbers
    fare: Numbers
    family_size: Numbers

    @property
    def part(self) -> np.ndarray:
        """Subgroup of each row, ``women`` (with boys) or ``men``, (n,)."""
        return np.where(self.women, "women", "men")

    @property
    def identity(self) -> dict[str, Any]:
        """Return the columns that identify a passenger: the name and all that defines companions.

        Another age, cabin or port makes no other passenger.
        """
        return {"name": self.name, **self.groups, "women": self.women}

    @classmethod
    def of(cls, X: Mapping[str, Values | Value]) -> RawColumns:
        """The facts of a DataFrame, of a list or an array for each column, or of one row."""
        name, ticket, sex = coded(X["Name"]), coded(X["Ticket"]), coded(X["Sex"])
        pclass = mapped(lambda value: str(int(value)), coded(X["Pclass"]))
        title = mapped(title_of, name)
        fare, size = numbers(X["Fare"]), numbers(X["SibSp"]) + numbers(X["Parch"]) + 1
        sizes, pence = mapped(int, coded(size)), mapped(pence_of, coded(fare))
        kind = joined(lambda s, t: (s, t), sex, title)
        return cls(
            words={
                "sex": sex,
                "pclass": pclass,
                "embarked": mapped(lambda port: port or "unknown", coded(X["Embarked"])),
                "title": title,
                "sex_pclass": joined(lambda s, c: f"{s}_{c}", sex, pclass),
                "deck": mapped(deck_of, coded(X["Cabin"])),
            },
            groups={
                "ticket": ticket,
                "family": joined(_key, mapped(surname_of, name), pclass, sizes),
                "booking": joined(_key, mapped(lambda t: t[:-1], ticket), pclass, pence),
            },
            name=name,
            women=numbered(lambda found: found[0] == "female" or found[1] == "Master", kind),
            cell=joined(lambda t, c: t + c, title, pclass),
            fare_group=joined(lambda c, a: f"{c}{a}", pclass, mapped(lambda n: n == 1, sizes)),
            age=numbers(X["Age"]),
            fare=fare,
            family_size=size,
        )


def _frame(columns: Columns, index: pd.Index) -> pd.DataFrame:
    made = {n: c.series() if isinstance(c, Coded) else c for n, c in columns.items()}
    return pd.DataFrame(made).set_axis(index)


def _key(first: str, pclass: str, number: float | None) -> str:
    """Return the key of a family or a booking; an unknown fare is -1."""
    return f"{first}|{pclass}|{-1.0 if number is None else number}"


def travelling_parties(X: pd.DataFrame) -> np.ndarray:
    """Number of the party of each row, (n,): rows that share a ticket, family or booking.

    The rows that any chain of those links are one party, so that in cross-validation by party no
    row's companions are among the rows it is tested against.
    """
    rows, links = np.arange(len(X)), []
    for group in RawColumns.of(X).groups.values():
        leaders = np.unique(group.codes, return_index=True)[1][group.codes]
        links.append(coo_array((np.ones(len(rows)), (rows, leaders)), shape=(len(rows),) * 2))
    return connected_components(sum(links[1:], links[0]), directed=False)[1]
