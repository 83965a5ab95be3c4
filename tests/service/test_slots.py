"""Too many slow requests are refused."""

from __future__ import annotations

import asyncio

import pytest

from titanic_ml.service.requests import Refused
from titanic_ml.service.slots import Slots


def test_some_run_some_wait_and_others_are_refused():
    running, most = 0, 0

    async def work(slots):
        nonlocal running, most
        async with slots.taken():
            running += 1
            most = max(most, running)
            await asyncio.sleep(0.01)
            running -= 1

    async def ask():
        slots = Slots(running=2, waiting=3)
        found = await asyncio.gather(*(work(slots) for _ in range(9)), return_exceptions=True)
        await work(slots)  # all slots are free again
        return found

    found = asyncio.run(ask())
    refused = [error for error in found if isinstance(error, Refused)]
    assert most == 2 and len(refused) == 4
    assert (refused[0].status, refused[0].headers) == (429, {"retry-after": "1"})


def test_a_slot_is_free_after_an_error():
    async def ask():
        slots = Slots(running=1, waiting=0)
        with pytest.raises(ValueError):
            async with slots.taken():
                raise ValueError
        async with slots.taken():
            return True

    assert asyncio.run(ask())
