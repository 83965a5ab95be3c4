"""Requests that wait at the same moment are answered together, and one that is alone at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Answer = dict[str, Any]


class MicroBatcher:
    """Collects what is asked during one turn of the event loop, and asks once.

    There is no timer: a request that comes alone waits for no other. While some are answered,
    others arrive, and they are the next to be answered together.

    Parameters
    ----------
    answer
        Returns for each of some passengers the answer, or the exception to raise.
    most
        How many are asked at once.
    """

    def __init__(
        self,
        answer: Callable[[Sequence[Mapping[str, Any]]], Sequence[Answer | Exception]],
        most: int = 64,
    ) -> None:
        self.answer = answer
        self.most = most
        self._waiting: list[tuple[Mapping[str, Any], asyncio.Future[Answer]]] = []

    async def submit(self, passenger: Mapping[str, Any]) -> Answer:
        """Return the answer for one passenger, or raise its exception."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Answer] = loop.create_future()
        self._waiting.append((passenger, future))
        if len(self._waiting) == 1:
            loop.call_soon(loop.call_soon, self._answer)  # who is just arriving comes along
        return await future

    def _answer(self) -> None:
        asked, self._waiting = self._waiting[: self.most], self._waiting[self.most :]
        if self._waiting:
            asyncio.get_running_loop().call_soon(self._answer)
        try:
            found = self.answer([passenger for passenger, _ in asked])
        except Exception as error:
            for _, future in asked:
                if not future.done():  # who asked has gone
                    future.set_exception(error)
            return
        for (_, future), answer in zip(asked, found, strict=True):
            if future.done():
                continue
            if isinstance(answer, Exception):
                future.set_exception(answer)
            else:
                future.set_result(answer)
