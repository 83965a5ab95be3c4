"""The server: uvicorn with the application."""

from __future__ import annotations

import logging
import signal
from typing import TYPE_CHECKING

import uvicorn

from titanic_ml.service.app import create_app

if TYPE_CHECKING:
    from titanic_ml.pipeline import TitanicPipeline

STOP = (signal.SIGINT, signal.SIGTERM)
GRACE = 30  # seconds that requests have to end in, once the server is told to stop


def run(pipeline: TitanicPipeline, model: str, host: str, port: int) -> None:
    """Answer until SIGTERM or Ctrl-C; what has been asked by then is answered.

    Parameters
    ----------
    pipeline, model
        As of `create_app`.
    host, port
        Where; port 0 is any that is free.
    """
    _told("titanic_ml.service", "%(levelname)s: %(message)s")
    _told("titanic_ml.service.access", "%(message)s")
    # When it has ended what it had, uvicorn sends itself the signal again, for who waits for it.
    before = {kind: signal.signal(kind, signal.SIG_IGN) for kind in STOP}
    try:
        uvicorn.run(
            create_app(pipeline, model),
            host=host,
            port=port,
            access_log=False,  # the application writes its own
            server_header=False,
            timeout_graceful_shutdown=GRACE,
        )
    finally:
        for kind, handler in before.items():
            signal.signal(kind, handler)


def _told(name: str, words: str) -> None:
    """Write a log to standard error, from what is informed of on."""
    logger, handler = logging.getLogger(name), logging.StreamHandler()
    handler.setFormatter(logging.Formatter(words))
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
