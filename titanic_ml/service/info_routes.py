"""Routes of information: model, health, metrics and description of the API."""

from __future__ import annotations

from pathlib import Path

import fastapi_offline
from fastapi import APIRouter
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.concurrency import run_in_threadpool
from starlette.responses import FileResponse

from titanic_ml.service.openapi import (
    MODEL,
    OPERATE,
    UNAVAILABLE,
    Health,
    ModelDescription,
    Readiness,
    describe,
    guarded,
)
from titanic_ml.service.requests import Refused
from titanic_ml.service.serving import Serving

# Swagger UI as fastapi_offline packs it.
ASSETS = Path(fastapi_offline.__file__).parent / "static"
ICON = Path(__file__).parent / "pages" / "favicon.svg"
CACHED = "public, max-age=86400"  # one day
TYPES = {"swagger-ui-bundle.js": "text/javascript", "swagger-ui.css": "text/css"}
DOCS = """<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>titanic_ml: how to ask it</title>
<link rel="icon" href="favicon.ico" type="image/svg+xml">
<link rel="stylesheet" href="docs/swagger-ui.css">
<style>
@media (prefers-color-scheme: dark) { html { filter: invert(.9) hue-rotate(180deg); } }
</style>
<main id="swagger-ui"></main>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</html>
"""
START = 'SwaggerUIBundle({url: "openapi.json", dom_id: "#swagger-ui", deepLinking: true});\n'
# Swagger UI writes styles into its elements, and has pictures in its style sheet.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self'; "
    "img-src 'self' data:; font-src data:; frame-ancestors 'none'"
)


def info_routes(serving: Serving) -> APIRouter:
    """Return the routes of information."""
    router = APIRouter()
    _add_model(router, serving)
    _add_health(router, serving)
    _add_docs(router)
    return router


def _add_model(router: APIRouter, serving: Serving) -> None:
    """Add the route of the served version."""
    key = guarded(serving.keys, UNAVAILABLE)

    @router.get(
        "/model",
        summary="Describe the version",
        tags=[MODEL],
        response_model=ModelDescription,
        **key,
    )
    async def model_page() -> Response:
        """Facts of the version that predicts, from its manifest."""
        version = await run_in_threadpool(serving.pipeline.store.open, serving.answering())
        return JSONResponse(describe(version.manifest))


def _add_health(router: APIRouter, serving: Serving) -> None:
    """Add the routes of probes and metrics."""

    @router.get("/healthz", summary="Health", tags=[OPERATE])
    async def health() -> Health:
        """Report that the process is alive."""
        return Health(status="alive")

    @router.get(
        "/readyz",
        summary="Readiness",
        tags=[OPERATE],
        response_model=Readiness,
        responses={503: {"model": Readiness, "description": "no version is loaded"}},
    )
    async def ready() -> Response:
        """Report the served version, and whether another was refused."""
        champion = serving.champion
        found = {
            "model_version": champion.version,
            "refused": champion.refused,
            "log_failing": bool(serving.log and serving.log.why),
        }
        return JSONResponse(found, 200 if champion.version else 503)

    @router.get(
        "/metrics",
        summary="Metrics",
        tags=[OPERATE],
        response_class=PlainTextResponse,
        **guarded(serving.keys),
    )
    async def numbers() -> Response:
        """Metrics in Prometheus' text format."""
        serving.update_metrics()
        return Response(serving.metrics.page(), media_type=CONTENT_TYPE_LATEST)


def _add_docs(router: APIRouter) -> None:
    """Add the routes of the API documentation."""

    @router.get("/favicon.ico", include_in_schema=False)
    async def icon() -> Response:
        return FileResponse(ICON, media_type="image/svg+xml", headers={"cache-control": CACHED})

    @router.get("/docs", include_in_schema=False)
    async def docs() -> Response:
        return HTMLResponse(DOCS, headers={"content-security-policy": POLICY})

    @router.get("/docs/{name}", include_in_schema=False)
    async def asset(name: str) -> Response:
        if name == "start.js":
            return Response(START, media_type="text/javascript")
        if name not in TYPES:
            raise Refused(404, f"no {name}")
        return FileResponse(ASSETS / name, media_type=TYPES[name])
