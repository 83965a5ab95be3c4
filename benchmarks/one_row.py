"""How long one row takes: `python benchmarks/one_row.py [MODEL…]` after trainings.

`predict_one` and the estimator's own `predict_proba` on the ready matrix of the same row, in turn;
and `predict` of the row as a dict, which goes the way of a table.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from titanic_ml import TitanicPipeline
from titanic_ml.dataset.dataset import Dataset
from titanic_ml.dataset.spec import DatasetSpec

ROOT = Path(__file__).parents[1]
RUNS, TABLES = 5_000, 50


def seconds(function: Callable[..., object], *given: object) -> float:
    start = time.perf_counter()
    function(*given)
    return time.perf_counter() - start


def measure(model: str) -> None:
    pipeline = TitanicPipeline()
    version = pipeline.store.open(pipeline.online.warm(model))
    frame = pd.read_csv(ROOT / "data/test.csv").astype("object")
    rows = frame.where(frame.notna(), None).to_dict("records")
    estimator = version.model[-1]
    matrices = [version.model[:-1].transform(table) for table in _tables(rows, version.spec)]
    for row in rows:
        pipeline.predict_one(row)
    ours, floor = np.empty(RUNS), np.empty(RUNS)
    for run in range(RUNS):
        place = run % len(matrices)
        ours[run] = seconds(pipeline.predict_one, rows[place])
        floor[run] = seconds(estimator.predict_proba, matrices[place])
    tables = [seconds(pipeline.predict, row, model) for row in rows[:TABLES]]
    print(f"{version.manifest.estimator}: milliseconds a row")
    print(f"{'':<34} {'median':>8} {'p99':>8}")
    for name, values in (("predict_one", ours), ("predict_proba of a ready matrix", floor)):
        print(f"{name:<34} {_ms(values, 50)} {_ms(values, 99)}")
    print(f"{'predict_one beyond that':<34} {_ms(ours, 50, floor)} {_ms(ours, 99, floor)}")
    print(f"{'predict, by a table':<34} {_ms(np.array(tables), 50)} {_ms(np.array(tables), 99)}")


def _tables(rows: list[dict[str, object]], spec: DatasetSpec) -> list[pd.DataFrame]:
    frames = (pd.DataFrame([row]) for row in rows[:100])
    return [Dataset.from_frame(frame, spec, "row", with_target=False).X for frame in frames]


def _ms(values: np.ndarray, level: int, less: np.ndarray | None = None) -> str:
    found = np.percentile(values, level) - (0 if less is None else np.percentile(less, level))
    return f"{found * 1e3:>8.3f}"


if __name__ == "__main__":
    for name in sys.argv[1:] or ["champion"]:
        measure(name)
