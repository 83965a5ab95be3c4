"""The dashboard's first view, and what one that is open costs the service.

`python benchmarks/dashboard.py [ROWS]` from the project's root, after `make train`; needs wrk and a
Chromium (`make browser`). The log has so many rows before the first request (by default as many as
are looked at), and each request adds one. Requests are measured in turn without and with a tab that
shows the dashboard and is reloaded every ten seconds; the log is looked at once a minute at most,
so once each time. The ratio is of neighbours.
"""

from __future__ import annotations

import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from datetime import timedelta
from pathlib import Path

import pandas as pd
from playwright.sync_api import sync_playwright

from titanic_ml import TitanicPipeline
from titanic_ml.monitoring.log import PredictionLog
from titanic_ml.storage.sinks import open_sink

ROOT = Path(__file__).parents[1]
ROWS = 500_000
PORT, ROUNDS, SECONDS, RELOAD = 8323, 4, 40, 10
PASSENGER = (
    '{"PassengerId": 1, "Pclass": 3, "Name": "Braund, Mr. Owen Harris", "Sex": "male", '
    '"SibSp": 1, "Parch": 0, "Ticket": "A/5 21171", "Fare": 7.25}'
)
ADDRESS = f"http://127.0.0.1:{PORT}"
FIRST_VIEW = "performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd"
BROWSER = shutil.which("chromium") or shutil.which("google-chrome")


def fill(uri: str, rows: int) -> None:
    """Passengers of the training table, asked about over and over in the last ten days."""
    pipeline = TitanicPipeline()
    train = pd.read_csv(ROOT / "data" / "train.csv").drop(columns="Survived")
    known = train.merge(pipeline.predict(train, probability=True), on="PassengerId")
    known["model_version"] = pipeline.store.resolve("champion")
    frame = pd.concat([known] * (rows // len(known) + 1), ignore_index=True).head(rows)
    steps = pd.timedelta_range(-timedelta(days=10), timedelta(0), len(frame))
    frame["predicted_at"] = (pd.Timestamp.now("UTC") + steps).floor("s")
    log = PredictionLog(uri, pipeline.spec)
    with open_sink(log.address, log.schema, "filled") as write:
        write(frame.assign(run_id="filled"))


def load(script: Path) -> tuple[float, float]:
    """Requests a second, and the 99th percentile of their time in milliseconds."""
    words = ["wrk", "-t1", "-c16", f"-d{SECONDS}", "--latency", "-s", script, f"{ADDRESS}/predict"]
    told = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    late, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)", told).groups()
    rate = float(re.search(r"Requests/sec:\s+(\S+)", told)[1])
    return rate, float(late) * {"us": 1e-3, "ms": 1, "s": 1e3}[unit]


def with_tab(script: Path) -> tuple[float, float]:
    over, found = threading.Event(), []
    thread = threading.Thread(target=lambda: (found.append(load(script)), over.set()))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        tab = browser.new_page()
        tab.goto(ADDRESS)
        thread.start()
        while not over.wait(RELOAD):
            tab.reload()
        browser.close()
    thread.join()
    return found[0]


def first_views() -> list[float]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        times = []
        for _ in range(9):
            tab = browser.new_context().new_page()
            tab.goto(ADDRESS)
            times.append(tab.evaluate(FIRST_VIEW) / 1000)
        browser.close()
    return times


def main(rows: int = ROWS) -> None:
    with tempfile.TemporaryDirectory() as folder:
        uri = f"{folder}/served/"
        fill(uri, rows)
        words = [sys.executable, "main.py", "serve", "--port", str(PORT), f"monitoring.log={uri}"]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        program = subprocess.Popen(words, cwd=ROOT, **quiet)
        try:
            for _ in range(300):
                try:
                    urllib.request.urlopen(f"{ADDRESS}/readyz", timeout=5).close()
                    break
                except OSError:
                    time.sleep(0.1)
            views = first_views()
            script = Path(folder, "post.lua")
            kind = 'wrk.headers["Content-Type"] = "application/json"'
            script.write_text(f"wrk.method = \"POST\"\n{kind}\nwrk.body = '{PASSENGER}'\n")
            load(script)  # meanwhile the look at the log for the views ends
            pairs = [(load(script), with_tab(script)) for _ in range(ROUNDS)]
        finally:
            program.terminate()
            program.wait()
        kept = len(pd.read_parquet(uri, columns=["run_id"]))
    print(f"first view: median {statistics.median(views):.2f} s, longest {max(views):.2f} s")
    print(f"the log: {rows:,} rows before, {kept:,} after")
    print(f"{'':<24}{'requests/s':>12}{'p99, ms':>9}")
    for name, side in zip(("alone", "with a dashboard open"), zip(*pairs)):
        rate, late = (statistics.median(column) for column in zip(*side))
        print(f"{name:<24}{rate:>12,.0f}{late:>9.1f}")
    ratio = statistics.median(b[0] / a[0] for a, b in pairs)
    print(f"{'ratio of neighbours':<24}{ratio:>12.2f}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
