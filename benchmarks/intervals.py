"""How often the 95% intervals of an evaluation cover the truth, on simulated data.

`python benchmarks/intervals.py [DATA SETS [ROWS]]` from the project's root (200 data sets of 891
rows take about two minutes). Each data set is drawn from a known distribution; a logistic
regression is scored out of fold as in a training, and `Evaluator` gives the intervals. The truth
is what the same fold models score on 20,000 fresh rows. Coverage should be near 95%.
"""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from sklearn.linear_model import LogisticRegression

from titanic_ml.dataset.splits import stratified_splits
from titanic_ml.evaluation.evaluator import Evaluator
from titanic_ml.evaluation.metrics import METRICS, Rows, measure

FRESH = 20_000  # rows of the sample that stands for the population
WEIGHTS = np.array([1.5, -1.0, 0.5, 0.0, 0.0])
FOLDS, REPEATS = 5, 3


def draw(random: np.random.Generator, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Features, (rows, 5), and outcomes, (rows,), 38% of them 1, about as on the Titanic."""
    X = random.normal(size=(rows, len(WEIGHTS)))
    p = 1 / (1 + np.exp(0.6 - X @ WEIGHTS - 0.6 * X[:, 0] * X[:, 1]))
    return X, (random.uniform(size=rows) < p).astype("int64")


def covered(seed: int, rows: int) -> np.ndarray:
    """Whether the interval of each metric covers the truth, for one data set, (metrics,)."""
    random = np.random.default_rng(seed)
    X, y = draw(random, rows)
    fresh_X, fresh_y = draw(random, FRESH)
    out_of_fold, fresh = np.zeros((rows, REPEATS)), []
    for number, (train, test) in enumerate(stratified_splits(pd.Series(y), FOLDS, REPEATS, seed)):
        model = LogisticRegression().fit(X[train], y[train])
        out_of_fold[test, number // FOLDS] = model.predict_proba(X[test])[:, 1]
        fresh.append(model.predict_proba(fresh_X)[:, 1])
    found = Evaluator(seed=seed, n_jobs=1).evaluate(y, out_of_fold).estimates
    p = np.column_stack(fresh)
    truth = measure(Rows(fresh_y, p, p >= 0.5), np.ones((1, FRESH)), METRICS)[0]
    return np.array([found[n].low <= t <= found[n].high for n, t in zip(METRICS, truth)])


def main(data_sets: int = 200, rows: int = 891) -> None:
    """Print the coverage of each metric's interval."""
    work = Parallel(-1)(delayed(covered)(seed, rows) for seed in range(data_sets))
    coverage = np.mean(work, axis=0)
    error = np.sqrt(0.95 * 0.05 / data_sets)
    print(f"{data_sets} data sets of {rows} rows; simulation error of a coverage ± {error:.3f}")
    print(f"{'metric':<18} coverage of the 95% interval")
    for name, share in zip(METRICS, coverage):
        print(
            f"{name:<18} {share:.3f}" + "  <- not within 0.92 to 0.98" * (not 0.92 <= share <= 0.98)
        )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
