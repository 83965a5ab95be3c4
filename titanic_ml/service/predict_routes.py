"""Routes of predictions: rows in JSON, tables, and explanations."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, Response
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.responses import FileResponse

from titanic_ml.evaluation.explanation import Explanation
from titanic_ml.service.openapi import (
    PREDICT,
    TABLE,
    guarded,
    predictions,
    refusals,
    row_body,
    rows_body,
    table_body,
)
from titanic_ml.service.requests import Refused, received, rows_of
from titanic_ml.service.serving import Serving
from titanic_ml.service.slots import Slots


def predict_routes(serving: Serving) -> APIRouter:
    """Return the routes of predictions and explanations."""
    router = APIRouter(tags=[PREDICT], **guarded(serving.keys, refusals(serving.spec)))
    online, lists = serving.pipeline.online, Slots(running=2, waiting=30)

    @router.post(
        "/predict",
        summary=f"Predict a {serving.spec.row_name}, or a list",
        openapi_extra=rows_body(serving.spec),
        response_model=predictions(serving.spec),
    )
    async def predict(request: Request) -> Response:
        """Predict one row, an object of fields, or a list of up to 10,000.

        A single row needs no id.
        """
        rows, alone = await rows_of(request, serving.spec.row_name)
        serving.answering()
        if alone:
            answers = [await serving.answer(rows[0])]
        else:
            async with lists.taken():
                answers = await run_in_threadpool(online.predict_rows, rows)
        serving.answered(rows, answers)
        return JSONResponse(answers[0] if alone else {"predictions": answers})

    _add_explanations(router, serving)
    _add_tables(router, serving)
    return router


def _add_explanations(router: APIRouter, serving: Serving) -> None:
    """Add the route of explanations."""
    slots = Slots(running=2, waiting=10)

    @router.post(
        "/explain",
        summary="Explain a prediction",
        openapi_extra=row_body(serving.spec),
        response_model=Explanation,
    )
    async def explain(request: Request) -> Response:
        """Explain which fields of one row moved the probability, and by how much."""
        rows, alone = await rows_of(request, serving.spec.row_name)
        if not alone:
            raise Refused(422, "found a list, expected one row, an object of fields")
        serving.answering()
        async with slots.taken():
            found = await run_in_threadpool(serving.pipeline.online.explain_one, rows[0])
        return JSONResponse(found.to_dict())


def _add_tables(router: APIRouter, serving: Serving) -> None:
    """Add the route of tables."""
    uploads, slots = Slots(running=12, waiting=0), Slots(running=2, waiting=10)

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
        """Predict a table, CSV or Parquet, of any size; the response is what `predict` writes.

        Parquet has probability, version and time in any case.
        """
        async with uploads.taken():
            version, upload = serving.answering(), await received(request)
            columns = {"full": full, "probability": probability}
            into = partial(serving.pipeline.predict_into, upload.output, upload.path, version)
            try:
                async with slots.taken():
                    await run_in_threadpool(into, **columns)
            except BaseException as error:
                upload.remove()
                raise upload.without_path(error) from error
        return FileResponse(
            upload.output,
            media_type=upload.kind,
            headers={"x-model-version": version},
            background=BackgroundTask(upload.remove),
        )
