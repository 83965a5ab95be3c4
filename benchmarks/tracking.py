"""Time that tracking adds to a training: `python benchmarks/tracking.py`.

Whole processes, in turn, medians of nine: a training with `tracking.uri` null, into a database that
MLflow opens itself, and to a server that the benchmark starts; and the import of MLflow alone.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).parents[1]
RUNS, PORT = 9, 5987
SERVER = f"http://127.0.0.1:{PORT}"
QUIET = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
TRAIN = ["main.py", "train", "--quiet", f"data.uri={ROOT / 'data/train.csv'}", "selection=quick"]


def seconds(folder: str, *words: str) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, *words], cwd=folder, check=True, capture_output=True)
    return time.perf_counter() - start


def server(folder: str) -> subprocess.Popen[bytes]:
    words = ["-m", "mlflow", "server", "--workers=1", f"--port={PORT}"]
    words += ["--backend-store-uri=sqlite:///server.db"]
    silent = subprocess.DEVNULL
    process = subprocess.Popen(
        [sys.executable, *words], cwd=folder, env=os.environ | QUIET, stdout=silent, stderr=silent
    )
    for _ in range(600):
        try:
            urllib.request.urlopen(f"{SERVER}/health", timeout=5).close()
            return process
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("the server didn't start within a minute")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        process = server(folder)
        train = [str(ROOT / TRAIN[0]), *TRAIN[1:]]
        commands = {
            "training, not tracked": train,
            "training, tracked in sqlite:///mlflow.db": [
                *train,
                "tracking.uri=sqlite:///mlflow.db",
            ],
            "training, tracked on a server": [*train, f"tracking.uri={SERVER}"],
            "import mlflow": ["-c", "import mlflow"],
        }
        try:
            for words in commands.values():
                seconds(folder, *words)  # the first makes databases and reads files from disk
            taken: dict[str, list[float]] = {name: [] for name in commands}
            for _ in range(RUNS):
                for name, words in commands.items():
                    taken[name].append(seconds(folder, *words))
        finally:
            process.terminate()
            process.wait()
    print(f"{'':<40} median, s  more, s")
    base = statistics.median(next(iter(taken.values())))
    for name, times in taken.items():
        median = statistics.median(times)
        print(f"{name:<40} {median:>9.2f} {median - base if ', tracked' in name else 0:>8.2f}")


if __name__ == "__main__":
    main()
