"""How often the statistics are right, on simulated data with a known truth.

`python benchmarks/simulations.py [DATA SETS]` from the project's root (300 data sets take about
three minutes) prints each share beside its nominal value. `benchmarks/intervals.py` has the
coverage of every metric for a model that is fitted.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from joblib import Parallel, delayed

from titanic_ml.dataset.profile import ColumnProfile
from titanic_ml.evaluation.evaluator import Evaluator
from titanic_ml.evaluation.gate import compare_out_of_fold
from titanic_ml.evaluation.importance import importance
from titanic_ml.evaluation.metrics import row_losses
from titanic_ml.monitoring.drift import DriftDetector
from titanic_ml.monitoring.performance import compared
from titanic_ml.monitoring.profile import Profile
from titanic_ml.training.model_comparison import compare
from titanic_ml.training.threshold import choose_threshold

MARGIN = 0.005
Simulation = Callable[[np.random.Generator], Any]


def probabilities(random: np.random.Generator, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw true probabilities and outcomes, (rows,) each."""
    p = random.beta(0.8, 1.2, rows).clip(0.02, 0.98)
    return p, (random.uniform(size=rows) < p).astype("int64")


def entropy(p: np.ndarray) -> float:
    return float(-(p * np.log(p) + (1 - p) * np.log(1 - p)).mean())


LOSS = entropy(probabilities(np.random.default_rng(0), 1_000_000)[0])  # of the true probabilities


def evaluated(y: np.ndarray, p: np.ndarray, **more: Any) -> Any:
    return Evaluator(200, n_jobs=1).evaluate(y, p, **more)


def covers_loss(rows: int) -> Simulation:
    def run(random: np.random.Generator) -> bool:
        p, y = probabilities(random, rows)
        found = evaluated(y, p).estimates["log_loss"]
        return found.low <= LOSS <= found.high

    return run


def covers_grouped(by_groups: bool) -> Simulation:
    """Groups of four rows: three of four have the outcome of their group."""

    def run(random: np.random.Generator) -> bool:
        group = np.repeat(np.arange(220), 4)
        own = random.integers(0, 2, 220)[group]
        y = np.where(random.uniform(size=880) < 0.75, own, random.integers(0, 2, 880))
        found = evaluated(y, np.full(880, 0.6), groups=group if by_groups else None)
        accuracy = found.estimates["accuracy"]
        return accuracy.low <= 0.5 <= accuracy.high

    return run


def calibrated(rows: int, what: str, power: float = 1.0) -> Simulation:
    """Look at the calibration of p ** power, p being the truth."""
    random = np.random.default_rng(1)
    p, _ = probabilities(random, 200_000)
    parts = np.array_split(np.argsort(p), 10)
    truth = np.mean([(p[part].mean() - (p[part] ** power).mean()) ** 2 for part in parts]) ** 0.5

    def run(random: np.random.Generator) -> bool:
        p, y = probabilities(random, rows)
        found = evaluated(y, p**power)
        if what == "test":
            return found.calibration_p < 0.05
        error = found.estimates["calibration_error"]
        return error.low <= truth <= error.high

    return run


def passes_gate(rows: int, worse: float) -> Simulation:
    """Promote a version that is worse by a true difference in log loss."""
    noise = {0.0: 0.0, 0.002: 0.15, 0.01: 0.35}[worse]

    def run(random: np.random.Generator) -> bool:
        p, y = probabilities(random, rows)
        logit = np.log(p / (1 - p))
        other = logit + random.normal(0, noise, rows)
        tables = [
            pd.DataFrame({"id": range(rows), "row": range(rows), "y": y, "repeat_1": q})
            for q in (p, 1 / (1 + np.exp(-other)))
        ]
        found = compare_out_of_fold(*tables)
        return -found.gain.low <= MARGIN

    return run


def moves_threshold(best: float, rows: int) -> Simulation:
    """Choose a threshold by accuracy, where the probabilities are too low unless best is 0.5."""

    def run(random: np.random.Generator) -> bool:
        p, y = probabilities(random, rows)
        shift = np.log(best / (1 - best))
        predicted = 1 / (1 + np.exp(-(np.log(p / (1 - p)) + shift)))
        return choose_threshold(y, predicted, "accuracy", seed=0) != 0.5

    return run


def any_candidate(random: np.random.Generator) -> bool:
    """Compare five equal candidates on 15 folds that share a difficulty."""
    losses = random.normal(0, 0.03, (15, 1)) + random.normal(0, 0.01, (15, 5)) + 0.4
    scores = pd.DataFrame(
        {
            "candidate": np.repeat(list("abcde"), 15),
            "log_loss": losses.T.ravel(),
            **dict.fromkeys(("roc_auc", "accuracy", "fit_seconds"), 0.0),
        }
    )
    return bool((compare(scores, 0.25)["p_value"] < 0.05).any())


def worst_slice(random: np.random.Generator) -> bool:
    p, y = probabilities(random, 891)
    slices = {f"s{k}": pd.Series(random.integers(0, k, 891)) for k in (2, 3, 4, 6)}
    return evaluated(y, p, slices=slices).worst_p < 0.05


def any_feature(random: np.random.Generator) -> bool:
    """Test twelve features without any effect."""
    found = importance([random.normal(0, 0.1, (891, 12))], [[str(n)] for n in range(12)])
    return any(item.p < 0.05 for item in found)


def drift(rows: int, what: str) -> Simulation:
    """Compare rows with a training table of the same distribution, seven columns."""

    def run(random: np.random.Generator) -> bool:
        names = list("abcdefg")
        before, now = (pd.DataFrame(random.normal(size=(n, 7)), columns=names) for n in (891, rows))
        columns = {name: ColumnProfile.of(before[name], False) for name in names}
        profile = Profile(columns, ColumnProfile.of(before["a"], False))
        found = DriftDetector().compare(profile, now)
        if what == "alarm":
            return bool(found.drifted)
        return next(c for c in found.columns if c.name == "b").psi >= 0.1

    return run


def performance(rows: int) -> Simulation:
    """Compare the outcomes of later rows with those of the training, without a difference."""

    def run(random: np.random.Generator) -> bool:
        p, y = probabilities(random, 891)
        later, outcome = probabilities(random, rows)
        now = Evaluator(20, n_jobs=1).evaluate(outcome, later)
        found = compared(now, outcome, later, now.estimates, row_losses(y, p), 0.05)
        return found.p < 0.05

    return run


CHECKS: list[tuple[str, str, Simulation]] = [
    ("interval of the log loss covers it, 100 rows", "0.95", covers_loss(100)),
    ("interval of the log loss covers it, 891 rows", "0.95", covers_loss(891)),
    ("with groups: interval by rows covers the accuracy", "", covers_grouped(False)),
    ("with groups: interval by groups covers it", "0.95", covers_grouped(True)),
    ("calibrated, 100 rows: interval covers 0", ">= 0.95", calibrated(100, "interval")),
    ("calibrated, 891 rows: interval covers 0", ">= 0.95", calibrated(891, "interval")),
    ("miscalibrated, 891 rows: interval covers it", ">= 0.95", calibrated(891, "interval", 1.4)),
    ("calibrated, 891 rows: Spiegelhalter's test rejects", "0.05", calibrated(891, "test")),
    ("miscalibrated, 891 rows: it rejects", "power", calibrated(891, "test", 1.4)),
    ("gate: 0.01 worse passes, 891 rows", "<= 0.025", passes_gate(891, 0.01)),
    ("gate: 0.01 worse passes, 100 rows", "<= 0.025", passes_gate(100, 0.01)),
    ("gate: 0.002 worse passes, 891 rows", "power", passes_gate(891, 0.002)),
    ("gate: 0.002 worse passes, 5,000 rows", "power", passes_gate(5_000, 0.002)),
    ("gate: the same model passes, 891 rows", "1", passes_gate(891, 0.0)),
    ("threshold: leaves 0.5 where it is best, 891 rows", "<= 0.1", moves_threshold(0.5, 891)),
    ("threshold: leaves 0.5 where 0.3 is best, 891 rows", "power", moves_threshold(0.3, 891)),
    ("candidates: one of five equal ones is worse", "0.05", any_candidate),
    ("slices: the worst of 15 equal ones is worse", "0.05", worst_slice),
    ("features: one of twelve without effect has one", "0.05", any_feature),
    ("drift: index of a column >= 0.1, 30 rows", "", drift(30, "index")),
    ("drift: index of a column >= 0.1, 100 rows", "", drift(100, "index")),
    ("drift: alarm without drift, 100 rows", "<= 0.05", drift(100, "alarm")),
    ("drift: alarm without drift, 891 rows", "<= 0.05", drift(891, "alarm")),
    ("outcomes: another log loss although equal, 300 rows", "0.05", performance(300)),
]


def share(number: int, data_sets: int) -> float:
    """Return how often a check is true; each data set has a seed of its own."""
    simulation = CHECKS[number][2]
    seeds = range(1_000_000 * number, 1_000_000 * number + data_sets)
    return float(np.mean([simulation(np.random.default_rng(seed)) for seed in seeds]))


def main(data_sets: int = 300) -> None:
    """Print the share of each check."""
    shares = Parallel(-1)(delayed(share)(number, data_sets) for number in range(len(CHECKS)))
    error = (0.05 * 0.95 / data_sets) ** 0.5
    print(f"{data_sets} data sets each; simulation error of a share of 0.05 or 0.95: {error:.3f}")
    print(f"{'':<52}nominal  found")
    for (name, nominal, _), found in zip(CHECKS, shares, strict=True):
        print(f"{name:<52}{nominal:>7}  {found:.3f}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
