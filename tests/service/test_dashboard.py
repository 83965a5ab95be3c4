"""The dashboard, as it is served; test_browser.py opens it in a browser."""

from __future__ import annotations

import json
import re

import pandas as pd

from titanic_ml.monitoring.log import PredictionLog
from titanic_ml.service import serving


def test_it_shows_the_version_that_answers(service, pipeline):
    page = service.get("/")
    html = page.body.decode()
    version = pipeline.store.resolve("champion")
    assert page.status == 200 and f"<strong>{version}</strong>" in html
    assert pipeline.report().verdict.headline in html
    assert "script-src 'self'" in page.headers["content-security-policy"]
    for name in ("roc", "calibration", "slices", "importance", "dependence", "learning_curve"):
        assert f'id="h-{name}"' in html
    assert "http://" not in html.replace("http://www.w3.org", "") and "https://" not in html
    for name in pipeline.spec.columns:
        assert (f'name="{name}"' in html) is (name != "Survived")


def test_its_parts_are_its_own(service):
    for name, kind in (("dashboard.js", "text/javascript"), ("dashboard.css", "text/css")):
        answer = service.get(f"/dashboard/{name}")
        assert answer.status == 200 and answer.headers["content-type"].startswith(kind)
    assert service.get("/dashboard/dashboard.html.j2").status == 404


def test_another_version_is_picked_by_its_name(own_service, pipeline, worse):
    html = own_service.get(f"/?model={worse.name}").body.decode()
    assert f"<strong>{worse.name}</strong>" in html and "Another version predicts:" in html
    assert html.count("<circle") >= 2 and f'href="?model={worse.name}"' in html
    missing = own_service.get("/?model=nobody")
    assert missing.status == 404 and "nobody" in missing.json["error"]


def test_the_confusion_matrix_at_the_threshold_is_that_of_the_report(service, pipeline):
    html = service.get("/").body.decode()
    steps = json.loads(re.search(r'id="thresholds">(.*?)</script>', html)[1])
    evaluation = pipeline.evaluate()
    at = next(step for step in steps if step["threshold"] == evaluation.threshold)
    names = {0: {0: "true_0", 1: "false_1"}, 1: {0: "false_0", 1: "true_1"}}
    for truth, row in evaluation.confusion.items():
        for predicted, count in row.items():
            assert at[names[truth][predicted]] == count
    assert len(steps) == 101


def test_the_example_is_no_row_of_the_training_table(service, pipeline, passengers):
    one = pipeline.spec.example_row
    assert one["PassengerId"] not in set(passengers["PassengerId"])
    others = pd.read_csv("data/test.csv").set_index("PassengerId", drop=False)
    assert one == others.loc[one["PassengerId"]].to_dict()
    html = service.get("/").body.decode()
    for name in ("Name", "Ticket", "Cabin", "Age", "Fare", "PassengerId"):
        assert re.search(rf'name="{name}"[^>]*value="{re.escape(str(one[name]))}"', html), name


def test_what_the_log_has_is_reported(
    start, pipeline, tmp_path, monkeypatch, test_frame, wait_until
):
    log = PredictionLog(f"{tmp_path}/log/", pipeline.spec, seconds=0.1)
    monkeypatch.setattr(serving, "prediction_log", lambda pipeline, spec: log)
    where = f"{tmp_path}/log/"
    settings = pipeline.settings
    object.__setattr__(settings.monitoring, "log", where)
    service = start(pipeline, "champion", 0.05)
    rows = json.loads(test_frame.head(200).to_json(orient="records"))
    assert service.post(rows).status == 200
    wait_until(lambda: log.written == 200)
    html = service.get("/dashboard/log").body.decode()
    assert "no drift in 200 rows" in html and "200 rows in the log" in html
    assert html.count("<tr>") > 10


def test_without_a_log_it_says_so(service):
    html = service.get("/dashboard/log").body.decode()
    assert "set monitoring.log" in html
