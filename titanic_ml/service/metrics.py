"""Prometheus metrics of one process, or of all workers of a service."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable
from pathlib import Path

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Metric,
    generate_latest,
    multiprocess,
)

BUCKETS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)  # seconds
# Names the folder with the metrics of all workers; prometheus_client reads it at its import.
FOLDER = "PROMETHEUS_MULTIPROC_DIR"


class Metrics:
    """The counters of one service, in a registry of their own.

    Where the variable `FOLDER` is set they are those of all its workers. What is true of each
    worker, such as its version, then has the number of its process.
    """

    def __init__(self) -> None:
        self.folder = os.environ.get(FOLDER)
        self.registry = CollectorRegistry()
        r = self.registry
        self.requests = Counter(
            "titanic_requests", "Requests answered", ["path", "status"], registry=r
        )
        self.seconds = Histogram(
            "titanic_request_seconds",
            "From the request's head to the end of the answer",
            ["path"],
            buckets=BUCKETS,
            registry=r,
        )
        self.predictions = Counter(
            "titanic_predictions", "Rows predicted, by class", ["prediction"], registry=r
        )
        self.rejected = Counter(
            "titanic_rejected_rows", "Rows with a fault, in requests refused", registry=r
        )
        self.version = Gauge(
            "titanic_model_version",
            "1 for the version that answers",
            ["version"],
            registry=r,
            multiprocess_mode="liveall",
        )
        self.refused = Gauge(
            "titanic_model_refused",
            "1 if the version that should answer can't",
            registry=r,
            multiprocess_mode="liveall",
        )
        self._answering: str | None = None
        self._logged = 0, 0
        self._lock = threading.Lock()
        self._add_log()

    def _add_log(self) -> None:
        """Add what is counted of the log."""
        r = self.registry
        self.kept = Counter("titanic_log_rows", "Rows that the log has written", registry=r)
        self.dropped = Counter("titanic_log_dropped_rows", "Rows that it has lost", registry=r)
        self.failing = Gauge(
            "titanic_log_failing",
            "1 if it can't be written to now",
            registry=r,
            multiprocess_mode="liveall",
        )

    def answers(self, version: str | None, refused: str | None) -> None:
        """Say who answers, and whether another should and can't."""
        with self._lock:
            before, self._answering = self._answering, version
        if version != before:
            if before:
                self.version.labels(before).set(0)  # the workers' files keep all labels
                self.version.clear()
            if version:
                self.version.labels(version).set(1)
        self.refused.set(refused is not None)

    def log(self, written: int, dropped: int, failing: bool) -> None:
        """Say how many rows the log has written and lost in all."""
        with self._lock:
            before, self._logged = self._logged, (written, dropped)
        self.kept.inc(written - before[0])
        self.dropped.inc(dropped - before[1])
        self.failing.set(failing)

    def page(self) -> bytes:
        """Return all metrics in Prometheus' text format."""
        if self.folder is None:
            return generate_latest(self.registry)
        return generate_latest(_OfAllWorkers(Path(self.folder)))


class _OfAllWorkers(CollectorRegistry):
    """Reads the metrics that the workers have written into their folder.

    A file that a worker has only just made is empty for a moment, which Prometheus' own collector
    stumbles over: that is left out.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder

    def collect(self) -> Iterable[Metric]:
        files = [str(path) for path in self.folder.glob("*.db") if _size(path)]
        return multiprocess.MultiProcessCollector.merge(files)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:  # of a worker that has just ended
        return 0
