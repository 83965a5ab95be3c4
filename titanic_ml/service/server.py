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

# Imported in functions: the application, since a worker says that it lives before it loads that.

STOP = (signal.SIGINT, signal.SIGTERM)
GRACE = 30  # seconds that requests have to end in, once the server is told to stop
CONNECTIONS = 800  # of a process; more are answered with 503
HEALTH = 30  # seconds in which a worker has to tell that it lives, or else it is replaced


def run(opened: Opener, model: str, host: str, port: int, workers: int = 1) -> None:
    """Answer until SIGTERM or Ctrl-C; what has been asked by then is answered.

    Parameters
    ----------
    opened
        Opens the pipeline that answers; with several workers each opens one.
    model
        A version or an alias.
    host, port
        Where; port 0 is any that is free.
    workers
        How many processes answer. One that dies is replaced; all end with this one, be it killed.

    Raises
    ------
    SettingsError, UnwritableTable
        As `create_app`; or the address is unknown or taken.
    """
    _check_address(host, port)
    app = functools.partial(_application, opened, model)
    # When it has ended what it had, uvicorn sends itself the signal again, for who waits for it.
    before = {kind: signal.signal(kind, signal.SIG_IGN) for kind in STOP}
    try:
        if workers == 1:
            uvicorn.Server(_config(app(), host, port)).run()
            return
        opened()  # what is wrong with the settings is told once, and now
        with tempfile.TemporaryDirectory(prefix="titanic-metrics-") as folder:
            os.environ[FOLDER] = folder  # the workers, which import anew, look for it
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
    """What a process answers by, and its logs.

    A worker is asked whether it lives from its first moment on, and tells so once it has this
    module: what takes long to import comes after that, or a slow machine would replace it forever.
    """
    from titanic_ml.service.app import create_app

    if parent := multiprocessing.parent_process():
        threading.Thread(target=_end_after, args=(parent,), daemon=True).start()
    _log_to_stderr("titanic_ml.service", "%(levelname)s: %(message)s")
    _log_to_stderr("titanic_ml.monitoring", "%(levelname)s: %(message)s")
    _log_to_stderr("titanic_ml.service.access", "%(message)s")
    return create_app(opened(), model)


def _end_after(parent: BaseProcess) -> None:
    """In a worker, end as if told to once there is nobody left who could tell it: it would keep
    the port.
    """
    parent.join()
    os.kill(os.getpid(), signal.SIGTERM)


def _log_to_stderr(name: str, words: str) -> None:
    """Write a log to standard error, from what is informed of on."""
    logger, handler = logging.getLogger(name), logging.StreamHandler()
    handler.setFormatter(logging.Formatter(words))
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
