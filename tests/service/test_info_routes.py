"""Routes of information."""

from __future__ import annotations

import re


def test_what_it_says_of_itself(service, pipeline):
    version = pipeline.store.open("champion")
    described, manifest = service.get("/model").json, version.manifest.to_dict()
    assert described["metrics"] == manifest["metrics"] and described["data"]["rows"] == 891
    assert service.get("/healthz").json == {"status": "alive"}
    ready = service.get("/readyz")
    assert (ready.status, ready.json["model_version"]) == (200, version.name)
    assert service.ask("GET", "/predict").status == 405


def test_without_a_key_no_response_names_a_user_or_a_path(own_service, pipeline):
    version = pipeline.store.open("champion")
    places = [version.manifest.who, str(pipeline.store), pipeline.settings.store.uri, "train.csv"]
    for path in ("/model", "/?model=x", "/?model=../x", "/", "/readyz", "/dashboard/log"):
        body = own_service.get(path).body.decode()
        assert not [place for place in places if re.search(rf"\b{re.escape(place)}\b", body)], path
    refused = own_service.get("/?model=x")
    assert refused.status == 404 and refused.json == {"error": "version 'x' can't be shown"}


def test_its_description_is_shown_without_asking_another_host(service):
    page = service.get("/docs")
    assert page.status == 200 and "https://" not in page.body.decode()
    assert page.headers["content-security-policy"].startswith(
        "default-src 'none'; script-src 'self'"
    )
    names = re.findall(r'(?:src|href)="docs/([^"]+)"', page.body.decode())
    assert names == ["swagger-ui.css", "swagger-ui-bundle.js", "start.js"]
    for name in names:
        assert service.get(f"/docs/{name}").status == 200
    assert service.get("/docs/..%2f__init__.py").status == 404


def test_metrics_count_requests_predictions_and_faults(own_service, passenger):
    service = own_service
    service.post(passenger)
    service.post([passenger | {"Pclass": 9}])
    service.get("/nowhere")
    page = service.get("/metrics").body.decode()
    for line in (
        'titanic_requests_total{path="/predict",status="200"} 1.0',
        'titanic_requests_total{path="/predict",status="422"} 1.0',
        'titanic_requests_total{path="other",status="404"} 1.0',
        'titanic_predictions_total{prediction="0"} 1.0',
        "titanic_rejected_rows_total 1.0",
        "titanic_model_refused 0.0",
        f'titanic_model_version{{version="{service.get("/readyz").json["model_version"]}"}} 1.0',
    ):
        assert line in page.splitlines()


def test_there_is_an_icon(service):
    icon = service.get("/favicon.ico")
    assert icon.status == 200 and icon.headers["content-type"].startswith("image/svg+xml")
    assert icon.body.startswith(b"<svg") and "max-age" in icon.headers["cache-control"]
    for page in ("/", "/docs"):
        assert b'rel="icon" href="favicon.ico"' in service.get(page).body
