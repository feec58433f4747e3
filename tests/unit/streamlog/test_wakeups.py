import asyncio
from typing import Any

import pytest

from potok.events.envelope import START, Offset
from potok.streamlog.wakeups import Wakeups

LONG = 30.0
SOON = 0.001


def start(
    wakeups: Wakeups, *, run: str = "a", after: int = 0, seconds: float = LONG
) -> asyncio.Task[bool]:
    return asyncio.create_task(
        wakeups.wait_beyond(run, Offset(after), tail=Offset(after), seconds=seconds)
    )


async def step() -> None:
    for _ in range(3):
        await asyncio.sleep(0)


def is_empty(wakeups: Wakeups) -> bool:
    return not (len(wakeups) or wakeups._steps or wakeups._step_heap or wakeups._timer)


async def test_a_tail_that_is_beyond_needs_no_wait() -> None:
    wakeups = Wakeups()

    assert await wakeups.wait_beyond("a", START, tail=Offset(1), seconds=LONG)
    assert is_empty(wakeups)


@pytest.mark.parametrize("seconds", [0, -1])
async def test_no_time_is_no_wait(seconds: float) -> None:
    assert not await Wakeups().wait_beyond("a", START, tail=START, seconds=seconds)


async def test_only_readers_behind_the_tail_are_woken() -> None:
    wakeups = Wakeups()
    behind, ahead = start(wakeups, after=1), start(wakeups, after=2)
    await step()

    wakeups.grew("a", Offset(2))
    await step()

    assert (behind.done(), ahead.done(), len(wakeups)) == (True, False, 1)
    wakeups.grew("a", Offset(3))
    assert await behind
    assert await ahead


async def test_waits_end_in_the_order_of_their_times() -> None:
    wakeups = Wakeups()
    ended: list[str] = []
    later, sooner = start(wakeups, seconds=0.06), start(wakeups, run="b", seconds=SOON)
    later.add_done_callback(lambda _: ended.append("later"))
    sooner.add_done_callback(lambda _: ended.append("sooner"))

    results = await asyncio.gather(later, sooner)
    await step()

    assert (list(results), ended) == ([False, False], ["sooner", "later"])
    assert is_empty(wakeups)


async def test_a_short_wait_does_not_wait_for_a_long_one_begun_before() -> None:
    wakeups = Wakeups()
    long = start(wakeups)
    await step()

    assert not await start(wakeups, run="b", seconds=SOON)
    assert not long.done()
    wakeups.close()
    await long


async def test_one_timer_serves_every_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    wakeups = Wakeups()
    loop = asyncio.get_running_loop()
    begun: list[float] = []
    real = loop.call_at

    def call_at(when: float, *more: Any, **context: Any) -> asyncio.TimerHandle:
        begun.append(when)
        return real(when, *more, **context)

    monkeypatch.setattr(loop, "call_at", call_at)

    waits = [start(wakeups, run=str(number), seconds=LONG) for number in range(50)]
    await step()
    wakeups.close()

    assert await asyncio.gather(*waits) == [False] * 50
    assert len(begun) <= 2


async def test_a_cancelled_wait_leaves_nothing_behind() -> None:
    wakeups = Wakeups()
    waits = [start(wakeups), start(wakeups), start(wakeups, run="b")]
    await step()

    for wait in waits:
        wait.cancel()
    await asyncio.wait(waits)

    assert is_empty(wakeups)


async def test_cancelled_waits_do_not_pile_up_beside_one_that_stays() -> None:
    wakeups = Wakeups()
    stays = start(wakeups)

    for _ in range(20):
        wait = start(wakeups)
        await step()
        wait.cancel()
        await asyncio.wait([wait])

    assert (len(wakeups), sum(map(len, wakeups._steps.values()))) == (1, 1)
    wakeups.close()
    await stays


async def test_a_wait_that_is_cancelled_as_it_is_woken_disturbs_nobody() -> None:
    wakeups = Wakeups()
    first, second = start(wakeups), start(wakeups)
    await step()

    wakeups.grew("a", Offset(1))
    first.cancel()
    wakeups.grew("a", Offset(2))

    assert await second
    assert is_empty(wakeups)


async def test_a_wait_begun_while_others_end_gets_its_whole_time() -> None:
    wakeups = Wakeups()
    soon = start(wakeups, seconds=SOON)
    await soon
    late = start(wakeups)
    await step()

    assert not late.done()
    wakeups.grew("a", Offset(1))
    assert await late


async def test_closing_ends_every_wait() -> None:
    wakeups = Wakeups()
    waits = [start(wakeups, run=run) for run in "abc"]
    await step()

    wakeups.close()

    assert await asyncio.gather(*waits) == [False] * 3
    assert is_empty(wakeups)
