"""Features of the Titanic's passengers: titles, decks, fares and travelling parties."""

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
PARTIES = ["ticket", "family", "booking"]  # keys of a travelling party
OUTCOMES = [(f"{party}_men", f"{party}_women") for party in PARTIES]  # features by party
FOLDS = 5  # of the outcomes of parties, as in scikit-learn's TargetEncoder
TITLE = re.compile(r",\s*([^.,]+)\.")
Columns = dict[str, Coded | Numbers | Value]  # by name, texts or numbers


def title_of(name: str) -> str:
    """Return the title in a name: Mr, Mrs, Miss, Master or rare.

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
    """Return a fare in whole pence.

    >>> pence_of(7.25), pence_of(None)
    (1740.0, None)
    """
    return None if fare is None else round(fare * PENCE, 0)


def deck_of(cabin: Any) -> str:
    """Return the letter of the first cabin, or "unknown" if there is none.

    >>> deck_of("C23 C25"), deck_of(None)
    ('C', 'unknown')
    """
    return cabin[0] if isinstance(cabin, str) else "unknown"


class TitanicFeatures(TransformerMixin, BaseEstimator):
    """Compute the features of the Titanic's passengers.

    Parameters
    ----------
    shrinkage
        Number of zero residuals that are added to those of each party, so that the mean of a small
        party is drawn towards zero.

    Notes
    -----
    sex, pclass, embarked
        Columns of the table; the class is a category, since its steps are not equal.
    title
        Title in the name; it separates boys (Master) from men, and unmarried women (Miss) from
        married ones. Rare titles (officers, clergy, nobles) are one category.
    sex_pclass
        Sex and class together: nearly all women of first and second class survived but half of
        those in third, while men survived least often in second class.
    deck
        First letter of the cabin. A missing cabin is a category of its own, since cabins were
        recorded for survivors more often.
    age, child
        Age in years, missing ages filled with the median of title and class in `fit`; `child` is
        the number of years below 16, 0 for adults.
    age_known
        1 if the age was recorded.
    log_fare
        Logarithm of 1 + fare per person, since a fare covers all who share the ticket. The number
        of persons is that of the family or of the ticket's rows in `fit`, whichever is larger. A
        missing fare is filled with the median of class and travelling alone.
    family_size, alone
        Number of siblings, spouse, parents and children, and the passenger; 1 if it is 1.
    ticket_men, family_men, booking_men
        Mean residual of the other men of the party: survival minus the survival rate of their
        title and class. A party shares a ticket; or surname, class and family size; or a booking:
        tickets that differ in the last character only, of one fare and class. 0 if there are none.
    ticket_women, family_women, booking_women
        The same for the women and boys of the party; 0 for a man. Women and boys of a party mostly
        have the same outcome, and often another one than its men (Deotte, "Titanic using Name
        only", 2018). A training row's own outcome is left out: `fit_transform` computes the
        features of each fold of passengers from the other folds (see `CompanionResiduals`), and
        `transform` those of a training row from all other rows (see `TrainingRows`).
    """

    def __init__(self, shrinkage: float = 4.0):
        self.shrinkage = shrinkage

    def fit(self, X: pd.DataFrame, y: pd.Series) -> TitanicFeatures:
        """Learn medians, tickets and the outcomes of parties.

        Parameters
        ----------
        X
            Columns of the table, (n, columns).
        y
            Target, 1 for survivors, (n,).

        Returns
        -------
        TitanicFeatures
            The fitted transformer.
        """
        self._learn(X, y)
        return self

    def fit_transform(self, X: pd.DataFrame, y: pd.Series) -> pd.DataFrame:
        """Fit, and compute the features to fit an estimator on.

        The outcomes of parties are cross-fitted, so the result is not that of
        ``fit(X, y).transform(X)``. The fold of a passenger follows from the name.

        Parameters
        ----------
        X
            Columns of the table, (n, columns).
        y
            Target, 1 for survivors, (n,).

        Returns
        -------
        DataFrame
            Features, (n, 18).
        """
        facts, outcome = self._learn(X, y), np.asarray(y)
        columns = facts.groups, facts.part, facts.cell, outcome
        found = self.companions_.cross_fit(*columns, folds=_folds(facts.name))
        return _frame(self._features(facts, found), X.index)

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """Compute the features.

        Parameters
        ----------
        X
            Columns of the table, (n, columns). For a row of `fit`, its own outcome is left out.

        Returns
        -------
        DataFrame
            Features, (n, 18): six categories and twelve numbers.
        """
        check_is_fitted(self)
        validate_data(self, X, reset=False, skip_check_array=True)
        return _frame(self.columns(X), X.index)

    def columns(self, X: Mapping[str, Values | Value]) -> Columns:
        """Compute the features of plain columns or of a single row, as `transform` does.

        Parameters
        ----------
        X
            Lists or arrays, each (n,), or the values of one row, by the name of the column.

        Returns
        -------
        dict
            By name of the feature, texts as `Coded` and numbers as an array, (n,), or the values
            of the row.
        """
        facts = RawColumns.of(X)
        outcomes = self.companions_.transform(facts.groups)
        return self._features(facts, self.training_rows_.replace(facts.identity, outcomes))

    def get_feature_names_out(self, input_features: object = None) -> np.ndarray:
        """Name the features.

        Parameters
        ----------
        input_features
            Ignored; the names are always the same.

        Returns
        -------
        ndarray
            Names in the order of the columns, (18,).
        """
        categories = ["sex", "pclass", "embarked", "title", "sex_pclass", "deck"]
        numbers = ["age", "child", "age_known", "log_fare", "family_size", "alone"]
        return np.asarray([*categories, *numbers, *chain(*OUTCOMES)], dtype=object)

    def _learn(self, X: pd.DataFrame, y: pd.Series) -> RawColumns:
        """Fit all parts, and return the raw columns of X."""
        validate_data(self, X, skip_check_array=True)
        facts = RawColumns.of(X)
        self.age_medians_ = GroupMedians.of(facts.age, facts.cell)
        self.fare_medians_ = GroupMedians.of(facts.fare, facts.fare_group)
        tickets = facts.groups["ticket"]
        self.heads_ = dict(zip(tickets.values, np.bincount(tickets.codes).tolist()))
        self.companions_ = CompanionResiduals(self.shrinkage)
        own = self.companions_.fit_transform(facts.groups, facts.part, facts.cell, y)
        self.training_rows_ = TrainingRows().fit(facts.identity, own)
        return facts

    def _features(self, facts: RawColumns, outcomes: Mapping[str, Numbers]) -> Columns:
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
        for men, women in OUTCOMES:
            columns[men] = outcomes.get(men, nothing)
            columns[women] = outcomes.get(women, nothing) * facts.women
        return facts.words | columns


@dataclass(slots=True)
class RawColumns:
    """Columns computed from the rows alone: texts as `Coded`, numbers as an array, (n,).

    Those of a single row are plain values.

    Attributes
    ----------
    words
        Categorical features by name.
    groups
        Keys of the `PARTIES` by name.
    name
        Names of the passengers.
    women
        1 for women and boys, 0 for men.
    cell
        Title and class: the cell of survival rates and median ages.
    fare_group
        Class and travelling alone: the cell of median fares.
    age, fare, family_size
        Years, pounds of 1912, and persons.
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
        """Compute the columns of a DataFrame, of plain columns, or of one row."""
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


def _folds(names: Coded) -> np.ndarray:
    """Return the fold of each passenger, (n,), by a hash of the name."""
    hashes = pd.util.hash_array(np.array(names.values, dtype="object"))
    return (hashes % np.uint64(FOLDS)).astype("int64")[names.codes]


def _key(first: str, pclass: str, number: float | None) -> str:
    """Return the key of a family or a booking; an unknown fare is -1."""
    return f"{first}|{pclass}|{-1.0 if number is None else number}"


def travelling_parties(X: pd.DataFrame) -> np.ndarray:
    """Number the travelling parties: rows linked by a ticket, family or booking.

    Rows that are linked by a chain are one party, so that in cross-validation by party all
    companions of a test row are test rows too.

    Parameters
    ----------
    X
        Columns of the table, (n, columns).

    Returns
    -------
    ndarray
        Number of each row's party, (n,).
    """
    rows, links = np.arange(len(X)), []
    for group in RawColumns.of(X).groups.values():
        leaders = np.unique(group.codes, return_index=True)[1][group.codes]
        links.append(coo_array((np.ones(len(rows)), (rows, leaders)), shape=(len(rows),) * 2))
    return connected_components(sum(links[1:], links[0]), directed=False)[1]
