"""Cache of one value that expires."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable


class TtlCache:
    """Keeps the result of a slow function for some seconds.

    Concurrent callers wait for one call. A failed call is not kept.

    Parameters
    ----------
    make : returns the value
    seconds : time to live
    """

    def __init__(self, make: Callable[[], Awaitable[str]], seconds: float) -> None:
        self.make = make
        self.seconds = seconds
        self._value = ""
        self._expires = -1.0
        self._lock = asyncio.Lock()

    async def get(self) -> str:
        """Return the value, a new one if it has expired."""
        async with self._lock:
            if time.monotonic() >= self._expires:
                self._value = await self.make()
                self._expires = time.monotonic() + self.seconds
            return self._value
