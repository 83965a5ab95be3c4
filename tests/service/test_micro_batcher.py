"""Concurrent requests are predicted in one call."""

from __future__ import annotations

import asyncio

import pytest

from titanic_ml.service.micro_batcher import MicroBatcher


def asked(numbers, most=64, answer=None):
    """Ask for some numbers at the same moment; the answers, and in which groups they were asked."""
    groups = []

    def double(rows):
        groups.append([row["n"] for row in rows])
        return [None if row["n"] < 0 else {"n": 2 * row["n"]} for row in rows]

    async def run():
        batcher = MicroBatcher(answer or double, most)
        jobs = [batcher.submit({"n": number}) for number in numbers]
        return await asyncio.gather(*jobs, return_exceptions=True)

    return asyncio.run(run()), groups


def test_each_gets_its_own_answer():
    found, groups = asked([1, 2, 3])
    assert found == [{"n": 2}, {"n": 4}, {"n": 6}] and groups == [[1, 2, 3]]
    assert asked([7])[1] == [[7]]


def test_no_more_than_so_many_are_asked_at_once():
    found, groups = asked(range(5), most=2)
    assert [one["n"] for one in found] == [0, 2, 4, 6, 8] and groups == [[0, 1], [2, 3], [4]]


def test_a_failed_request_delays_no_others():
    found, _ = asked([1, -5, 3])
    assert found == [{"n": 2}, None, {"n": 6}]


def test_an_error_of_a_batch_reaches_all_and_the_next_batch_works():
    def broken(rows):
        raise RuntimeError("broken")

    found, _ = asked([1, 2], answer=broken)
    assert [str(one) for one in found] == ["broken"] * 2


def test_a_cancelled_request_is_skipped():
    async def run():
        batcher = MicroBatcher(lambda rows: [dict(row) for row in rows])
        gone, stays = (asyncio.ensure_future(batcher.submit({"n": n})) for n in (1, 2))
        await asyncio.sleep(0)
        gone.cancel()
        return await stays, gone

    found, gone = asyncio.run(run())
    assert found == {"n": 2}
    with pytest.raises(asyncio.CancelledError):
        gone.result()
