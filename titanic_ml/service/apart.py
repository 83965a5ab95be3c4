"""Work that takes long, in a process of its own: requests are answered as if it were not there."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import TypeVar

from titanic_ml.errors import TitanicError

T = TypeVar("T")
STEP_BACK = 10  # of the operating system's 19: who answers goes first


def apart(work: Callable[..., T], *args: object) -> T:
    """What a function says of some arguments, called in a new process that lets others go first.

    The process ends with the call, and takes its memory with it.

    Parameters
    ----------
    work
        A function that can be pickled, such as a method of a pipeline.
    *args
        Its arguments.

    Raises
    ------
    TitanicError
        The process ended before it could say anything; or as the function does.
    """
    new = get_context("spawn")
    try:
        with ProcessPoolExecutor(1, new, _step_back, max_tasks_per_child=1) as pool:
            return pool.submit(work, *args).result()
    except BrokenProcessPool as error:
        raise TitanicError(
            "the process that looked has ended before it had an answer, as where memory is short"
        ) from error


def _step_back() -> None:
    if hasattr(os, "nice"):
        os.nice(STEP_BACK)


class Kept:
    """What a slow function says, asked at most once at a time and given again for a while.

    Parameters
    ----------
    make
        The function; it is called in a thread.
    seconds
        For how long its answer is given again.
    """

    def __init__(self, make: Callable[[], str], seconds: float) -> None:
        self.make = make
        self.seconds = seconds
        self._made = 0.0
        self._asked: asyncio.Task[str] | None = None

    async def get(self) -> str:
        """The answer; those who ask while it is found wait for the same."""
        old = self._asked is not None and self._asked.done()
        if self._asked is None or old and time.monotonic() - self._made >= self.seconds:
            self._asked = asyncio.create_task(self._ask())
        return await asyncio.shield(self._asked)  # who goes away takes it from nobody

    async def _ask(self) -> str:
        try:
            return await asyncio.to_thread(self.make)
        finally:
            self._made = time.monotonic()
