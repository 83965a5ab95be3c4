"""What Prometheus is told."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

BUCKETS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)  # seconds


class Metrics:
    """The counters of one service, in a registry of their own."""

    def __init__(self) -> None:
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
            "titanic_predictions", "Passengers predicted, by class", ["prediction"], registry=r
        )
        self.rejected = Counter(
            "titanic_rejected_rows", "Passengers with a fault, in requests refused", registry=r
        )
        self.version = Gauge(
            "titanic_model_version", "1 for the version that answers", ["version"], registry=r
        )
        self.refused = Gauge(
            "titanic_model_refused", "1 if the version that should answer can't", registry=r
        )

    def page(self, version: str | None, refused: str | None) -> bytes:
        """All of them, in Prometheus' text format."""
        self.version.clear()
        if version:
            self.version.labels(version).set(1)
        self.refused.set(refused is not None)
        return generate_latest(self.registry)
