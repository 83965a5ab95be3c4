"""Limits on concurrent work, so that slow requests don't hold up the quick ones."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from titanic_ml.service.requests import Refused

RETRY_AFTER = 1  # seconds


class Slots:
    """Lets some requests of a kind run, and some wait; others are refused with status 429.

    Parameters
    ----------
    running : most requests at the same time
    waiting : most requests that wait for one of these to end
    """

    def __init__(self, running: int, waiting: int) -> None:
        self._most = running + waiting
        self._taken = 0
        self._running = asyncio.Semaphore(running)

    @asynccontextmanager
    async def taken(self) -> AsyncIterator[None]:
        """Wait for a slot and hold it. Raises `Refused` if too many requests wait."""
        if self._taken >= self._most:
            raise Refused(429, "too many such requests at the same time", RETRY_AFTER)
        self._taken += 1
        try:
            async with self._running:
                yield
        finally:
            self._taken -= 1
