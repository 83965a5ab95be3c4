"""How long a look at a store of 200 versions takes: `python benchmarks/store.py`.

Whole processes, in turn, medians: `models list` of a store in a folder, and what the same program
needs to start and print its settings. With the address of a bucket as argument, of one there too.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time

import pandas as pd

from titanic_ml.evaluation.result import Estimate
from titanic_ml.registry.store import ModelStore
from titanic_ml.registry.version import Contents, Summary, TrainingTable

VERSIONS, RUNS = 200, 7
METRICS = ("log_loss", "brier", "roc_auc", "accuracy", "f1", "mcc", "precision", "recall")
SUMMARY = Summary(
    estimator="logistic_regression",
    parameters={"C": 0.1},
    threshold=0.5,
    metrics={name: Estimate(0.3, 0.2, 0.4) for name in METRICS},
    grouped={name: Estimate(0.3, 0.2, 0.4) for name in METRICS},
    candidates={},
    groups=[],
    data=TrainingTable("data/train.csv", "0" * 64, 891, {}),
    seed=0,
    # as long as that of a real training
    settings={"evaluation": {"confidence": 0.95}, "text": ["a setting"] * 600},
)


def fill(uri: str) -> None:
    store = ModelStore(uri)
    table = pd.DataFrame({"id": [1], "row": [1], "y": [1], "repeat_1": [0.9]})
    for _ in range(VERSIONS):
        store.save(Contents("a model", {}, table, table), SUMMARY)
    store.champion.point(store.names()[0], "forced")


def seconds(*words: str) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, "main.py", *words], check=True, capture_output=True)
    return time.perf_counter() - start


def main(*uris: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        commands = {"config": ["config"]}
        for uri in (f"{folder}/models", *uris):
            fill(uri)
            commands[
                f"models list, {VERSIONS} versions, {'bucket' if ':' in uri else 'folder'}"
            ] = [
                *("models", "list", f"store.uri={uri}"),
            ]
        times: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(RUNS):
            for name, words in commands.items():
                times[name].append(seconds(*words))
    print(f"{'COMMAND':<34} SECONDS (MEDIAN OF {RUNS})")
    for name, found in times.items():
        print(f"{name:<34} {statistics.median(found):.2f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
