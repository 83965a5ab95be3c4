"""The server: uvicorn with the application, in one process or in several that share a port."""

from __future__ import annotations

import functools
import logging
import multiprocessing
import os
import signal
import socket
import tempfile
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

import uvicorn
from uvicorn.supervisors import Multiprocess

from titanic_ml.errors import SettingsError
from titanic_ml.service.metrics import FOLDER
from titanic_ml.service.protocol import LimitedProtocol

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess

    from fastapi import FastAPI

    from titanic_ml.pipeline import TitanicPipeline

    Opener: TypeAlias = Callable[[], TitanicPipeline]

# Imported in functions: the application, which a worker loads after its first sign of life.

STOP = (signal.SIGINT, signal.SIGTERM)
GRACE = 30  # seconds for running requests after SIGTERM
CONNECTIONS = 800  # of a process; more are answered with 503
HEALTH = 30  # seconds without a sign of life after which a worker is replaced


def run(opened: Opener, model: str, host: str, port: int, workers: int = 1) -> None:
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

    Raises
    ------
    SettingsError, UnwritableTable
        As `create_app`; or the address is unknown or taken.
    """
    _check_address(host, port)
    app = functools.partial(_application, opened, model)
    # uvicorn sends itself the signal again after its shutdown.
    before = {kind: signal.signal(kind, signal.SIG_IGN) for kind in STOP}
    try:
        if workers == 1:
            uvicorn.Server(_config(app(), host, port)).run()
            return
        opened()  # reports wrong settings once
        with tempfile.TemporaryDirectory(prefix="titanic-metrics-") as folder:
            os.environ[FOLDER] = folder  # read by the workers at their import
            config = _config(app, host, port, workers)
            Multiprocess(config, sockets=[config.bind_socket()]).run()
    finally:
        os.environ.pop(FOLDER, None)
        for kind, handler in before.items():
            signal.signal(kind, handler)


def _check_address(host: str, port: int) -> None:
    """Raise `SettingsError` if the address is unknown or taken; uvicorn would only exit."""
    try:
        kind, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        socket.create_server(address[:2], family=kind).close()
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise SettingsError(f"can't listen at --host {host} --port {port}: {reason}") from error


def _config(
    app: FastAPI | Callable[[], FastAPI], host: str, port: int, workers: int = 1
) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        factory=workers > 1,
        host=host,
        port=port,
        workers=workers,
        http=LimitedProtocol,
        limit_concurrency=CONNECTIONS,
        access_log=False,  # the application writes its own
        server_header=False,
        timeout_graceful_shutdown=GRACE,
        timeout_worker_healthcheck=HEALTH,
    )


def _application(opened: Opener, model: str) -> FastAPI:
    """Create the application of a process, and configure its logs.

    The supervisor checks a worker from its start, and gets answers once this module is imported.
    So slow imports come later: on a slow machine the worker would be replaced again and again.
    """
    from titanic_ml.service.app import create_app

    if parent := multiprocessing.parent_process():
        threading.Thread(target=_end_after, args=(parent,), daemon=True).start()
    _log_to_stderr("titanic_ml.service", "%(levelname)s: %(message)s")
    _log_to_stderr("titanic_ml.monitoring", "%(levelname)s: %(message)s")
    _log_to_stderr("titanic_ml.service.access", "%(message)s")
    return create_app(opened(), model)


def _end_after(parent: BaseProcess) -> None:
    """In a worker, end after the parent process has ended: else it would keep the port."""
    parent.join()
    os.kill(os.getpid(), signal.SIGTERM)


def _log_to_stderr(name: str, words: str) -> None:
    """Write a log to standard error, at level INFO and above."""
    logger, handler = logging.getLogger(name), logging.StreamHandler()
    handler.setFormatter(logging.Formatter(words))
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
