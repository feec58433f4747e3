import asyncio

import pytest

from potok.errors import UpstreamBusy
from potok.limits import QUEUE_REPEAT_SECONDS, QUEUE_TELL_SECONDS
from potok.models.places import Places, Ticket
from potok.testing.fakes import FakeClock
from potok.testing.gates import FakeSleep, Gate


class Time:
    """A clock, and the sleep that obeys it."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.sleep = FakeSleep(self.clock)


def new_places(*, calls_max: int = 1, waiting_max: int = 10, time: Time | None = None) -> Places:
    time = time or Time()
    return Places(
        provider="test",
        calls_max=calls_max,
        waiting_max=waiting_max,
        wait_seconds=30.0,
        clock=time.clock,
        sleep=time.sleep,
    )


class Callers:
    """Callers who note their turn and keep their place until a gate lets them go."""

    def __init__(self, places: Places) -> None:
        self.places = places
        self.leave = Gate()
        self.turns: list[int] = []

    async def call(self, number: int, principal: str = "") -> None:
        async with self.places.one(principal):
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
    time = Time()
    callers = Callers(new_places(time=time))
    first, second = callers.start(0, 1)
    await time.sleep.until(QUEUE_TELL_SECONDS)

    time.sleep.advance(30.0)
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


async def test_principals_are_served_in_turn_whoever_has_more_that_wait() -> None:
    callers = Callers(new_places())
    wishes = [(0, "me"), (1, "me"), (2, "me"), (3, "me"), (4, "you"), (5, "her"), (6, "you")]
    tasks = [asyncio.create_task(callers.call(*wish)) for wish in wishes]
    await settle()

    callers.leave.open()
    await asyncio.gather(*tasks)

    assert callers.turns == [0, 1, 4, 5, 2, 6, 3]


async def test_positions_are_the_order_in_which_those_who_wait_are_served() -> None:
    places = new_places()
    held = places.ask("me")
    waiting = [places.ask(who) for who in ("me", "me", "you", "her", "you")]
    told = {await ticket.wait(): ticket for ticket in waiting}
    served: list[Ticket] = []

    for _ in waiting:
        held.leave()
        held = next(one for one in waiting if one.turn.done() and one not in served)
        served.append(held)

    assert [told[position] for position in (1, 2, 3, 4, 5)] == served


async def test_no_principal_takes_the_whole_queue() -> None:
    places = new_places(waiting_max=4)
    tickets = [places.ask("me") for _ in range(4)]

    with pytest.raises(UpstreamBusy):
        places.check_room("me")

    tickets.append(places.ask("you"))
    with pytest.raises(UpstreamBusy):
        places.ask("her")
    assert (places.live, places.waiting) == (1, 4)
    for ticket in reversed(tickets):
        ticket.leave()
    assert (places.live, places.waiting) == (0, 0)


async def moved(time: Time, ticket: Ticket, *, seconds: float) -> int | None:
    """Let a ticket wait for news while time goes on by `seconds`."""
    news = asyncio.create_task(ticket.wait())
    await settle()
    for _ in range(round(seconds / QUEUE_TELL_SECONDS)):
        if not news.done():
            await time.sleep.until(QUEUE_TELL_SECONDS)
            time.sleep.advance(QUEUE_TELL_SECONDS)
            await settle()
    return await news


async def test_a_position_is_told_at_once_and_then_when_it_has_changed() -> None:
    time = Time()
    places = new_places(time=time)
    held, second, third = (places.ask() for _ in range(3))
    assert (await second.wait(), await third.wait()) == (1, 2)

    held.leave()
    assert await moved(time, third, seconds=1) == 1

    assert await second.wait() is None
    second.leave()
    assert await third.wait() is None
    third.leave()


async def test_a_position_that_does_not_change_is_told_again_now_and_then() -> None:
    time = Time()
    places = Places(
        provider="test",
        calls_max=1,
        waiting_max=2,
        wait_seconds=10 * QUEUE_REPEAT_SECONDS,
        clock=time.clock,
        sleep=time.sleep,
    )
    held, second = places.ask(), places.ask()
    assert await second.wait() == 1
    before = time.clock.monotonic()

    assert await moved(time, second, seconds=QUEUE_REPEAT_SECONDS) == 1

    assert time.clock.monotonic() - before == QUEUE_REPEAT_SECONDS
    second.leave()
    held.leave()


async def test_leaving_twice_gives_one_place_back() -> None:
    places = new_places(calls_max=2)
    first, second = places.ask(), places.ask()

    first.leave()
    first.leave()

    assert places.live == 1
    second.leave()
