import asyncio

import pytest

from potok.errors import UpstreamBusy
from potok.models.places import Places
from potok.testing.fakes import FakeClock
from potok.testing.gates import FakeSleep, Gate


def new_places(
    *, calls_max: int = 1, waiting_max: int = 10, sleep: FakeSleep | None = None
) -> Places:
    return Places(
        provider="test",
        calls_max=calls_max,
        waiting_max=waiting_max,
        wait_seconds=30.0,
        sleep=sleep or FakeSleep(FakeClock()),
    )


class Callers:
    """Callers who note their turn and keep their place until a gate lets them go."""

    def __init__(self, places: Places) -> None:
        self.places = places
        self.leave = Gate()
        self.turns: list[int] = []

    async def call(self, number: int) -> None:
        async with self.places.one():
            self.turns.append(number)
            await self.leave.wait()

    def start(self, *numbers: int) -> list[asyncio.Task[None]]:
        return [asyncio.create_task(self.call(number)) for number in numbers]


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_callers_are_served_in_their_order() -> None:
    callers = Callers(new_places(calls_max=2))
    tasks = callers.start(*range(6))
    await settle()
    assert (callers.places.live, callers.places.waiting) == (2, 4)

    for served in range(2, 7):
        assert callers.turns == list(range(served))
        callers.leave.release()
        await settle()
    callers.leave.open()
    await asyncio.gather(*tasks)

    assert (callers.places.live, callers.places.waiting) == (0, 0)


async def test_a_newcomer_does_not_overtake_those_who_wait() -> None:
    callers = Callers(new_places())
    tasks = callers.start(0, 1)
    await settle()

    callers.leave.release()
    tasks += callers.start(2)
    await settle()

    assert callers.turns == [0, 1]
    callers.leave.open()
    await asyncio.gather(*tasks)
    assert callers.turns == [0, 1, 2]


async def test_one_more_than_may_wait_is_told_so() -> None:
    callers = Callers(new_places(waiting_max=1))
    tasks = callers.start(0, 1)
    await settle()

    with pytest.raises(UpstreamBusy, match="all 1 calls under way"):
        async with callers.places.one():
            pass
    callers.leave.open()
    await asyncio.gather(*tasks)


async def test_a_caller_who_waits_too_long_is_told_so_and_leaves_the_queue() -> None:
    sleep = FakeSleep(FakeClock())
    callers = Callers(new_places(sleep=sleep))
    first, second = callers.start(0, 1)
    await sleep.until(30.0)

    sleep.advance(30.0)
    with pytest.raises(UpstreamBusy):
        await second

    assert callers.places.waiting == 0
    callers.leave.open()
    await first
    assert callers.places.live == 0


async def test_a_caller_who_is_cancelled_leaves_the_queue() -> None:
    callers = Callers(new_places())
    first, second, third = callers.start(0, 1, 2)
    await settle()

    second.cancel()
    await settle()
    callers.leave.open()
    await asyncio.gather(first, third)

    assert callers.turns == [0, 2]
    assert callers.places.live == 0


async def test_a_place_that_comes_with_a_cancel_goes_to_the_next() -> None:
    callers = Callers(new_places())
    first, second, third = callers.start(0, 1, 2)
    await settle()

    callers.leave.release()
    # A waiter of the task would wake only after the second one has its place.
    while not first.done():  # noqa: ASYNC110
        await asyncio.sleep(0)
    assert callers.turns == [0]
    second.cancel()
    await settle()

    assert callers.turns == [0, 2]
    callers.leave.open()
    await asyncio.gather(first, third)
    assert second.cancelled()
    assert (callers.places.live, callers.places.waiting) == (0, 0)


async def test_a_body_that_fails_gives_its_place_back() -> None:
    places = new_places()

    with pytest.raises(ValueError, match="broken"):
        async with places.one():
            raise ValueError("broken")

    assert places.live == 0
