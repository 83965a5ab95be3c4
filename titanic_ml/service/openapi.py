"""The OpenAPI description of the service: request bodies, answers, refusals and groups of paths.

Rows are described by the model that validates them (`titanic_ml.dataset.records`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, TypeAlias, get_type_hints

from fastapi import Depends
from fastapi.security import HTTPBearer
from pydantic import BaseModel, Field, create_model

from titanic_ml.dataset.records import field_type, record_model
from titanic_ml.dataset.spec import DatasetSpec
from titanic_ml.registry.version import Manifest
from titanic_ml.service.requests import FILES, MOST_ROWS

Responses: TypeAlias = dict[int | str, dict[str, Any]]
# Groups of /docs, in this order.
PREDICT, MODEL, OPERATE = "Predict and explain", "Model", "Operate"
TAGS = [
    {"name": PREDICT, "description": "Probability and class of rows, and the reasons."},
    {"name": MODEL, "description": "The model version that predicts."},
    {"name": OPERATE, "description": "Health, readiness and metrics, for orchestrators."},
]


class Refusal(BaseModel):
    """Why a request is refused."""

    error: str


class Health(BaseModel):
    """The state of the process."""

    status: Literal["alive"]


class Readiness(BaseModel):
    """The version that predicts; the service's log has the reasons of what fails."""

    model_version: str | None = Field(description="the version that predicts; null without one")
    refused: str | None = Field(description="a newer champion that can't be loaded")
    log_failing: bool = Field(description="whether predictions can't be logged now")


# Fields of the manifest with users and addresses, which responses leave out.
PRIVATE = ("who", "settings", "files", "digest", "signature")
_DESCRIBED: dict[str, Any] = {
    name: (dict[str, Any] if name == "data" else kind, ...)
    for name, kind in get_type_hints(Manifest).items()
    if name not in PRIVATE
}
ModelDescription = create_model("ModelDescription", **_DESCRIBED)


def describe(manifest: Manifest) -> dict[str, Any]:
    """Return a manifest as a response shows it: without users, settings and addresses."""
    found = {name: value for name, value in manifest.to_dict().items() if name not in PRIVATE}
    data = {name: value for name, value in found["data"].items() if name != "uri"}
    return found | {"data": data}


UNAVAILABLE: Responses = {503: {"model": Refusal, "description": "no version is loaded"}}


def refusals(spec: DatasetSpec) -> Responses:
    """Return the refusals of rows, with the name of a row as the key of its number."""
    number = Field(alias=spec.row_name, description="number of the row, from 1; 0 for all rows")
    fault = create_model(
        "Fault", number=(int, number), field=(str, ...), found=(str, ...), expected=(str, ...)
    )
    faulty = create_model("RefusedRows", __base__=Refusal, faults=(list[fault], []))  # type: ignore
    return UNAVAILABLE | {
        400: {"model": Refusal, "description": "the body is not what its type says"},
        413: {"model": Refusal, "description": "too many rows or bytes"},
        429: {"model": Refusal, "description": "too many such requests at the same time"},
        415: {"model": Refusal, "description": "another type than those above"},
        422: {"model": faulty, "description": "faults of rows: where, found and expected"},
    }


def guarded(keys: Sequence[str], responses: Responses | None = None) -> dict[str, Any]:
    """Return arguments of a path that has these responses, and needs a key if there are keys.

    The keys are checked before a request reaches the path (`ApiKeyMiddleware`).
    """
    found: dict[str, Any] = {"responses": responses or {}}
    if keys:
        unauthorized = {"model": Refusal, "description": "no key, or a wrong one"}
        found["responses"] = found["responses"] | {401: unauthorized}
        found["dependencies"] = [Depends(HTTPBearer(scheme_name="key", auto_error=False))]
    return found


def predictions(spec: DatasetSpec) -> Any:
    """Return the type of an answer of `/predict`: a prediction, or an object with a list."""
    one = _prediction(spec.with_optional_id(), "Prediction")
    item = _prediction(spec, "ListedPrediction")
    fields: dict[str, Any] = {"predictions": (list[item], ...)}  # type: ignore[valid-type]
    return one | create_model("Predictions", **fields)


def _prediction(spec: DatasetSpec, title: str) -> type[BaseModel]:
    fields: dict[str, Any] = {
        "id": (field_type(spec.columns[spec.id]), Field(alias=spec.id)),
        "target": (Literal[spec.answers], Field(alias=spec.target)),
        "probability": (float, Field(ge=0, le=1)),
        "version": (str, Field(alias="model_version")),
    }
    return create_model(title, **fields)


def row_body(spec: DatasetSpec) -> dict[str, Any]:
    """Return the request body of one row without the need of an id."""
    schema = record_model(spec.with_optional_id(), _title(spec)).model_json_schema()
    return _body({"application/json": {"schema": schema, "example": spec.example_row}})


def rows_body(spec: DatasetSpec) -> dict[str, Any]:
    """Return the request body of one row or a list of them."""
    one = record_model(spec.with_optional_id(), _title(spec)).model_json_schema()
    items = record_model(spec, f"Listed{_title(spec)}").model_json_schema()
    many = {"type": "array", "items": items, "minItems": 1, "maxItems": MOST_ROWS}
    row = spec.example_row
    required = {name: row[name] for name in one.get("required", [])}
    examples = {
        "one": {"summary": f"one {spec.row_name}", "value": row},
        "many": {"summary": "a list", "value": [row]},
        "few fields": {"summary": "only the required fields", "value": required},
    }
    return _body({"application/json": {"schema": {"anyOf": [one, many]}, "examples": examples}})


def _title(spec: DatasetSpec) -> str:
    return spec.row_name.title().replace(" ", "")


def table_body() -> dict[str, Any]:
    """Return the request body of a table."""
    return _body(TABLE)


def _body(content: dict[str, Any]) -> dict[str, Any]:
    return {"requestBody": {"required": True, "content": content}}


TABLE = {kind: {"schema": {"type": "string", "format": "binary"}} for kind in FILES}
