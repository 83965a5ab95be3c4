"""Whether `monitor` names what has drifted, and how often it says so where nothing has.

`python benchmarks/drift.py [SAMPLES]` from the project's root. The training table is cut by chance
into 591 rows to train a model on and 300 that come later, again and again. For the false alarms the
300 are as they are; for the drifts they are changed, or others are drawn.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable

import numpy as np
import pandas as pd

from titanic_ml import TitanicPipeline

LATER = 300
Change = Callable[[pd.DataFrame, pd.DataFrame, np.random.Generator], pd.DataFrame]


def third_class(later: pd.DataFrame, table: pd.DataFrame, chance: np.random.Generator):
    only = table[table["Pclass"] == 3]
    return only.iloc[chance.choice(len(only), LATER, replace=False)]


def without_ages(later: pd.DataFrame, table: pd.DataFrame, chance: np.random.Generator):
    return later.assign(Age=later["Age"].where(chance.random(len(later)) < 0.5))


def swapped(later: pd.DataFrame, table: pd.DataFrame, chance: np.random.Generator):
    return later.rename(columns={"SibSp": "Parch", "Parch": "SibSp"})[list(later)]


DRIFTS: dict[str, tuple[set[str], Change]] = {
    "nothing": (set(), lambda later, table, chance: later),
    "fares doubled": ({"Fare"}, lambda later, table, chance: later.assign(Fare=2 * later["Fare"])),
    "only third class": ({"Pclass"}, third_class),
    "half of the ages missing": ({"Age"}, without_ages),
    "SibSp and Parch swapped": ({"SibSp", "Parch"}, swapped),
}


def main(samples: int = 200) -> None:
    table = pd.read_csv("data/train.csv")
    chance = np.random.default_rng(0)
    named = dict.fromkeys(DRIFTS, 0)
    others: dict[str, set[str]] = {name: set() for name in DRIFTS}
    with tempfile.TemporaryDirectory() as folder:
        words = ("selection=quick", "estimator=[logistic_regression]", "evaluation.resamples=20")
        for sample in range(samples):
            order = chance.permutation(len(table))
            first, later = table.iloc[order[:-LATER]], table.iloc[order[-LATER:]]
            pipeline = TitanicPipeline(f"store.uri={folder}/{sample}", f"scratch={folder}", *words)
            pipeline.train(first)
            for name, (expected, change) in DRIFTS.items():
                rows = change(later, table, chance).drop(columns="Survived").reset_index(drop=True)
                drift = pipeline.monitor(rows).drift
                found = {column.name for column in drift.drifted}
                named[name] += expected <= found if expected else bool(found)
                others[name] |= found - expected
    print(f"{samples} samples of {LATER} rows, each with a model of its own")
    print(f"{'what has drifted':<26} {'named':>6}  what else was")
    for name, count in named.items():
        label = "false alarms" if name == "nothing" else name
        print(f"{label:<26} {count / samples:>6.1%}  {', '.join(sorted(others[name])) or '-'}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
