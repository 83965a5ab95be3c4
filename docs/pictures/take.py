"""Take the pictures of the docs: `make pictures`, after `make train` and `make run-tests`.

Needs Chromium (`make browser`). The dashboard and the report are those of the champion in
`models/`, the coverage report is the last one.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import suppress
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from titanic_ml import TitanicPipeline

ROOT = Path(__file__).parents[2]
BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
FLAGS = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]


def start_service() -> tuple[subprocess.Popen[bytes], str]:
    """Serve the champion on a free port, without a log."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"http://127.0.0.1:{free.getsockname()[1]}"
    words = ["main.py", "serve", "--quiet", "--port", address.rpartition(":")[2]]
    process = subprocess.Popen([sys.executable, *words, "monitoring.log=null"], cwd=ROOT)
    for _ in range(600):
        with suppress(OSError):
            urllib.request.urlopen(f"{address}/readyz").close()
            return process, address
        time.sleep(0.1)
    raise RuntimeError("the service is not ready after a minute")


def take(page: Page, address: str, name: str, height: int) -> None:
    """Take a picture of the top of a page."""
    page.set_viewport_size({"width": 1000, "height": height})
    page.goto(address)
    page.wait_for_timeout(2_000)  # the form predicts its example
    page.screenshot(path=ROOT / "docs/pictures" / name)


def main() -> None:
    pipeline = TitanicPipeline()
    report = Path("models", pipeline.store.resolve("champion"), "report.html").resolve()
    process, address = start_service()
    try:
        with sync_playwright() as playwright:
            page = playwright.chromium.launch(executable_path=BROWSER, args=FLAGS).new_page()
            take(page, address, "dashboard.png", 900)
            take(page, report.as_uri(), "report.png", 1000)
            take(page, (ROOT / "coverage/index.html").as_uri(), "coverage.png", 500)
    finally:
        process.terminate()
        process.wait()


if __name__ == "__main__":
    main()
