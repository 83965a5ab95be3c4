"""Several processes that share a port: gunicorn starts and replaces them, uvicorn serves in each.

gunicorn's own ASGI worker keeps a connection open for as long as its request head is incomplete, so
the worker is uvicorn with the limits of `LimitedProtocol`, as with one process.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import uvicorn
from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from gunicorn.workers.base import Worker
from prometheus_client import multiprocess

from titanic_ml.errors import TitanicError

if TYPE_CHECKING:
    from types import FrameType

    from fastapi import FastAPI

HEARTBEAT = 1  # seconds between two signs of life of a worker


class UvicornWorker(Worker):
    """A worker process of gunicorn that serves by uvicorn, and ends when its parent has ended."""

    server: uvicorn.Server | None = None

    def handle_quit(self, sig: int, frame: FrameType | None) -> None:
        """Answer running requests after Ctrl-C too."""
        self.alive = False
        if self.server:
            self.server.should_exit = True

    def load_wsgi(self) -> None:
        """Create the application.

        If one of the first workers can't, the service ends. A later one is started again: what it
        needs may be away for a while.
        """
        try:
            super().load_wsgi()
        except Exception as error:  # gunicorn would end the service at any time
            self.log.error("%s", error, exc_info=not isinstance(error, TitanicError))
            sys.exit(Arbiter.WORKER_BOOT_ERROR if self.age <= self.cfg.workers else 1)

    def run(self) -> None:
        """Serve until SIGTERM."""
        options = self.app.uvicorn_options
        config = uvicorn.Config(
            self.wsgi, callback_notify=self._sign_of_life, timeout_notify=HEARTBEAT, **options
        )
        self.server = uvicorn.Server(config)
        if self.alive:  # else SIGTERM came while the application was loading
            self.server.run(sockets=self.sockets)

    async def _sign_of_life(self) -> None:
        self.notify()
        if self.server and os.getppid() != self.ppid:
            self.server.should_exit = True


class WorkerService(BaseApplication):
    """A service of several processes.

    Parameters
    ----------
    create_app
        Called in each worker.
    settings
        gunicorn's settings by name.
    uvicorn_options
        Arguments of `uvicorn.Config` in each worker.
    """

    def __init__(
        self,
        create_app: Callable[[], FastAPI],
        settings: Mapping[str, Any],
        uvicorn_options: Mapping[str, Any],
    ) -> None:
        self.create_app = create_app
        self.settings = settings
        self.uvicorn_options = uvicorn_options
        super().__init__()

    def load_config(self) -> None:
        """Give gunicorn its settings."""
        self.cfg.set("worker_class", UvicornWorker)
        self.cfg.set("child_exit", _forget_worker)
        for name, value in self.settings.items():
            self.cfg.set(name, value)

    def load(self) -> FastAPI:
        """Create the application; gunicorn calls it in each worker."""
        return self.create_app()


def _forget_worker(arbiter: Arbiter, worker: Worker) -> None:
    """Remove the gauges of a worker that has ended; its counters stay."""
    multiprocess.mark_process_dead(worker.pid)
