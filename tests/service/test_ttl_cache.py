"""A slow value is computed once at a time, and kept for a while."""

from __future__ import annotations

import asyncio

import pytest

from titanic_ml.service.ttl_cache import TtlCache


def test_concurrent_callers_wait_for_one_call():
    made = []

    async def make():
        made.append(1)
        await asyncio.sleep(0.01)
        return f"value {len(made)}"

    async def ask():
        cache = TtlCache(make, 60)
        return [*await asyncio.gather(*(cache.get() for _ in range(4))), await cache.get()]

    assert asyncio.run(ask()) == ["value 1"] * 5


def test_an_expired_value_and_a_failed_call_are_not_returned_again():
    made = []

    async def make():
        made.append(1)
        if len(made) == 2:
            raise ValueError("no")
        return f"value {len(made)}"

    async def ask():
        cache = TtlCache(make, 0)
        first = await cache.get()
        with pytest.raises(ValueError, match="no"):
            await cache.get()
        return first, await cache.get()

    assert asyncio.run(ask()) == ("value 1", "value 3")
