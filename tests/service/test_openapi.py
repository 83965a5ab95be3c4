"""What OpenAPI says of the service, and whether it is so."""

from __future__ import annotations

from titanic_ml.service.openapi import predict_page


def test_openapi_describes_the_passenger_by_the_dataset(service):
    paths = service.get("/openapi.json").json["paths"]
    assert set(paths) == {
        *("/predict", "/predict/file", "/explain"),
        *("/model", "/healthz", "/readyz", "/metrics"),
    }
    content = paths["/predict"]["post"]["requestBody"]["content"]["application/json"]
    assert content["schema"]["anyOf"][0]["properties"]["Pclass"]["enum"] == [1, 2, 3]


def test_its_examples_are_answered(service, spec):
    body = predict_page(spec)["requestBody"]["content"]["application/json"]
    for example in body["examples"].values():
        assert service.post(example["value"]).status == 200, example
