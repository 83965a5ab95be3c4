"""Work in a process of its own, and one look at a time."""

from __future__ import annotations

import asyncio
import os
import threading

import pytest

from titanic_ml.dataset.dataset import Dataset
from titanic_ml.errors import InvalidTable, TitanicError
from titanic_ml.service.apart import STEP_BACK, Kept, apart


def test_another_process_does_the_work_and_lets_others_go_first():
    assert apart(os.getpid) != os.getpid()
    if hasattr(os, "nice"):
        assert apart(os.nice, 0) == min(os.nice(0) + STEP_BACK, 19)


def test_what_the_work_raises_is_raised(test_frame, spec):
    table = test_frame.assign(Age="old")
    with pytest.raises(InvalidTable, match="row 3, column Age: found 'old'") as caught:
        apart(Dataset.from_frame, table, spec, "a.csv", False)
    assert len(caught.value.faults) == 418


def test_a_process_that_dies_is_told_of():
    with pytest.raises(TitanicError, match="ended before it had an answer"):
        apart(os._exit, 3)


def test_those_who_ask_meanwhile_wait_for_the_same_answer():
    made, may_end = [], threading.Event()

    def make():
        made.append(1)
        may_end.wait(60)
        return f"look {len(made)}"

    async def ask():
        kept = Kept(make, 60)
        gone, *others = (asyncio.create_task(kept.get()) for _ in range(4))
        await asyncio.sleep(0)
        gone.cancel()
        may_end.set()
        found = await asyncio.gather(*others)
        return [*found, await kept.get()]

    assert asyncio.run(ask()) == ["look 1"] * 4


def test_an_old_answer_and_one_that_failed_are_not_given_again():
    made = []

    def make():
        made.append(1)
        if len(made) == 2:
            raise ValueError("no")
        return f"look {len(made)}"

    async def ask():
        kept = Kept(make, 0)
        first = await kept.get()
        with pytest.raises(ValueError, match="no"):
            await kept.get()
        return first, await kept.get()

    assert asyncio.run(ask()) == ("look 1", "look 3")
