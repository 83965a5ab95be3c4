"""The application: what is answered at which path."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.concurrency import run_in_threadpool
from threadpoolctl import threadpool_limits

from titanic_ml import __version__
from titanic_ml.errors import InvalidTable, TitanicError
from titanic_ml.service.champion import SECONDS, Champion
from titanic_ml.service.metrics import Metrics
from titanic_ml.service.requests import Refused, passengers_of
from titanic_ml.service.schema import answer_schema, passenger_schema
from titanic_ml.service.together import Together
from titanic_ml.service.watched import Watched

if TYPE_CHECKING:
    from titanic_ml.dataset.spec import DatasetSpec
    from titanic_ml.pipeline import TitanicPipeline

log = logging.getLogger(__name__)
SHOWN_FAULTS = 100  # in one answer; the rest are counted


def create_app(
    pipeline: TitanicPipeline, model: str = "champion", seconds: float = SECONDS
) -> FastAPI:
    """An application that answers by the version that an alias points at.

    Parameters
    ----------
    pipeline
        Which answers; it belongs to the application from then on.
    model
        A version or an alias.
    seconds
        Between two looks at the alias.
    """
    champion, metrics = Champion(pipeline, model, seconds), Metrics()
    together = Together(pipeline.predict_each)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await run_in_threadpool(champion.start)
        with threadpool_limits(1):  # more threads for a few rows only wait for each other
            yield
        await run_in_threadpool(champion.stop)

    app = FastAPI(
        title="titanic_ml",
        summary="Who survived",
        version=__version__,
        lifespan=lifespan,
        docs_url=None,  # its page would fetch scripts from elsewhere
        redoc_url=None,
    )
    app.state.champion, app.state.metrics = champion, metrics

    @app.post("/predict", openapi_extra=_predict_page(pipeline.spec), response_class=JSONResponse)
    async def predict(request: Request) -> Response:
        """One passenger, an object of facts, or a list of up to 10,000."""
        passengers, alone = await passengers_of(request)
        if champion.version is None:
            raise Refused(503, champion.why or "no version is loaded yet")
        if alone:
            answers = [await together.ask(passengers[0])]
        else:
            answers = await run_in_threadpool(pipeline.predict_rows, passengers)
        for answer in answers:
            metrics.predictions.labels(answer[pipeline.spec.target]).inc()
        return JSONResponse(answers[0] if alone else {"predictions": answers})

    @app.get("/model")
    async def model_page() -> Response:
        """What the version that answers says of itself."""
        if champion.version is None:
            raise Refused(503, champion.why or "no version is loaded yet")
        version = await run_in_threadpool(pipeline.store.open, champion.version)
        return JSONResponse(version.manifest.to_dict())

    @app.get("/healthz")
    async def health() -> dict[str, str]:
        """Whether the process lives."""
        return {"status": "alive"}

    @app.get("/readyz")
    async def ready() -> Response:
        """Whether a version answers, which, and whether another was refused."""
        found = {"model_version": champion.version, "refused": champion.refused}
        return JSONResponse(found | {"why": champion.why}, 200 if champion.version else 503)

    @app.get("/metrics")
    async def numbers() -> Response:
        """What Prometheus asks for."""
        page = metrics.page(champion.version, champion.refused)
        return Response(page, media_type=CONTENT_TYPE_LATEST)

    @app.exception_handler(Refused)
    async def refuse(request: Request, error: Refused) -> Response:
        return JSONResponse(error.content, error.status)

    @app.exception_handler(InvalidTable)
    async def refuse_faults(request: Request, error: InvalidTable) -> Response:
        metrics.rejected.inc(len({fault.row for fault in error.faults if fault.row}))
        faults = [
            {"passenger": f.row, "field": f.column, "found": f.found, "expected": f.expected}
            for f in error.faults[:SHOWN_FAULTS]
        ]
        told = f"{error.count} fault{'s' * (error.count != 1)}; passengers are counted from 1"
        return JSONResponse({"error": told, "faults": faults}, 422)

    @app.exception_handler(TitanicError)
    async def unavailable(request: Request, error: TitanicError) -> Response:
        log.error("%s", error)
        return JSONResponse({"error": str(error)}, 503)

    paths = [getattr(route, "path", "") for route in app.routes]
    app.add_middleware(Watched, metrics=metrics, paths=paths)
    return app


def _predict_page(spec: DatasetSpec) -> dict[str, Any]:
    """What OpenAPI says of the request and its answers."""
    passenger, answer = passenger_schema(spec), answer_schema(spec)
    many = {"type": "array", "items": passenger, "minItems": 1, "maxItems": 10_000}
    answers = {"type": "object", "properties": {"predictions": {"type": "array", "items": answer}}}
    refused = {
        "400": "the body is not JSON",
        "413": "too many passengers or bytes",
        "415": "another type than application/json",
        "422": "a passenger has a fault: which, in which field, what was found and expected",
        "503": "no version is loaded",
    }
    body = {"content": {"application/json": {"schema": {"anyOf": [passenger, many]}}}}
    good = {"content": {"application/json": {"schema": {"anyOf": [answer, answers]}}}}
    responses = {"200": {"description": "predicted", **good}}
    responses |= {status: {"description": why} for status, why in refused.items()}
    return {"requestBody": body | {"required": True}, "responses": responses}
