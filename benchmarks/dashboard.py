"""The dashboard's first view, and what one that is open costs the service.

`python benchmarks/dashboard.py` from the project's root, after `make train`; needs wrk and a
Chromium (`make browser`). Requests a second are measured in turn without and with a tab that shows
the dashboard and is reloaded every ten seconds; the ratio is of neighbours.
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
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parents[1]
PORT, ROUNDS, SECONDS, RELOAD = 8323, 4, 20, 10
PASSENGER = (
    '{"PassengerId": 1, "Pclass": 3, "Name": "Braund, Mr. Owen Harris", "Sex": "male", '
    '"SibSp": 1, "Parch": 0, "Ticket": "A/5 21171", "Fare": 7.25}'
)
ADDRESS = f"http://127.0.0.1:{PORT}"
FIRST_VIEW = "performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd"
BROWSER = shutil.which("chromium") or shutil.which("google-chrome")


def load(script: Path) -> float:
    """Requests a second."""
    words = ["wrk", "-t1", "-c16", f"-d{SECONDS}", "-s", script, f"{ADDRESS}/predict"]
    told = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    return float(re.search(r"Requests/sec:\s+(\S+)", told)[1])


def with_tab(script: Path) -> float:
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


def main() -> None:
    words = [sys.executable, "main.py", "serve", "--port", str(PORT), "monitoring.log=null"]
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
        with tempfile.TemporaryDirectory() as folder:
            script = Path(folder, "post.lua")
            kind = 'wrk.headers["Content-Type"] = "application/json"'
            script.write_text(f"wrk.method = \"POST\"\n{kind}\nwrk.body = '{PASSENGER}'\n")
            load(script)
            pairs = [(load(script), with_tab(script)) for _ in range(ROUNDS)]
    finally:
        program.terminate()
        program.wait()
    print(f"first view: median {statistics.median(views):.2f} s, longest {max(views):.2f} s")
    alone, beside = (statistics.median(side) for side in zip(*pairs))
    ratio = statistics.median(b / a for a, b in pairs)
    print(f"requests/s: {alone:,.0f} alone, {beside:,.0f} with a dashboard open: {ratio:.2f}")


if __name__ == "__main__":
    main()
