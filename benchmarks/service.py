"""How many requests a second the service answers, against others on the same machine.

`python benchmarks/service.py [SECONDS]` from the project's root, after `make train`; it needs wrk.
Sixteen connections ask about one passenger a request, of one worker each: an application of FastAPI
that gives back what its request model has read; the service; FastAPI around the champion's Pipeline
and a DataFrame, as most are written; and, with `--mlflow`, `mlflow models serve` of the same model.
"""

from __future__ import annotations

import argparse
import json
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from titanic_ml import TitanicPipeline

ROOT = Path(__file__).parents[1]
PORT, CONNECTIONS, ROUNDS = 8321, 16, 3
PASSENGER = {
    **{"PassengerId": 1, "Pclass": 3, "Name": "Braund, Mr. Owen Harris", "Sex": "male"},
    **{"Age": 22, "SibSp": 1, "Parch": 0, "Ticket": "A/5 21171", "Fare": 7.25},
    **{"Cabin": None, "Embarked": "S"},
}

REQUEST_MODEL = """
import sys, uvicorn, joblib, pandas as pd
from fastapi import FastAPI
from pydantic import BaseModel, Field

class Passenger(BaseModel):
    PassengerId: int = Field(ge=1)
    Pclass: int = Field(ge=1, le=3)
    Name: str
    Sex: str
    Age: float | None = Field(default=None, ge=0, le=120)
    SibSp: int = Field(ge=0, le=20)
    Parch: int = Field(ge=0, le=20)
    Ticket: str
    Fare: float | None = Field(default=None, ge=0, le=1000)
    Cabin: str | None = None
    Embarked: str | None = None

app = FastAPI()
"""

ECHO = """
@app.post("/predict")
async def predict(passenger: Passenger) -> Passenger:
    return passenger
"""

PLAIN = """
sys.path.insert(0, ".")  # for the features of the Pipeline
model = joblib.load(sys.argv[2])

@app.post("/predict")
def predict(passenger: Passenger) -> dict[str, float]:
    frame = pd.DataFrame([passenger.model_dump()])[list(model.feature_names_in_)]
    return {"probability": float(model.predict_proba(frame)[0, 1])}
"""

RUN = """
uvicorn.run(app, port=int(sys.argv[1]), log_level="warning", access_log=False)
"""


@contextmanager
def running(command: list[str], ready: str) -> Iterator[None]:
    """A server, from when it answers until it is told to stop."""
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    program = subprocess.Popen(command, cwd=ROOT, **quiet)
    try:
        for _ in range(600):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{PORT}{ready}", timeout=5).close()
                break
            except OSError:
                time.sleep(0.1)
        yield
    finally:
        program.terminate()
        program.wait()
        _wait_until_free()


def _wait_until_free() -> None:
    """What a server has started, as mlflow does, may keep the port for some seconds."""
    for _ in range(600):
        with socket.socket() as asking:
            if asking.connect_ex(("127.0.0.1", PORT)):
                return
        time.sleep(0.1)


def measure(path: str, body: object, seconds: int, folder: Path) -> tuple[float, float, float]:
    """Requests a second, and the median and the 99th percentile of latency in milliseconds."""
    script = folder / "post.lua"
    script.write_text(
        'wrk.method = "POST"\nwrk.headers["Content-Type"] = "application/json"\n'
        f"wrk.body = [[{json.dumps(body)}]]\n"
    )
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency", "-s", str(script)]
    address = f"http://127.0.0.1:{PORT}{path}"
    out = subprocess.run([*command, address], check=True, capture_output=True, text=True).stdout
    assert "Non-2xx" not in out, out
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", out)[1])
    return rate, *(_milliseconds(re.search(rf"\s{n}%\s+(\S+)", out)[1]) for n in (50, 99))


def _milliseconds(text: str) -> float:
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s)", text).groups()
    return float(number) * {"us": 1e-3, "ms": 1, "s": 1e3}[unit]


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("seconds", nargs="?", type=int, default=5)
    asked.add_argument("--mlflow", help="the address of a model, as mlflow models serve takes it")
    words = asked.parse_args()
    store = TitanicPipeline().store
    version = store.open("champion")
    python = [sys.executable, "-c"]
    model = version.address("model.joblib")
    servers = {
        "echo": ([*python, REQUEST_MODEL + ECHO + RUN, str(PORT)], "/docs", "/predict", PASSENGER),
        "titanic_ml": (
            [sys.executable, "main.py", "serve", "--port", str(PORT)],
            *("/healthz", "/predict", PASSENGER),
        ),
        "FastAPI, DataFrame, Pipeline": (
            [*python, REQUEST_MODEL + PLAIN + RUN, str(PORT), model],
            *("/docs", "/predict", PASSENGER),
        ),
    }
    if words.mlflow:
        command = ["models", "serve", "-m", words.mlflow, "-p", str(PORT), "--env-manager", "local"]
        given = {"dataframe_records": [PASSENGER]}
        servers["mlflow models serve"] = (
            [str(Path(sys.executable).parent / "mlflow"), *command],
            *("/ping", "/invocations", given),
        )
    found: dict[str, list[tuple[float, float, float]]] = {name: [] for name in servers}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(ROUNDS):
            for name, (command, ready, path, body) in servers.items():
                with running(command, ready):
                    measure(path, body, 1, Path(folder))  # what is imported only when asked
                    found[name].append(measure(path, body, words.seconds, Path(folder)))
    print(f"{version.manifest.estimator}; {CONNECTIONS} connections, the best of {ROUNDS} rounds")
    print(f"{'':<30} {'requests/s':>10} {'of echo':>8} {'p50, ms':>8} {'p99, ms':>8}")
    echo = max(found["echo"])[0]
    for name, rounds in found.items():
        rate, median, worst = max(rounds)
        print(f"{name:<30} {rate:>10,.0f} {rate / echo:>8.2f} {median:>8.2f} {worst:>8.2f}")


if __name__ == "__main__":
    main()
