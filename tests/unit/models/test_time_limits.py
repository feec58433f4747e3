import asyncio
import math

import pytest

from potok.models.time_limits import StallWatch, time_limit
from potok.testing.fakes import FakeClock
from potok.testing.gates import FakeSleep


async def forever() -> None:
    await asyncio.Event().wait()


async def test_a_body_that_takes_too_long_is_ended() -> None:
    sleep = FakeSleep(FakeClock())

    async def limited() -> None:
        async with time_limit(5.0, sleep=sleep):
            await forever()

    task = asyncio.create_task(limited())
    await sleep.until(5.0)
    sleep.advance(4.9)
    await asyncio.sleep(0)
    assert not task.done()
    sleep.advance(0.2)
    with pytest.raises(TimeoutError):
        await task


async def test_a_body_that_ends_in_time_leaves_no_alarm() -> None:
    sleep = FakeSleep(FakeClock())

    async with time_limit(5.0, sleep=sleep):
        await sleep.until(5.0)
    await asyncio.sleep(0)

    assert sleep.seconds == []


async def test_a_cancel_from_outside_stays_a_cancel() -> None:
    sleep = FakeSleep(FakeClock())

    async def limited() -> None:
        async with time_limit(5.0, sleep=sleep):
            await forever()

    task = asyncio.create_task(limited())
    await sleep.until(5.0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


class Watched:
    """A watch whose giving up is only noted."""

    def __init__(self, *, first: float, gap: float, last: float = math.inf) -> None:
        self.clock = FakeClock()
        self.sleep = FakeSleep(self.clock)
        self.gave_up = asyncio.Event()
        now = self.clock.monotonic()
        self.watch = StallWatch(
            clock=self.clock,
            sleep=self.sleep,
            deadline=now + first,
            gap_seconds=gap,
            last_deadline=now + last,
            give_up=self.give_up,
        )

    async def give_up(self) -> None:
        self.gave_up.set()

    async def advance(self, seconds: float) -> None:
        self.sleep.advance(seconds)
        await self.settle()

    async def settle(self) -> None:
        for _ in range(3):
            await asyncio.sleep(0)


async def test_a_watch_gives_up_at_its_first_deadline() -> None:
    watched = Watched(first=30.0, gap=100.0)
    await watched.settle()

    await watched.advance(29.9)
    assert not watched.watch.has_given_up
    await watched.advance(0.1)
    assert watched.gave_up.is_set()


async def test_a_deadline_that_moved_on_is_kept() -> None:
    watched = Watched(first=10.0, gap=10.0)
    await watched.settle()

    for _ in range(5):
        await watched.advance(9.0)
        watched.watch.deadline = watched.clock.monotonic() + 10.0
    await watched.advance(9.9)
    assert not watched.watch.has_given_up
    await watched.advance(0.1)
    assert watched.watch.has_given_up


async def test_a_deadline_set_while_none_was_in_force_is_not_noticed_late() -> None:
    watched = Watched(first=10.0, gap=10.0)
    await watched.settle()

    watched.watch.deadline = math.inf
    await watched.advance(995.0)
    assert not watched.watch.has_given_up
    watched.watch.deadline = watched.clock.monotonic() + 10.0
    await watched.advance(9.9)
    assert not watched.watch.has_given_up
    await watched.advance(0.1)
    assert watched.watch.has_given_up


async def test_the_last_deadline_is_not_noticed_late_either() -> None:
    watched = Watched(first=10.0, gap=100.0, last=50.0)
    await watched.settle()

    watched.watch.deadline = math.inf
    await watched.advance(45.0)
    watched.watch.deadline = watched.clock.monotonic() + 5.0
    await watched.advance(5.0)

    assert watched.watch.has_given_up


async def test_a_stopped_watch_leaves_no_alarm() -> None:
    watched = Watched(first=10.0, gap=10.0)
    await watched.settle()

    watched.watch.stop()
    await watched.settle()

    assert watched.sleep.seconds == []
    assert not watched.gave_up.is_set()
