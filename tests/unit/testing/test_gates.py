import asyncio

import pytest

from potok.testing.fakes import FakeClock
from potok.testing.gates import FakeSleep, Gate


async def settle() -> None:
    for _ in range(3):
        await asyncio.sleep(0)


async def test_a_gate_lets_through_as_many_as_it_was_told() -> None:
    gate = Gate(passes=1)
    tasks = [asyncio.create_task(gate.wait()) for _ in range(4)]
    await settle()
    assert (sum(task.done() for task in tasks), gate.waiting) == (1, 3)

    gate.release(2)
    await settle()
    assert (sum(task.done() for task in tasks), gate.waiting) == (3, 1)

    gate.open()
    await asyncio.gather(*tasks, gate.wait())


async def test_a_gate_tells_when_somebody_waits_who_was_not_let_through() -> None:
    gate = Gate()
    task = asyncio.create_task(gate.wait())
    await gate.until_waited_for()

    gate.release()
    told = asyncio.create_task(gate.until_waited_for())
    await settle()

    assert task.done()
    assert not told.done()
    second = asyncio.create_task(gate.wait())
    await told
    second.cancel()


async def test_a_fake_sleep_ends_when_the_clock_has_moved_far_enough() -> None:
    sleep = FakeSleep(FakeClock())
    short, long = asyncio.create_task(sleep(1.0)), asyncio.create_task(sleep(2.0))
    await sleep.until(2.0)
    assert sleep.seconds == [1.0, 2.0]

    sleep.advance(1.0)
    await settle()
    assert (short.done(), long.done()) == (True, False)

    long.cancel()
    with pytest.raises(asyncio.CancelledError):
        await long
    assert sleep.seconds == []
