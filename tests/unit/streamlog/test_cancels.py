"""Bells: one per worker, rung now or heard later."""

import asyncio

from potok.streamlog.cancels import Bells

LONG = 30.0


async def test_a_bell_wakes_its_worker_and_no_other() -> None:
    bells = Bells()
    first = asyncio.create_task(bells.wait("a", seconds=LONG))
    second = asyncio.create_task(bells.wait("b", seconds=LONG))
    await asyncio.sleep(0)

    bells.ring("a")
    await first
    is_waiting = not second.done()
    bells.ring_all()
    await second

    assert is_waiting


async def test_a_bell_that_was_rung_before_is_heard_once() -> None:
    bells = Bells()
    bells.ring("a")
    bells.ring(None)

    await bells.wait("a", seconds=LONG)
    again = asyncio.create_task(bells.wait("a", seconds=LONG))
    await asyncio.sleep(0)

    assert not again.done()
    again.cancel()


async def test_a_wait_ends_by_itself() -> None:
    await Bells().wait("a", seconds=0.001)
    await Bells().wait("a", seconds=-1)
