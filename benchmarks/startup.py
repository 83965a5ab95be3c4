"""How long the program takes to start, against the least that such a program could take.

Run `python benchmarks/startup.py` from the project's root, after `make train`; the last line
needs the extra `serve`. Each pair of commands runs in turn, A B A B …, so that a slow moment of the
machine meets both; the table gives the median seconds of each and the median of the ratios pair by
pair.
"""

import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

from service import PLAIN, PORT, REQUEST_MODEL, RUN

from titanic_ml import TitanicPipeline

RUNS = 15
Timed = Callable[[list[str]], float]

EMPTY_TYPER = """
import typer

app = typer.Typer()


@app.command()
def run(name: str = "x"):
    print(name)


app()
"""

# What anyone would write by hand with the same model: no checks, no settings, no versions.
BARE_PREDICT = """
import sys

import joblib
import pandas as pd
import sklearn

model = joblib.load(sys.argv[1])
passengers = pd.read_csv(sys.argv[2])
survived = model.predict(passengers[list(model.feature_names_in_)])
answer = pd.DataFrame({"PassengerId": passengers["PassengerId"], "Survived": survived})
answer.to_csv(sys.argv[3], index=False)
"""


def seconds(command: list[str]) -> float:
    """Wall time of one run of a command that must succeed."""
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - start


def seconds_until_answered(command: list[str]) -> float:
    """Wall time from the start of a server until it answers 200 for the last word's path."""
    *command, path = command
    start = time.perf_counter()
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    server = subprocess.Popen(command, **quiet)
    try:
        while server.poll() is None:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{PORT}{path}", timeout=1).close()
                return time.perf_counter() - start
            except OSError:
                time.sleep(0.002)
        raise RuntimeError(f"{command} ended with {server.returncode}")
    finally:
        server.terminate()
        server.wait()


def compare(
    name: str, bar: float, ours: list[str], floor: list[str], timed: Timed = seconds
) -> None:
    """Print a line: both medians, the ratio, and the bar that the ratio has to stay under."""
    timed(ours), timed(floor)
    pairs = [(timed(ours), timed(floor)) for _ in range(RUNS)]
    a, b = (statistics.median(column) for column in zip(*pairs, strict=True))
    ratio = statistics.median(x / y for x, y in pairs)
    print(f"{name:<34} {a:>8.3f} {b:>8.3f} {ratio:>7.2f} {bar:>6.1f}", flush=True)


def main() -> None:
    """Run the comparisons."""
    store = TitanicPipeline().store
    model = str(Path(store.uri) / store.resolve("champion") / "model.joblib")
    python = sys.executable
    print(f"{'median seconds':<34} {'ours':>8} {'floor':>8} {'ratio':>7} {'bar':>6}")
    with tempfile.TemporaryDirectory() as folder:
        empty, bare = Path(folder, "empty.py"), Path(folder, "bare.py")
        empty.write_text(EMPTY_TYPER)
        bare.write_text(BARE_PREDICT)
        output = str(Path(folder, "out.csv"))
        compare(
            "--help / empty typer program",
            3.0,
            [python, "main.py", "--help"],
            [python, str(empty), "--help"],
        )
        compare(
            "predict 418 rows / bare script",
            1.5,
            [python, "main.py", "predict", "data/test.csv", "--output", output],
            [python, str(bare), model, "data/test.csv", output],
        )
        compare(
            "serve, until ready / plain FastAPI",
            1.5,
            [python, "main.py", "serve", "--port", str(PORT), "/readyz"],
            [python, "-c", REQUEST_MODEL + PLAIN + RUN, str(PORT), model, "/docs"],
            seconds_until_answered,
        )


if __name__ == "__main__":
    main()
