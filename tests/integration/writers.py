"""A program that writes to a store as a training does, with a model of next to nothing.

The tests start it several times at once, and kill it. What it has done it prints, a line a step.
"""

from __future__ import annotations

import random
import sys

import pandas as pd

from titanic_ml.errors import ModelNotFound, PromotionRefused
from titanic_ml.evaluation.result import Estimate
from titanic_ml.registry.promotion import promote
from titanic_ml.registry.store import ModelStore
from titanic_ml.registry.version import Contents, Summary, TrainingTable

SUMMARY = Summary(
    estimator="majority",
    parameters={},
    threshold=0.5,
    metrics={"log_loss": Estimate(0.3, 0.2, 0.4)},
    grouped=None,
    candidates={},
    groups=[],
    data=TrainingTable("a.csv", "0" * 64, 2, {}),
    seed=0,
    settings={"evaluation": {"confidence": 0.95}},
)


def train(store: ModelStore, loss: float, files: int = 0) -> str:
    """Save a version that is as good as this, with so many files more, and let the gate decide."""
    table = pd.DataFrame({"id": [1, 2], "row": [1, 2], "y": [0, 1], "repeat_1": [loss, 1 - loss]})
    print("saving", flush=True)
    parts = {f"part-{number}": b"a part" * 5000 for number in range(files)}
    contents = Contents("a model" * 5000, {}, table, table)
    version = store.save(contents, SUMMARY, lambda origin: parts)
    print("saved", version.name, flush=True)
    try:
        promote(store, version, 0.0, force=False)
        print("promoted", version.name, flush=True)
    except PromotionRefused:
        print("refused", version.name, flush=True)
    return version.name


def move(store: ModelStore, number: int, name: str, moves: int) -> None:
    """Promote this version, or roll back, so many times, each for a reason of its own."""
    chance = random.Random(number)
    for step in range(moves):
        why = f"program {number} step {step}"
        try:
            if chance.random() < 0.6:
                promote(store, store.open(name), 0.0, force=True, note=why)
                print(f"force {name} {why}", flush=True)
            else:
                print(f"rollback {store.rollback(why)} {why}", flush=True)
        except ModelNotFound:
            print(f"nothing {why}", flush=True)  # no champion before this one


def main(uri: str, number: str, moves: str) -> None:
    """Wait for a line on standard input, so that all begin at once."""
    store = ModelStore(uri)
    store.check_ready()
    print("ready", flush=True)
    sys.stdin.readline()
    if int(moves) < 0:
        while True:  # until it is killed
            train(store, 0.3, 6)
    name = train(store, 0.1 + int(number) / 100)
    move(store, int(number), name, int(moves))


if __name__ == "__main__":
    main(*sys.argv[1:])
