"""What is done with every request: its id, its time, its line in the log, its headers."""

from __future__ import annotations

import json
import logging
import re
import secrets
import time
from collections.abc import Collection
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from titanic_ml.service.metrics import Metrics

access = logging.getLogger("titanic_ml.service.access")
GIVEN_ID = re.compile(rb"[\w.:-]{1,64}")
HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
]


class Watched:
    """An ASGI application around another.

    A client's `X-Request-Id` is kept if it is a plain one; else the request gets an id. The log
    has one line of JSON a request, without what was asked.

    Parameters
    ----------
    app
        The other.
    metrics
        What counts and times.
    paths
        Those that there are; others are counted as one.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics, paths: Collection[str]) -> None:
        self.app = app
        self.metrics = metrics
        self.paths = frozenset(paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        start, status = time.perf_counter(), 500
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

        try:
            await self.app(scope, receive, sending)
        finally:
            seconds = time.perf_counter() - start
            path = scope["path"] if scope["path"] in self.paths else "other"
            self.metrics.requests.labels(path, status).inc()
            self.metrics.seconds.labels(path).observe(seconds)
            if access.isEnabledFor(logging.INFO):
                line = {
                    "request": name.decode(),
                    "method": scope["method"],
                    "path": scope["path"],
                    "status": status,
                    "seconds": round(seconds, 6),
                }
                access.info("%s", json.dumps(line))
