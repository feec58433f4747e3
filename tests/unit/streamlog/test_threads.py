import asyncio
import threading
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from potok.errors import LogUnavailable
from potok.limits import THREAD_LENT_SECONDS
from potok.streamlog.threads import Threads, _Call


@pytest_asyncio.fixture
async def one() -> AsyncIterator[Threads]:
    threads = Threads(1, name="test")
    yield threads
    await threads.stop()


async def test_one_thread_works_in_the_order_of_the_calls(one: Threads) -> None:
    done: list[int] = []

    await asyncio.gather(*(one.call(lambda number=n: done.append(number)) for n in range(50)))  # type: ignore[misc]

    assert done == list(range(50))


async def test_a_call_runs_in_another_thread_and_answers_in_the_loop(one: Threads) -> None:
    heard: list[tuple[int, int]] = []

    worked = await one.call(
        threading.get_ident, then=lambda ident: heard.append((ident, threading.get_ident()))
    )

    assert worked != threading.get_ident()
    assert heard == [(worked, threading.get_ident())]


async def test_what_a_command_raises_reaches_its_caller_alone(one: Threads) -> None:
    def fail() -> None:
        raise ValueError("mine")

    failing, sound = one.call(fail), one.call(lambda: "sound")

    with pytest.raises(ValueError, match="mine"):
        await failing
    assert await sound == "sound"


async def test_what_the_loop_side_raises_reaches_the_caller(one: Threads) -> None:
    def refuse(_: int) -> None:
        raise ValueError("then")

    with pytest.raises(ValueError, match="then"):
        await one.call(lambda: 1, then=refuse)


async def test_a_caller_that_gives_up_stops_nothing(one: Threads) -> None:
    faults: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: faults.append(context))
    released = threading.Event()
    heard: list[str] = []
    held = asyncio.create_task(one.call(released.wait))
    given_up = asyncio.create_task(one.call(lambda: "done", then=heard.append))
    await asyncio.sleep(0)

    given_up.cancel()
    await asyncio.wait([given_up])
    released.set()
    await held
    await one.call(lambda: None)

    assert (heard, faults) == (["done"], [])


async def test_stopping_finishes_what_was_called_and_refuses_the_rest() -> None:
    threads = Threads(3, name="test")
    calls = [asyncio.create_task(threads.call(lambda number=n: number)) for n in range(20)]  # type: ignore[misc]
    await asyncio.sleep(0)

    await threads.stop()
    await threads.stop()

    assert await asyncio.gather(*calls) == list(range(20))
    with pytest.raises(LogUnavailable):
        await threads.call(lambda: None)


async def test_stopping_leaves_no_timer_and_no_thread() -> None:
    threads = Threads(2, name="potok-leaves-nothing")
    await threads.call(lambda: None)

    await threads.stop()

    assert threads._timer is None or threads._timer.cancelled()
    assert "potok-leaves-nothing" not in {one.name[:-2] for one in threading.enumerate()}


class WatchedLock:
    """The lock of a call that is not done; notes for how long the loop waited for it."""

    def __init__(self) -> None:
        self.waits: list[float] = []

    def locked(self) -> bool:
        return True

    def acquire(self, timeout: float) -> bool:
        self.waits.append(timeout)
        return False


@pytest.mark.parametrize(("age", "waits"), [(0.0, []), (1.0, [THREAD_LENT_SECONDS])])
async def test_the_loop_stands_still_only_for_a_call_that_waits_too_long(
    one: Threads, age: float, waits: list[float]
) -> None:
    call = _Call(lambda: None, lambda result, error: None)
    lock = WatchedLock()
    call.is_done = lock  # type: ignore[assignment]
    call.since = asyncio.get_running_loop().time() - age
    one._pending.append(call)

    one._lend()

    assert lock.waits == waits
    one._pending.clear()
