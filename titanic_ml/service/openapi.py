"""What OpenAPI says of the requests, their answers and their refusals, with examples."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

from titanic_ml.dataset.spec import DatasetSpec
from titanic_ml.service.keys import OPEN
from titanic_ml.service.requests import FILES, MOST_PASSENGERS
from titanic_ml.service.schema import answer_schema, example, passenger_schema

REFUSED = {
    400: "the body is not what its type says, such as no JSON in UTF-8",
    401: "no key, or a wrong one",
    413: "too many passengers or bytes",
    415: "another type than one of those above",
    422: "a passenger has a fault: which, in which field, what was found and expected",
    503: "no version is loaded",
}
FAULTS = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {"type": "string"},
        "faults": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "passenger": {"type": "integer", "description": "from 1; 0 if it is all"},
                    "field": {"type": "string"},
                    "found": {"type": "string"},
                    "expected": {"type": "string"},
                },
            },
        },
    },
}
EXPLANATION = {
    "title": "Explanation",
    "type": "object",
    "properties": {
        "subject": {"type": "string"},
        "outcome": {"type": "string", "description": "what the probability is of"},
        "probability": {"type": "number"},
        "base": {"type": "number", "description": "mean prediction for the training rows"},
        "contributions": {
            "type": "array",
            "description": "the largest first; with the base they sum to the probability",
            "items": {
                "type": "object",
                "properties": {
                    "features": {"type": "array", "items": {"type": "string"}},
                    "values": {"type": "string"},
                    "contribution": {"type": "number"},
                },
            },
        },
        "warning": {"type": "string"},
        "version": {"type": "string"},
    },
}


# Groups of /docs, in this order.
PREDICT, MODEL, OPERATE = "Predict and explain", "Model", "Operate"
TAGS = [
    {"name": PREDICT, "description": "Probability and class of passengers, and the reasons."},
    {"name": MODEL, "description": "The model version that predicts."},
    {"name": OPERATE, "description": "Health, readiness and metrics, for orchestrators."},
]
HEALTH = {
    "title": "Health",
    "type": "object",
    "required": ["status"],
    "properties": {"status": {"type": "string", "enum": ["alive"]}},
}
READINESS = {
    "title": "Readiness",
    "type": "object",
    "required": ["model_version", "refused"],
    "properties": {
        "model_version": {
            "type": ["string", "null"],
            "description": "the version that predicts; null if none is loaded",
        },
        "refused": {
            "type": ["string", "null"],
            "description": "a newer champion that can't be loaded",
        },
        "why": {"type": "string", "description": "why; not shown where keys are needed"},
        "log": {
            "type": ["string", "null"],
            "description": "why answers can't be logged; not shown where keys are needed",
        },
    },
}


def json_answer(schema: dict[str, Any], description: str) -> dict[str, Any]:
    """A good answer in JSON, as FastAPI's `responses` take it."""
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def predict_page(spec: DatasetSpec) -> dict[str, Any]:
    """Of `/predict`."""
    one_spec = spec.with_optional_id()
    passenger, answer = passenger_schema(one_spec), answer_schema(one_spec)
    items = passenger_schema(spec)
    many = {"type": "array", "items": items, "minItems": 1, "maxItems": MOST_PASSENGERS}
    answers = {
        "title": "Predictions",
        "type": "object",
        "required": ["predictions"],
        "properties": {"predictions": {"type": "array", "items": answer_schema(spec)}},
    }
    one = example(spec)
    examples = {
        "one": {"summary": "one passenger", "value": one},
        "many": {"summary": "a list of passengers", "value": [one]},
        "few facts": {
            "summary": "one of whom little is known",
            "value": {name: one[name] for name in passenger["required"]},
        },
    }
    body = {"schema": {"anyOf": [passenger, many]}, "examples": examples}
    return _page({"application/json": body}, {"schema": {"anyOf": [answer, answers]}})


def explain_page(spec: DatasetSpec) -> dict[str, Any]:
    """Of `/explain`."""
    body = {"schema": passenger_schema(spec.with_optional_id()), "example": example(spec)}
    return _page({"application/json": body}, {"schema": EXPLANATION})


def file_page() -> dict[str, Any]:
    """Of `/predict/file`."""
    content = {kind: {"schema": {"type": "string", "format": "binary"}} for kind in FILES}
    return _page(content, None, content)


def described(app: FastAPI, with_keys: bool) -> None:
    """Let an application say that it wants keys."""
    if not with_keys:
        return
    plain = app.openapi

    def openapi() -> dict[str, Any]:
        page = plain()
        keys = {"key": {"type": "http", "scheme": "bearer"}}
        page.setdefault("components", {})["securitySchemes"] = keys
        for path, methods in page["paths"].items():
            for method in methods.values():
                if path not in OPEN:
                    method["security"] = [{"key": []}]
                    method["responses"]["401"] = {"description": REFUSED[401]}
        return page

    app.openapi = openapi  # type: ignore[method-assign]  # as FastAPI's documentation does


def _page(
    body: dict[str, Any], good: dict[str, Any] | None, made: dict[str, Any] | None = None
) -> dict[str, Any]:
    """A path with a body that must be there, its good answer and its refusals."""
    found = {"application/json": good} if good else made
    responses: dict[str, Any] = {"200": {"description": "answered", "content": found}}
    refused = {"application/json": {"schema": FAULTS}}
    responses |= {
        str(status): {"description": why, "content": refused}
        for status, why in REFUSED.items()
        if status != 401
    }
    return {"requestBody": {"required": True, "content": body}, "responses": responses}
