"""Requests that wait at the same moment are answered together, and one that is alone at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Answers = Sequence[dict[str, Any] | Exception]


class Together:
    """Collects what is asked during one turn of the event loop, and asks once.

    There is no timer: a request that comes alone waits for no other. While some are answered,
    others arrive, and they are the next to be answered together.

    Parameters
    ----------
    answer
        Gives each of some passengers an answer, or what is to be raised.
    most
        How many are asked at once.
    """

    def __init__(
        self, answer: Callable[[Sequence[Mapping[str, Any]]], Answers], most: int = 64
    ) -> None:
        self.answer = answer
        self.most = most
        self._waiting: list[tuple[Mapping[str, Any], asyncio.Future[dict[str, Any]]]] = []

    async def ask(self, passenger: Mapping[str, Any]) -> dict[str, Any]:
        """The answer for one passenger. Raises what `answer` says, or raises for all."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[dict[str, Any]] = loop.create_future()
        self._waiting.append((passenger, future))
        if len(self._waiting) == 1:
            loop.call_soon(loop.call_soon, self._answer)  # who is just arriving comes along
        return await future

    def _answer(self) -> None:
        asked, self._waiting = self._waiting[: self.most], self._waiting[self.most :]
        if self._waiting:
            asyncio.get_running_loop().call_soon(self._answer)
        found: Answers
        try:
            found = self.answer([passenger for passenger, _ in asked])
        except Exception as error:
            found = [error] * len(asked)
        for (_, future), one in zip(asked, found, strict=True):
            if future.done():  # who asked has gone
                continue
            if isinstance(one, Exception):
                future.set_exception(one)
            else:
                future.set_result(one)
