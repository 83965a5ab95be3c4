"""The dashboard: a model where people can look at it, drawn by the server with a little script."""

from __future__ import annotations

import functools
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anyio import BrokenWorkerProcess, to_process
from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response
from starlette.concurrency import run_in_threadpool
from starlette.responses import FileResponse

from titanic_ml.errors import ModelError, ModelRefused, TitanicError
from titanic_ml.evaluation.thresholds import confusions
from titanic_ml.reporting.report import METRIC_WORDS, template
from titanic_ml.reporting.verdict import verdict
from titanic_ml.reporting.version_report import VersionReport
from titanic_ml.service.requests import Refused
from titanic_ml.service.serving import Serving
from titanic_ml.service.ttl_cache import TtlCache

if TYPE_CHECKING:
    from titanic_ml.registry.version import Manifest

log = logging.getLogger(__name__)
PAGES = Path(__file__).parent / "pages"
TYPES = {"dashboard.js": "text/javascript", "dashboard.css": "text/css"}
# Drawings have styles of their own; nothing is fetched from elsewhere.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self'; "
    "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
LOG_SECONDS = 60.0  # for which the page of the log is kept
NEWEST = 50  # versions and changes of the champion that are listed
SHOWN_METRICS = ("log_loss", "roc_auc", "accuracy", "calibration_error")


def dashboard(serving: Serving) -> APIRouter:
    """Make the routes of the dashboard."""
    router = APIRouter(include_in_schema=False)
    log_page = TtlCache(functools.partial(_log_page, serving), LOG_SECONDS)

    @router.get("/")
    async def page(model: str = "") -> Response:
        """Show the page of the served version, or of another."""
        name = model or serving.answering()
        html = await run_in_threadpool(_page, serving, name)
        return HTMLResponse(html, headers={"content-security-policy": POLICY})

    @router.get("/dashboard/log")
    async def log() -> Response:
        """Summary and drift of the log, loaded after the page since it is slow."""
        return HTMLResponse(await log_page.get())

    @router.get("/dashboard/{name}")
    async def asset(name: str) -> Response:
        if name not in TYPES:
            raise Refused(404, f"no {name}")
        return FileResponse(PAGES / name, media_type=TYPES[name])

    return router


def _page(serving: Serving, model: str) -> str:
    pipeline = serving.pipeline
    try:
        name = pipeline.store.resolve(model)
        opened = pipeline.store.open(name)
        facts, table = VersionReport.from_json(opened.facts), opened.out_of_fold
        figures = opened.figures
    except ModelError as error:
        log.warning("%s", error)
        text = str(error) if serving.keys else f"version {model[:60]!r} can't be shown"
        raise Refused(404, text) from error
    found = pipeline.store.versions()
    versions = [v.manifest for v in found if not isinstance(v, ModelRefused)]
    versions = sorted(versions, key=lambda manifest: manifest.version)[-NEWEST:]
    history = pipeline.store.champion.history()
    return template("dashboard.html.j2", escaped=True).render(
        version=name,
        facts=facts,
        verdict=verdict(facts),
        figures=figures,
        thresholds=confusions(table["y"].to_numpy(), table.filter(like="repeat_").to_numpy()),
        words={metric: METRIC_WORDS[metric] for metric in SHOWN_METRICS},
        answering=serving.champion.version,
        versions=versions,
        **_over_time(versions),
        history=history[::-1][:NEWEST],
        users=bool(serving.keys),
        spec=serving.spec,
        example=serving.spec.example_row,
    )


def _over_time(versions: Sequence[Manifest]) -> dict[str, Any]:
    """Place the log loss of each version in a drawing of 640 by 170."""
    losses = [version.metrics["log_loss"] for version in versions]
    if len(losses) < 2:
        return {"drawn": []}
    bottom, top = min(loss.low for loss in losses), max(loss.high for loss in losses)

    def height(value: float) -> float:
        return round(150 - 140 * (value - bottom) / max(top - bottom, 1e-9) + 10, 1)

    drawn = [
        {
            "version": version.version,
            "x": round(60 + 560 * place / (len(losses) - 1), 1),
            "y": height(loss.value),
            "low": height(loss.low),
            "high": height(loss.high),
            "label": f"{version.version} {loss}",
        }
        for place, (version, loss) in enumerate(zip(versions, losses, strict=True))
    ]
    return {"drawn": drawn, "top": top, "bottom": bottom}


async def _log_page(serving: Serving) -> str:
    apart = to_process.run_sync if serving.log else run_in_threadpool
    try:  # a log is read in a process, since it would slow down requests for seconds
        found = await apart(serving.pipeline.monitor, None, serving.answering())
        why = ""
    except TitanicError as error:
        found, why = None, serving.shown(str(error)) if serving.log else str(error)
    except BrokenWorkerProcess:
        found, why = None, "the process that read the log was killed, as where memory is short"
    positive = serving.spec.answers[1]
    return template("log.html.j2", escaped=True).render(found=found, why=why, positive=positive)
