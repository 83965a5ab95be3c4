"""Error handlers: each error with its status and one form of JSON."""

from __future__ import annotations

import logging

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from titanic_ml.errors import InvalidTable, TitanicError, UnreadableTable
from titanic_ml.service.requests import Refused
from titanic_ml.service.serving import Serving

log = logging.getLogger(__name__)
SHOWN_FAULTS = 20  # in one answer; the rest are counted


def tell_refusals(app: FastAPI, serving: Serving) -> None:
    """Add the error handlers to an application."""

    @app.exception_handler(Refused)
    async def refuse(request: Request, error: Refused) -> Response:
        return JSONResponse(error.content, error.status, error.headers)

    @app.exception_handler(HTTPException)
    async def refuse_path(request: Request, error: HTTPException) -> Response:
        return JSONResponse({"error": error.detail.lower()}, error.status_code, error.headers)

    @app.exception_handler(InvalidTable)
    async def refuse_faults(request: Request, error: InvalidTable) -> Response:
        serving.metrics.rejected.inc(len({fault.row for fault in error.faults if fault.row}))
        faults = [
            {
                serving.spec.row_name: f.row,
                "field": f.column,
                "found": f.found,
                "expected": f.expected,
            }
            for f in error.faults[:SHOWN_FAULTS]
        ]
        text = f"{error.count} fault{'s' * (error.count != 1)}; rows are counted from 1"
        return JSONResponse({"error": text, "faults": faults}, 422)

    @app.exception_handler(RequestValidationError)
    async def refuse_question(request: Request, error: RequestValidationError) -> Response:
        found = error.errors()[0]
        text = f"{found['loc'][-1]}: found {str(found['input'])[:60]!r}, expected true or false"
        return JSONResponse({"error": text}, 422)

    @app.exception_handler(UnreadableTable)
    async def refuse_table(request: Request, error: UnreadableTable) -> Response:
        return JSONResponse({"error": str(error)}, 422)

    @app.exception_handler(TitanicError)
    async def unavailable(request: Request, error: TitanicError) -> Response:
        log.error("%s", error)
        return JSONResponse({"error": serving.shown(str(error))}, 503)
