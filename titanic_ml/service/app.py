"""The application: what is answered at which path."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from threadpoolctl import threadpool_limits

from titanic_ml import __version__
from titanic_ml.service.access_log import AccessLogMiddleware
from titanic_ml.service.champion import SECONDS
from titanic_ml.service.dashboard import dashboard
from titanic_ml.service.hosts import AllowedHostsMiddleware
from titanic_ml.service.info_routes import info_routes
from titanic_ml.service.keys import ApiKeyMiddleware
from titanic_ml.service.openapi import TAGS
from titanic_ml.service.predict_routes import predict_routes
from titanic_ml.service.refusals import tell_refusals
from titanic_ml.service.serving import Serving

if TYPE_CHECKING:
    from titanic_ml.pipeline import TitanicPipeline


def create_app(
    pipeline: TitanicPipeline,
    model: str = "champion",
    seconds: float = SECONDS,
    host: str = "127.0.0.1",
) -> FastAPI:
    """Make the application that serves a version, or the version of an alias.

    Parameters
    ----------
    pipeline
        Settings and store; the pipeline must not be used elsewhere afterwards.
    model
        Name or alias of the version.
    seconds
        Seconds between two readings of the alias.
    host
        Bind address, an allowed value of the Host header if the settings name none.

    Returns
    -------
    FastAPI
        The application.

    Raises
    ------
    SettingsError, UnwritableTable
        The log of predictions can't be written.
    """
    serving = Serving.of(pipeline, model, seconds)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await run_in_threadpool(serving.start)
        with threadpool_limits(1):  # more threads for a few rows only wait for each other
            yield
        await run_in_threadpool(serving.stop)

    app = FastAPI(
        title="titanic_ml",
        summary=f"{serving.spec.name}: predicts {serving.spec.outcome}",
        version=__version__,
        lifespan=lifespan,
        docs_url=None,  # its page would fetch scripts from elsewhere; ours is in `info_routes`
        redoc_url=None,
        openapi_tags=TAGS,
        servers=[{"url": "."}],  # relative, for a prefix of a proxy
        redirect_slashes=False,  # a redirect would be built from the Host header
    )
    app.state.serving = serving
    routers = predict_routes(serving), info_routes(serving), dashboard(serving)
    routes = [route for router in routers for route in router.routes]
    app.router.routes += routes  # an included router is asked twice at each request
    tell_refusals(app, serving)
    queries = {
        route.path: frozenset(field.alias for field in route.dependant.query_params)
        for route in routes
        if isinstance(route, APIRoute)
    }
    if serving.keys:
        app.add_middleware(ApiKeyMiddleware, keys=serving.keys)
    hosts = pipeline.settings.service.hosts or ["localhost", host]
    app.add_middleware(AllowedHostsMiddleware, hosts=hosts)
    app.add_middleware(AccessLogMiddleware, metrics=serving.metrics, queries=queries)
    return app
