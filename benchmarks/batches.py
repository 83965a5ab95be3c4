"""Predictions of a million rows, against the least that they can cost.

`python benchmarks/batches.py [ROWS]` from the project's root trains two models and makes four
tables: the training table's passengers again and again, and the same with names and tickets of
their own, as CSV and as Parquet. The floor is a program that reads such a table with pandas, asks
the same fitted estimator about a matrix that is ready in memory, and writes as many columns of
answers; making the matrix is not counted in it. Both are whole processes, from the start of Python
to its end, in turn, and the ratio is of neighbours.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import joblib
import numpy as np
import pandas as pd

from titanic_ml import TitanicPipeline
from titanic_ml.dataset.dataset import Dataset

ROOT = Path(__file__).parents[1]
MODELS = ("logistic_regression", "gradient_boosting")
ROUNDS = 3
BARS = {  # times the floor
    ("logistic_regression", "repeated"): 1.5,
    ("logistic_regression", "distinct"): 3.0,
    ("gradient_boosting", "repeated"): 1.3,
    ("gradient_boosting", "distinct"): 2.0,
}

# Says how long loading the matrix took, which is not counted.
FLOOR = """
import sys, time
import joblib, numpy as np, pandas as pd
table, matrix, estimator, output = sys.argv[1:]
csv = table.endswith(".csv")
frame = pd.read_csv(table) if csv else pd.read_parquet(table)
estimator = joblib.load(estimator)
start = time.perf_counter()
matrix = np.load(matrix)
ready = time.perf_counter() - start
probability = estimator.predict_proba(matrix)[:, 1]
answer = pd.DataFrame({"PassengerId": frame["PassengerId"], "Survived": probability >= 0.5})
answer["Survived"] = answer["Survived"].astype("int64")
if csv:
    answer.to_csv(output, index=False)
else:
    now = pd.Timestamp.now("UTC").floor("s")
    answer = answer.assign(probability=probability, model_version="m", predicted_at=now)
    answer.assign(run_id="r").to_parquet(output)
print(ready)
"""

# Runs the command line, then says how much memory it had at most, in MB.
MEASURED = """
import pathlib, re, sys
from titanic_ml.cli.app import main
try:
    main(sys.argv[1:])
except SystemExit as ended:
    assert not ended.code
status = pathlib.Path("/proc/self/status").read_text()
print(int(re.search(r"VmHWM:\\s*(\\d+) kB", status)[1]) / 1024)
"""


def passengers(rows: int, distinct: bool) -> pd.DataFrame:
    """So many passengers; distinct ones have names and tickets of their own."""
    known = pd.read_csv(ROOT / "data/train.csv").drop(columns="Survived")
    table = pd.concat([known] * (rows // len(known) + 1), ignore_index=True).head(rows)
    table = table.assign(PassengerId=range(1, rows + 1))
    if distinct:
        random = np.random.default_rng(0)
        letters = random.choice(list("abcdefghijklmnopqrstuvwxyz"), (rows, 6))
        surnames = pd.Series(letters.view("<U6").ravel()).str.capitalize()
        table["Name"] = surnames + "," + table["Name"].str.partition(",")[2]
        table["Ticket"] = pd.Series(100_000 + random.permutation(rows)).astype("str")
    return table


def write(table: pd.DataFrame, folder: Path, kind: str) -> None:
    table.to_csv(folder / f"{kind}.csv", index=False)
    table.to_parquet(folder / f"{kind}.parquet")


def prepare(folder: Path, rows: int) -> None:
    """Train the models; write the tables, the estimators, and the matrices that they are given."""
    tables = {kind: passengers(rows, kind == "distinct") for kind in ("repeated", "distinct")}
    for kind, table in tables.items():
        write(table, folder, kind)
    for model in MODELS:
        words = f"store.uri={folder / model}", f"estimator=[{model}]", "selection=quick"
        pipeline = TitanicPipeline(*words)
        pipeline.train()
        version = pipeline.store.open(pipeline.store.resolve("champion"))
        joblib.dump(version.model[-1], folder / f"{model}.joblib")
        for kind, table in tables.items():
            dataset = Dataset.from_frame(table, version.spec, kind, with_target=False)
            np.save(folder / f"{model}.{kind}.npy", version.model[:-1].transform(dataset.X))


def run(program: str, *words: object) -> tuple[float, float]:
    """Seconds of a whole process, and the number that it printed."""
    start = time.perf_counter()
    command = [sys.executable, "-c", program, *map(str, words)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    return time.perf_counter() - start, float(done.stdout)


def ours(folder: Path, model: str, table: Path) -> tuple[float, float]:
    """Seconds and the largest memory in MB of `predict`."""
    output = folder / f"ours{table.suffix}"
    store = f"store.uri={folder / model}"
    return run(MEASURED, "predict", table, "--output", output, "--quiet", store)


def floor(folder: Path, model: str, table: Path) -> float:
    given = folder / f"{model}.{table.stem}.npy", folder / f"{model}.joblib"
    seconds, loading = run(FLOOR, table, *given, folder / f"floor{table.suffix}")
    return seconds - loading


def compare(folder: Path, rows: int) -> None:
    print(f"{rows:,} rows, seconds of whole processes, medians of {ROUNDS}")
    print(f"{'':<40} {'ours':>6} {'floor':>6} {'ratio':>6} {'bar':>5}")
    for (model, kind), bar in BARS.items():
        for suffix in ("csv", "parquet"):
            table = folder / f"{kind}.{suffix}"
            pairs = [
                (ours(folder, model, table)[0], floor(folder, model, table)) for _ in range(ROUNDS)
            ]
            a, b = (statistics.median(column) for column in zip(*pairs, strict=True))
            ratio = statistics.median(first / second for first, second in pairs)
            name = f"{model.replace('_', ' ')}, {kind}, {suffix}"
            print(f"{name:<40} {a:>6.2f} {b:>6.2f} {ratio:>6.2f} {bar:>5}", flush=True)


def measure_memory(folder: Path, sizes: Sequence[int]) -> None:
    print(f"{'gradient boosting, distinct, csv: rows':<40} {'s':>6} {'MB':>6} {'ratio':>6}")
    least = 0.0
    for rows in sizes:
        write(passengers(rows, distinct=True), folder, "sized")
        seconds, memory = ours(folder, MODELS[1], folder / "sized.csv")
        least = least or memory
        print(f"{rows:<40,} {seconds:>6.1f} {memory:>6.0f} {memory / least:>6.2f}", flush=True)


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("rows", nargs="?", type=int, default=1_000_000)
    rows = asked.parse_args().rows
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(folder, rows)
        compare(folder, rows)
        measure_memory(folder, (rows // 10, rows, rows * 10))


if __name__ == "__main__":
    main()
