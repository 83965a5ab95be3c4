"""Micro-batcher for concurrent requests: one prediction call for all that wait."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Answer = dict[str, Any]


class MicroBatcher:
    """Collects the rows of one turn of the event loop, and predicts them in one call.

    There is no timer, so a single request is predicted at once. Requests that arrive during a
    call make up the next one.

    Parameters
    ----------
    answer : returns for each of some rows the answer, or the exception to raise
    most : rows of a call
    """

    def __init__(
        self,
        answer: Callable[[Sequence[Mapping[str, Any]]], Sequence[Answer | Exception]],
        most: int = 64,
    ) -> None:
        self.answer = answer
        self.most = most
        self._waiting: list[tuple[Mapping[str, Any], asyncio.Future[Answer]]] = []

    async def submit(self, row: Mapping[str, Any]) -> Answer:
        """Return the answer for one row, or raise its exception."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Answer] = loop.create_future()
        self._waiting.append((row, future))
        if len(self._waiting) == 1:
            loop.call_soon(loop.call_soon, self._answer)  # twice, to collect concurrent requests
        return await future

    def _answer(self) -> None:
        asked, self._waiting = self._waiting[: self.most], self._waiting[self.most :]
        if self._waiting:
            asyncio.get_running_loop().call_soon(self._answer)
        try:
            found = self.answer([row for row, _ in asked])
        except Exception as error:
            for _, future in asked:
                if not future.done():  # the client has disconnected
                    future.set_exception(error)
            return
        for (_, future), answer in zip(asked, found, strict=True):
            if future.done():
                continue
            if isinstance(answer, Exception):
                future.set_exception(answer)
            else:
                future.set_result(answer)
