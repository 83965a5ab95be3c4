"""How long a training takes, by stage and number of rows: `python benchmarks/training.py 891`.

The rows are drawn from data/train.csv with replacement, their ids renewed; all settings are the
defaults. A copy of a row shares ticket and name with the others, so the scores mean nothing.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd

from titanic_ml import TitanicPipeline

ROOT = Path(__file__).parents[1]


def table(rows: int) -> pd.DataFrame:
    known = pd.read_csv(ROOT / "data/train.csv")
    drawn = known if rows == len(known) else known.sample(rows, replace=True, random_state=0)
    return drawn.assign(PassengerId=range(1, rows + 1)).reset_index(drop=True)


def measured(rows: int, *words: str) -> dict[str, float]:
    """Seconds of each stage, as the progress names them; what comes after is the keeping."""
    ended: dict[str, float] = {}

    def note(done: int, steps: int, stage: str) -> None:
        ended[stage] = time.perf_counter()

    with tempfile.TemporaryDirectory() as folder:
        pipeline = TitanicPipeline(f"store.uri={folder}/models", f"scratch={folder}/s", *words)
        last = start = time.perf_counter()
        training = pipeline.train(table(rows), note)
        whole = time.perf_counter() - start
    seconds = {}
    for stage, end in ended.items():
        seconds[stage], last = end - last, end
    left_out = ", ".join(training.selection.left_out) or "none"
    print(f"{rows:,} rows: {training.selection.chosen.label} is chosen; left out: {left_out}")
    return seconds | {"writing and promoting": whole - sum(seconds.values()), "all": whole}


def main(*given: str) -> None:
    sizes = [int(word) for word in given if word.isdigit()] or [891, 10_000]
    words = [word for word in given if not word.isdigit()]
    found = pd.DataFrame({f"{rows:,}": measured(rows, *words) for rows in sizes})
    print("seconds by stage and number of rows")
    print(found.round(1).to_string())
    usage = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    most = [resource.getrusage(who).ru_maxrss / 1024 for who in usage]
    print(f"peak memory of this process {most[0]:.0f} MB, of the largest worker {most[1]:.0f} MB")


if __name__ == "__main__":
    main(*sys.argv[1:])
