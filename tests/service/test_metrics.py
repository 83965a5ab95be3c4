"""What Prometheus is told."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from titanic_ml.service.metrics import Metrics


def samples(page: bytes) -> dict[tuple[str, str], float]:
    found = text_string_to_metric_families(page.decode())
    return {
        (s.name, ",".join(s.labels.values())): s.value for family in found for s in family.samples
    }


def test_the_version_that_answers_is_the_only_one():
    metrics = Metrics()
    metrics.page("first", None)
    found = samples(metrics.page("second", "broken"))
    assert found["titanic_model_version", "second"] == 1
    assert ("titanic_model_version", "first") not in found
    assert found["titanic_model_refused", ""] == 1
    assert samples(metrics.page(None, None))["titanic_model_refused", ""] == 0


def test_two_services_count_apart():
    first, second = Metrics(), Metrics()
    first.predictions.labels(1).inc(3)
    assert samples(first.page(None, None))["titanic_predictions_total", "1"] == 3
    assert ("titanic_predictions_total", "1") not in samples(second.page(None, None))
