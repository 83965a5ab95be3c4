"""Middleware for every request: id, time limit, query, line in the log, headers and metrics."""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from starlette.responses import JSONResponse

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from titanic_ml.service.metrics import Metrics

access = logging.getLogger("titanic_ml.service.access")
GIVEN_ID = re.compile(rb"[\w.:-]{1,64}")
SECONDS = 60.0  # that a request may take, its body included
SLOW = {"/predict/file": 600.0}
HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
]


class AccessLogMiddleware:
    """Limits the time of requests, counts and logs them, and adds headers to the answers.

    A client's `X-Request-Id` is kept if it is safe to log; else the request gets an id. The log has
    one record per request, without its body.

    Parameters
    ----------
    app : the application
    metrics : counts and times requests
    queries : by path, the names of its query parameters; other names are refused
    """

    def __init__(
        self, app: ASGIApp, metrics: Metrics, queries: Mapping[str, frozenset[str]]
    ) -> None:
        self.app = app
        self.metrics = metrics
        self.queries = queries

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        start, status = time.perf_counter(), 0
        given = dict(scope["headers"]).get(b"x-request-id", b"")
        name = given if GIVEN_ID.fullmatch(given) else secrets.token_hex(16).encode()

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                own = list(message.get("headers", ()))
                given = {header for header, _ in own}
                ours = [header for header in HEADERS if header[0] not in given]
                message = {**message, "headers": [*own, *ours, (b"x-request-id", name)]}
            await send(message)

        limit = SLOW.get(scope["path"], SECONDS)
        try:
            async with asyncio.timeout(limit):
                await self._answer(scope, receive, sending)
        except TimeoutError:
            if status:
                raise  # the answer has begun, and is cut off
            error = {"error": f"the request took longer than {limit:g} seconds"}
            await JSONResponse(error, 503, {"retry-after": "1"})(scope, receive, sending)
        finally:
            self._count(scope, name, status or 500, time.perf_counter() - start)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "HEAD":  # the server leaves the body out
            scope = {**scope, "method": "GET"}
        if scope["query_string"] and (known := self.queries.get(scope["path"])) is not None:
            query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
            if unknown := [key for key, _ in query if key not in known]:
                expected = ", ".join(sorted(known)) or "none"
                error = {
                    "error": f"unknown query parameter {unknown[0][:60]!r}, expected {expected}"
                }
                await JSONResponse(error, 422)(scope, receive, send)
                return
        await self.app(scope, receive, send)

    def _count(self, scope: Scope, name: bytes, status: int, seconds: float) -> None:
        path = scope["path"] if scope["path"] in self.queries else "other"
        self.metrics.requests.labels(path, status).inc()
        self.metrics.seconds.labels(path).observe(seconds)
        if access.isEnabledFor(logging.INFO):
            fields = {
                "request": name.decode(),
                "method": scope["method"],
                "path": scope["path"],
                "status": status,
                "seconds": round(seconds, 6),
            }
            access.info("request", extra={"fields": fields})
