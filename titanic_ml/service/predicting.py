"""The paths that answer: for passengers in JSON, for a table, and why."""

from __future__ import annotations

import asyncio
import logging
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, Response
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.responses import FileResponse

from titanic_ml.evaluation.explanation import Explanation
from titanic_ml.service.openapi import (
    PREDICT,
    REFUSALS,
    TABLE,
    guarded,
    passenger_body,
    passengers_body,
    predictions,
    table_body,
)
from titanic_ml.service.requests import Refused, passengers_of, received
from titanic_ml.service.serving import Serving

log = logging.getLogger(__name__)
TABLES = 2  # that are predicted at a time; others wait


def predicting(serving: Serving) -> APIRouter:
    """The routes."""
    router = APIRouter(tags=[PREDICT], **guarded(serving.keys, REFUSALS))
    online = serving.pipeline.online

    @router.post(
        "/predict",
        summary="Predict passengers",
        openapi_extra=passengers_body(serving.spec),
        response_model=predictions(serving.spec),
    )
    async def predict(request: Request) -> Response:
        """Predict one passenger, an object of facts, or a list of up to 10,000.

        A single passenger needs no id.
        """
        passengers, alone = await passengers_of(request)
        serving.answering()
        if alone:
            answers = [await serving.answer(passengers[0])]
        else:
            answers = await run_in_threadpool(online.predict_rows, passengers)
        serving.answered(passengers, answers)
        return JSONResponse(answers[0] if alone else {"predictions": answers})

    _add_explanations(router, serving)
    _add_tables(router, serving)
    return router


def _add_explanations(router: APIRouter, serving: Serving) -> None:
    """The route of explanations."""

    @router.post(
        "/explain",
        summary="Explain a prediction",
        openapi_extra=passenger_body(serving.spec),
        response_model=Explanation,
    )
    async def explain(request: Request) -> Response:
        """Explain which facts of one passenger moved the probability, and by how much."""
        passengers, alone = await passengers_of(request)
        if not alone:
            raise Refused(422, "found a list, expected one passenger, an object of facts")
        serving.answering()
        found = await run_in_threadpool(serving.pipeline.online.explain_one, passengers[0])
        return JSONResponse(found.to_dict())


def _add_tables(router: APIRouter, serving: Serving) -> None:
    """The route of tables."""
    turn = asyncio.Semaphore(TABLES)

    @router.post(
        "/predict/file",
        summary="Predict a table",
        openapi_extra=table_body(),
        response_class=FileResponse,
        responses={200: {"content": TABLE}},
    )
    async def predict_file(
        request: Request,
        full: Annotated[bool, Query(description="add probability, version and time")] = False,
        probability: Annotated[bool, Query(description="add the probability")] = False,
    ) -> Response:
        """A table, CSV or Parquet, of any number of passengers: the same as `predict` writes.

        Parquet has probability, version and time in any case.
        """
        version, upload = serving.answering(), await received(request)
        try:
            async with turn:
                await run_in_threadpool(
                    serving.pipeline.predict_into,
                    upload.output,
                    upload.path,
                    version,
                    full=full,
                    probability=probability,
                )
        except BaseException as error:
            upload.remove()
            raise upload.without_path(error) from error
        return FileResponse(
            upload.output,
            media_type=upload.kind,
            headers={"x-model-version": version},
            background=BackgroundTask(upload.remove),
        )
