"""Who may ask."""

from __future__ import annotations

import base64
import json

import pytest

from titanic_ml import TitanicPipeline

FIRST, SECOND = "first-key-of-the-tests", "second-key-of-the-tests"  # pragma: allowlist secret


@pytest.fixture
def guarded(start, store, quick):
    words = (f"store.uri={store}", *quick, f"service.api_keys={FIRST}, {SECOND}")
    return start(TitanicPipeline(*words), "champion", 0.05)


def test_who_names_a_key_is_answered(guarded, passenger):
    for key in (FIRST, SECOND):
        assert guarded.post(passenger, Authorization=f"Bearer {key}").status == 200
    wrong = ["", "Bearer", f"Bearer {FIRST}x", f"Bearer {FIRST},{SECOND}", FIRST]
    for given in wrong:
        refused = guarded.post(passenger, Authorization=given)
        assert refused.status == 401 and refused.headers["www-authenticate"].startswith(
            "Bearer, Basic realm="
        ), given
        assert "expected the header Authorization" in refused.json["error"]
        assert refused.headers["x-content-type-options"] == "nosniff"


def test_a_browser_may_send_it_as_the_password_of_anybody(guarded):
    for user, key, status in (("", FIRST, 200), ("ann", SECOND, 200), ("ann", "wrong", 401)):
        given = base64.b64encode(f"{user}:{key}".encode()).decode()
        answer = guarded.ask("GET", "/", Authorization=f"Basic {given}")
        assert answer.status == status, user
    assert guarded.ask("GET", "/", Authorization="Basic !").status == 401


def test_probes_and_the_description_need_none(guarded):
    for path in ("/healthz", "/readyz", "/docs", "/docs/start.js", "/openapi.json"):
        assert guarded.get(path).status == 200, path
    for path in ("/model", "/metrics", "/explain", "/nowhere", "/healthz/", "//healthz"):
        assert guarded.get(path).status == 401, path
    assert set(guarded.get("/readyz").json) == {"model_version", "refused", "log_failing"}
    page = guarded.get("/openapi.json").json
    assert page["components"]["securitySchemes"] == {"key": {"type": "http", "scheme": "bearer"}}
    assert "security" in page["paths"]["/predict"]["post"]
    assert "security" not in page["paths"]["/healthz"]["get"]


def test_no_key_is_shown_or_kept_with_a_version(run, tmp_path, quick, computed):
    done = run("config", "--json", f"service.api_keys={FIRST}")
    assert FIRST not in done.out + done.err and "***" in done.out
    pipeline = TitanicPipeline(f"store.uri={tmp_path}", *quick, f"service.api_keys={FIRST}")
    version = pipeline.train().version
    assert FIRST not in json.dumps(pipeline.store.open(version).manifest.to_dict())


def test_a_short_key_is_refused(run):
    done = run("config", "service.api_keys=short")
    assert (
        done.code == 2 and "service.api_keys is too short, expected keys of at least 16" in done.err
    )
