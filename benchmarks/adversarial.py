"""Do the rows without answers differ from the rows with them? Run from the project's root.

Three looks at data/train.csv and data/test.csv by the passengers' facts alone (no answer of the
second table is used, for none is here): can a model tell which table a row is from (adversarial
validation: cross-validated AUC, one half if not), which columns differ, and how many rows have
companions among the rows with answers, against how many do in cross-validation.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import chi2_contingency, ks_2samp
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import KFold, StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline

from titanic_ml import TitanicPipeline
from titanic_ml.dataset.dataset import Dataset
from titanic_ml.dataset.spec import DatasetSpec
from titanic_ml.preprocessing.encoder import build_preprocessor
from titanic_ml.preprocessing.titanic import PARTIES, TitanicFeatures
from titanic_ml.storage.tables import read_table

SEEDS = range(10)


def tables() -> tuple[Dataset, Dataset]:
    """The rows with answers, and those without."""
    schema = DatasetSpec.from_dict(TitanicPipeline().settings.dataset)
    names = ("data/train.csv", True), ("data/test.csv", False)
    known, asked = (
        Dataset.from_frame(read_table(name), schema, name, with_target)
        for name, with_target in names
    )
    return known, asked


def own_facts(known: Dataset, asked: Dataset) -> pd.DataFrame:
    """The features of both tables that tell nothing of how a party fared."""
    features = TitanicFeatures().fit(known.X, known.y)
    both = features.transform(pd.concat([known.X, asked.X], ignore_index=True))
    return both.drop(columns=[name for name in both if name.split("_")[0] in PARTIES])


def aucs(facts: pd.DataFrame, source: np.ndarray, estimator: object) -> list[float]:
    """AUC of telling the tables apart, out of fold, one for each seed."""
    model = make_pipeline(build_preprocessor("passthrough"), estimator)
    return [
        roc_auc_score(
            source,
            cross_val_predict(
                model,
                facts,
                source,
                cv=StratifiedKFold(5, shuffle=True, random_state=seed),
                method="predict_proba",
            )[:, 1],
        )
        for seed in SEEDS
    ]


def differences(facts: pd.DataFrame, source: np.ndarray) -> list[tuple[float, str]]:
    """A line for each feature, by the p-value of the difference (not corrected)."""
    lines = []
    for name in facts:
        known, asked = (facts.loc[source == side, name] for side in (0, 1))
        if pd.api.types.is_numeric_dtype(facts[name]):
            p = ks_2samp(known, asked).pvalue
            lines.append((p, f"{name:<12} mean {known.mean():7.3f} {asked.mean():7.3f}  p {p:.3f}"))
        else:
            counts = pd.crosstab(facts[name], source)
            counts = counts[counts.sum(axis=1) >= 10]
            p = chi2_contingency(counts).pvalue
            shares = counts / counts.sum()
            most = (shares[1] - shares[0]).abs().idxmax()
            share = f"{shares.loc[most, 0]:7.3f} {shares.loc[most, 1]:7.3f}"
            lines.append((p, f"{name:<12} {most[:8]:<4} {share}  p {p:.3f}"))
    return sorted(lines)


def parties(X: pd.DataFrame) -> pd.DataFrame:
    """What the party of each row is known by, as `TitanicFeatures` says it."""
    family, size = X["Name"].str.split(",").str[0], X["SibSp"] + X["Parch"]
    keys = {
        "ticket": [X["Ticket"]],
        "family": [family, X["Pclass"], size],
        "booking": [X["Ticket"].str[:-1], X["Pclass"], X["Fare"]],
    }
    return pd.DataFrame({name: list(zip(*parts, strict=True)) for name, parts in keys.items()})


def with_companions(known: pd.DataFrame, others: pd.DataFrame) -> pd.Series:
    """Share of the others that have companions among the known, by what a party is known by."""
    theirs, ours = parties(known), parties(others)
    return pd.Series({name: ours[name].isin(theirs[name]).mean() for name in PARTIES})


def main() -> None:
    known, asked = tables()
    facts = own_facts(known, asked)
    source = np.r_[np.zeros(len(known), int), np.ones(len(asked), int)]
    print(f"Which table is a row from? AUC over {len(SEEDS)} seeds of 5-fold cross-validation")
    for estimator in (
        LogisticRegression(max_iter=1000),
        HistGradientBoostingClassifier(random_state=0),
    ):
        values = aucs(facts, source, estimator)
        name = type(estimator).__name__
        print(f"  {name:<32} {np.mean(values):.3f} (from {min(values):.3f} to {max(values):.3f})")
    # Under the null an AUC of n and m rows has about this standard deviation (Hanley and McNeil).
    n, m = len(known), len(asked)
    print(f"  chance alone: 0.5 ± {1.96 * np.sqrt((n + m + 1) / (12 * n * m)):.3f}")
    print("\nFeatures that differ most, with answers against without (p not corrected):")
    print("\n".join(f"  {line}" for _, line in differences(facts, source)[:6]))
    print("\nShare of rows with companions among the rows with answers:")
    folds = KFold(5, shuffle=True, random_state=0).split(known.X)
    inside = sum(with_companions(known.X.iloc[a], known.X.iloc[b]) for a, b in folds) / 5
    outside = with_companions(known.X, asked.X)
    for party in PARTIES:
        print(f"  {party:<8} {outside[party]:.3f} outside, {inside[party]:.3f} in cross-validation")


if __name__ == "__main__":
    main()
