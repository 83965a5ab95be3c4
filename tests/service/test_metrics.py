"""Prometheus metrics."""

from __future__ import annotations

import pytest
from prometheus_client.mmap_dict import MmapedDict, mmap_key
from prometheus_client.parser import text_string_to_metric_families

from titanic_ml.service.metrics import FOLDER, Metrics


def samples(page: bytes) -> dict[tuple[str, str], float]:
    found = text_string_to_metric_families(page.decode())
    return {
        (s.name, ",".join(s.labels.values())): s.value for family in found for s in family.samples
    }


def test_the_version_that_answers_is_the_only_one():
    metrics = Metrics()
    metrics.answers("first", None)
    metrics.answers("second", "broken")
    found = samples(metrics.page())
    assert found["titanic_model_version", "second"] == 1
    assert ("titanic_model_version", "first") not in found
    assert found["titanic_model_refused", ""] == 1
    metrics.answers(None, None)
    found = samples(metrics.page())
    assert found["titanic_model_refused", ""] == 0
    assert ("titanic_model_version", "second") not in found


def test_two_services_count_apart():
    first, second = Metrics(), Metrics()
    first.predictions.labels(1).inc(3)
    assert samples(first.page())["titanic_predictions_total", "1"] == 3
    assert ("titanic_predictions_total", "1") not in samples(second.page())


def test_the_log_is_counted_by_what_was_added_since():
    metrics = Metrics()
    metrics.log(5, 1, failing=True)
    metrics.log(7, 1, failing=False)
    found = samples(metrics.page())
    assert found["titanic_log_rows_total", ""] == 7
    assert found["titanic_log_dropped_rows_total", ""] == 1
    assert found["titanic_log_failing", ""] == 0


@pytest.fixture
def workers(tmp_path, monkeypatch) -> Metrics:
    """One of several workers; another has counted three predictions."""
    monkeypatch.setenv(FOLDER, str(tmp_path))
    file = MmapedDict(str(tmp_path / "counter_7.db"))
    name = "titanic_predictions"
    key = mmap_key(name, f"{name}_total", ["prediction"], ["1"], "Passengers predicted")
    file.write_value(key, 3.0, 0.0)
    file.close()
    return Metrics()


def test_a_worker_that_has_only_just_made_its_file_disturbs_no_others(workers, tmp_path):
    (tmp_path / "histogram_8.db").touch()
    assert samples(workers.page()) == {("titanic_predictions_total", "1"): 3}
