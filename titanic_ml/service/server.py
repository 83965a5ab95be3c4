"""The server: uvicorn with the application, in one process or in several that share a port."""

from __future__ import annotations

import functools
import os
import shutil
import signal
import socket
import tempfile
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

import uvicorn

from titanic_ml.errors import SettingsError
from titanic_ml.service.logs import log_config
from titanic_ml.service.protocol import LimitedProtocol

if TYPE_CHECKING:
    from fastapi import FastAPI

    from titanic_ml.pipeline import TitanicPipeline

    Opener: TypeAlias = Callable[[], TitanicPipeline]

# Imported in functions: gunicorn, which Windows does not have, and the application. It imports
# prometheus_client, which only then looks whether there are several workers.

STOP = (signal.SIGINT, signal.SIGTERM)
GRACE = 25  # seconds for running requests after SIGTERM
SILENCE = 60  # seconds without a sign of life after which a worker is replaced
CONNECTIONS = 800  # of a process; more are answered with 503


def run(
    opened: Opener, model: str, host: str, port: int, workers: int = 1, quiet: bool = False
) -> None:
    """Serve until SIGTERM or Ctrl-C; requests that are running then are answered.

    Parameters
    ----------
    opened
        Opens the pipeline; called in each worker.
    model
        A version or an alias.
    host, port
        Bind address; port 0 is any free port.
    workers
        Number of processes. A dead one is replaced; all end with this one.
    quiet
        Log only warnings and errors.

    Raises
    ------
    SettingsError, UnwritableTable
        As by `create_app`, or the address is unknown or taken, or the system has no workers.
    """
    _check_address(host, port)
    app = functools.partial(_application, opened, model, host)
    options: dict[str, Any] = {
        "http": LimitedProtocol,
        "limit_concurrency": CONNECTIONS,
        "access_log": False,  # the application writes its own
        "server_header": False,
        "timeout_graceful_shutdown": GRACE,
        "log_config": log_config("WARNING" if quiet else "INFO"),
    }
    # uvicorn sends itself the signal again after its shutdown.
    before = {kind: signal.signal(kind, signal.SIG_IGN) for kind in STOP}
    try:
        if workers == 1:
            uvicorn.Server(uvicorn.Config(app(), host=host, port=port, **options)).run()
        else:
            opened()  # reports wrong settings once
            _run_workers(app, host, port, workers, options)
    finally:
        for kind, handler in before.items():
            signal.signal(kind, handler)


def _run_workers(
    app: Callable[[], FastAPI], host: str, port: int, workers: int, options: dict[str, Any]
) -> None:
    if os.name != "posix":
        raise SettingsError("--workers needs a POSIX system: serve with one worker on Windows")
    arbiter, folder = os.getpid(), tempfile.mkdtemp(prefix="ml-metrics-")
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
    from gunicorn.errors import HaltServer

    from titanic_ml.service.workers import WorkerService

    settings = {
        "bind": f"[{host}]:{port}" if ":" in host else f"{host}:{port}",
        "workers": workers,
        "control_socket_disable": True,
        "logconfig_dict": options["log_config"] | {"root": {"handlers": []}},
        "graceful_timeout": GRACE + 5,
        "timeout": SILENCE,
    }
    try:
        WorkerService(app, settings, options).run()
    except (SystemExit, HaltServer) as stopped:
        if os.getpid() != arbiter:  # a worker, which gunicorn forks here
            raise
        if isinstance(stopped, HaltServer) or stopped.code:
            raise SettingsError("the workers can't start; the lines above say why") from None
    finally:
        if os.getpid() == arbiter:
            del os.environ["PROMETHEUS_MULTIPROC_DIR"]
            shutil.rmtree(folder, ignore_errors=True)


def _check_address(host: str, port: int) -> None:
    """Raise `SettingsError` if the address is unknown or taken; uvicorn would only exit."""
    try:
        kind, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        socket.create_server(address[:2], family=kind).close()
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise SettingsError(f"can't listen at --host {host} --port {port}: {reason}") from error


def _application(opened: Opener, model: str, host: str) -> FastAPI:
    """Create the application of a process."""
    from titanic_ml.service.app import create_app

    return create_app(opened(), model, host=host)
