"""The features as they are, of known rows: `python tests/known/matrices.py` renews them.

Of the training table as a model learns from it, each row left out of what it tells of its own
companions; of the test table; and of 5,000 made-up passengers, who share surnames, tickets, fares
and oddities with the known ones and among each other.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from titanic_ml.config.compose import load_settings
from titanic_ml.dataset.dataset import Dataset
from titanic_ml.dataset.spec import DatasetSpec
from titanic_ml.preprocessing import TitanicFeatures

HERE = Path(__file__).parent
DATA = HERE.parents[1] / "data"
MADE, FEATURES = HERE / "made_passengers.parquet", HERE / "features.parquet"
TITLES = [
    "Mr",
    "Mrs",
    "Miss",
    "Master",
    "Mlle",
    "Mme",
    "Ms",
    "Dr",
    "the Countess",
    "Don",
    "mr",
    "Col",
]


def made(count: int = 5_000, seed: int = 0) -> pd.DataFrame:
    """Made-up passengers, without outcome."""
    random = np.random.default_rng(seed)
    known = pd.concat([pd.read_csv(DATA / f"{name}.csv") for name in ("train", "test")])

    def some(values: object, missing: float = 0.0) -> np.ndarray:
        drawn = np.asarray(random.choice(np.asarray(values), count), dtype=object)
        drawn[random.random(count) < missing] = None
        return drawn

    surnames = known["Name"].str.split(",").str[0].tolist() + [f"New{i}" for i in range(300)]
    names = zip(some(surnames), some(TITLES), some(["Ann", "John (Mary)", "O. X. Y", ""]))
    tickets = known["Ticket"].tolist()
    tickets += [t[:-1] + "9" for t in tickets] + [f"N {i}" for i in range(400)] + ["7", "X"]
    fares = known["Fare"].dropna().tolist() + [0.0, 0.0001, 7.22915, 1000.0]
    cabins = known["Cabin"].dropna().tolist() + ["T", "F G73", "G1"]
    found = pd.DataFrame(
        {
            "PassengerId": np.arange(1, count + 1),
            "Pclass": random.integers(1, 4, count),
            "Name": [f"{surname}, {title}. {first}" for surname, title, first in names],
            "Sex": some(["male", "female"]),
            "Age": pd.array(some(np.round(random.uniform(0, 90, 500), 2), 0.2), dtype="Float64"),
            "SibSp": random.choice([0, 0, 0, 1, 2, 8, 20], count),
            "Parch": random.choice([0, 0, 0, 1, 2, 6, 20], count),
            "Ticket": some(tickets),
            "Fare": pd.array(some(fares, 0.05), dtype="Float64"),
            "Cabin": some(cabins, 0.7),
            "Embarked": some(["C", "Q", "S"], 0.05),
        }
    )
    # Every second one travels with a known passenger.
    shared = ["Pclass", "SibSp", "Parch", "Ticket", "Fare"]
    with_known = known.sample(count // 2, replace=True, random_state=seed).reset_index(drop=True)
    found.loc[: count // 2 - 1, shared] = with_known[shared]
    own = found["Name"].str.partition(",")[2]
    found.loc[: count // 2 - 1, "Name"] = with_known["Name"].str.split(",").str[0] + "," + own
    return found


def features() -> pd.DataFrame:
    """The features of all known rows, one table below the other."""
    spec = DatasetSpec.from_dict(load_settings().dataset)
    train = Dataset.from_frame(pd.read_csv(DATA / "train.csv"), spec, "train.csv")
    others = {
        "test": Dataset.from_frame(pd.read_csv(DATA / "test.csv"), spec, "test.csv", False),
        "made": Dataset.from_frame(pd.read_parquet(MADE), spec, MADE.name, False),
    }
    transformer = TitanicFeatures()
    found = {"train": transformer.fit_transform(*train.labelled)}
    found |= {name: transformer.transform(dataset.X) for name, dataset in others.items()}
    return pd.concat([f.assign(table=name) for name, f in found.items()], ignore_index=True)


if __name__ == "__main__":
    made().to_parquet(MADE, index=False, compression="zstd", compression_level=19)
    features().to_parquet(FEATURES, index=False, compression="zstd", compression_level=19)
