"""A process that writes to a store as a training does, with a tiny model.

The tests start several at the same time, and kill them. Each sends a line after every step.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from multiprocessing.connection import Connection

import pandas as pd

from titanic_ml.errors import ModelNotFound, PromotionRefused
from titanic_ml.evaluation.result import Estimate
from titanic_ml.registry.promotion import Gate, promote
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


def train(store: ModelStore, report: Callable[[str], None], loss: float, files: int = 0) -> str:
    """Save a version with this log loss and a number of extra files, and apply the gate."""
    table = pd.DataFrame({"id": [1, 2], "row": [1, 2], "y": [0, 1], "repeat_1": [loss, 1 - loss]})
    report("saving")
    parts = {f"part-{number}": b"a part" * 5000 for number in range(files)}
    contents = Contents("a model" * 5000, {}, table, table)
    version = store.save(contents, SUMMARY, lambda origin: parts)
    report(f"saved {version.name}")
    try:
        promote(store, version, Gate(0.0), force=False)
        report(f"promoted {version.name}")
    except PromotionRefused:
        report(f"refused {version.name}")
    return version.name


def move(
    store: ModelStore, report: Callable[[str], None], number: int, name: str, moves: int
) -> None:
    """Promote a version or roll back, several times, each with a distinct reason."""
    chance = random.Random(number)
    for step in range(moves):
        why = f"program {number} step {step}"
        try:
            if chance.random() < 0.6:
                promote(store, store.open(name), Gate(0.0), force=True, note=why)
                report(f"force {name} {why}")
            else:
                report(f"rollback {store.rollback(why)} {why}")
        except ModelNotFound:
            report(f"nothing {why}")  # no champion before this one


def main(
    connection: Connection, environment: dict[str, str], uri: str, number: int, moves: int
) -> None:
    """Wait for a message, so that all begin at the same time; negative moves: until killed."""
    os.environ.update(environment)
    store = ModelStore(uri)
    store.check_ready()
    connection.send("ready")
    connection.recv()
    while moves < 0:
        train(store, connection.send, 0.3, 6)
    name = train(store, connection.send, 0.1 + number / 100)
    move(store, connection.send, number, name, moves)
