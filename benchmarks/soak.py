"""The service under load while its champion is changed again and again.

`python benchmarks/soak.py [SECONDS] [SWAPS]` from the project's root trains two small models in a
folder of its own. Eight connections send requests all the time. Each response must have status 200
and the probability of the version that it names. That version must be the champion, or have been
it `LATEST` seconds before: the service polls once a second, and loads a new champion first.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path

import pandas as pd

from titanic_ml import TitanicPipeline

ROOT = Path(__file__).parents[1]
PORT, CONNECTIONS = 8322, 8
LATEST = 3.0  # seconds after a promotion in which the previous champion may predict
PASSENGER = {
    **{"PassengerId": 1, "Pclass": 3, "Name": "Braund, Mr. Owen Harris", "Sex": "male"},
    **{"Age": 22, "SibSp": 1, "Parch": 0, "Ticket": "A/5 21171", "Fare": 7.25},
}


@dataclass
class Load:
    """Responses to requests without a pause."""

    expected: dict[str, float]
    answered: int = 0
    failed: list[str] = field(default_factory=list)
    late: float = 0.0  # most seconds after a promotion at which the previous champion predicted
    longest: float = 0.0
    champions: frozenset[str] = frozenset()  # at this moment: two while one is promoted
    promoted: float = 0.0  # time of the last promotion
    over: threading.Event = field(default_factory=threading.Event)

    def ask(self) -> None:
        connection = HTTPConnection("127.0.0.1", PORT, timeout=30)
        body, kind = json.dumps(PASSENGER), {"Content-Type": "application/json"}
        while not self.over.is_set():
            begun, champions, promoted = time.monotonic(), self.champions, self.promoted
            connection.request("POST", "/predict", body, kind)
            answer = connection.getresponse()
            found = json.loads(answer.read())
            version = found.get("model_version")
            if answer.status != 200 or found["probability"] != self.expected.get(version):
                self.failed.append(str(found))
            if version not in champions | self.champions:
                self.late = max(self.late, begun - promoted)
            self.answered += 1  # of threads that share a lock: about as many
            self.longest = max(self.longest, time.monotonic() - begun)


def memory(process: int) -> float:
    status = Path(f"/proc/{process}/status").read_text()
    return int(re.search(r"VmRSS:\s*(\d+) kB", status)[1]) / 1024


def wait_until_ready() -> None:
    for _ in range(300):
        try:
            return urllib.request.urlopen(f"http://127.0.0.1:{PORT}/readyz", timeout=5).close()
        except OSError:
            time.sleep(0.1)
    raise SystemExit("the service didn't answer within 30 seconds")


def main(seconds: float = 300, swaps: int = 20) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = f"store.uri={folder}/models"
        pipeline = TitanicPipeline(store, "selection=quick", f"scratch={folder}/scratch")
        expected, versions = {}, []
        for name in ("logistic_regression", "gradient_boosting"):
            words = (store, "selection=quick", f"scratch={folder}/scratch", f"estimator=[{name}]")
            versions.append(TitanicPipeline(*words).train(promote=False).version)
            pipeline.online.warm(versions[-1])
            expected[versions[-1]] = pipeline.predict_one(PASSENGER)["probability"]
        pipeline.models.promote(versions[0], force=True)
        log = f"monitoring.log={folder}/served/"
        command = [sys.executable, "main.py", "serve", "--port", str(PORT), store, log]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        program = subprocess.Popen(command, cwd=ROOT, **quiet)
        begun = time.monotonic()
        wait_until_ready()
        ready = time.monotonic() - begun
        load = Load(expected, champions=frozenset(versions[:1]))
        threads = [threading.Thread(target=load.ask) for _ in range(CONNECTIONS)]
        for thread in threads:
            thread.start()
        start, early = time.monotonic(), 0.0
        for turn in range(1, swaps + 1):
            load.champions = frozenset(versions)
            pipeline.models.promote(versions[turn % 2], force=True)
            load.promoted, load.champions = time.monotonic(), frozenset([versions[turn % 2]])
            while time.monotonic() - start < turn * seconds / swaps:
                time.sleep(0.5)
                if not early and time.monotonic() - start > min(60, seconds / 5):
                    early = memory(program.pid)
        end = memory(program.pid)
        load.over.set()
        for thread in threads:
            thread.join()
        told = urllib.request.urlopen(f"http://127.0.0.1:{PORT}/metrics").read().decode()
        lost = re.search(r"^titanic_log_dropped_rows_total (\S+)", told, re.MULTILINE)[1]
        program.terminate()
        code = program.wait()
        kept = len(pd.read_parquet(f"{folder}/served/", columns=["run_id"]))
        print(
            f"{seconds:.0f} s, {swaps} swaps: {load.answered:,} requests, {len(load.failed)} failed"
        )
        print(f"the previous champion predicted for at most {load.late:.2f} s after a promotion")
        print(f"the longest request took {load.longest:.2f} s")
        print(f"ready {ready:.1f} s after the start")
        print(f"memory after the first minute {early:.0f} MB, at the end {end:.0f} MB")
        print(f"the log has {kept:,} rows, {float(lost):.0f} were lost")
        print(f"exit code after SIGTERM: {code}")
        if load.failed:
            raise SystemExit(f"the first that failed: {load.failed[0]}")
        if load.late > LATEST:
            raise SystemExit(f"the previous champion predicted for more than {LATEST:g} s")


if __name__ == "__main__":
    main(*map(float, sys.argv[1:2]), *map(int, sys.argv[2:3]))
