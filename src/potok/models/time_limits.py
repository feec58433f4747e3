"""Bounds on waiting for an upstream, on a clock and a sleep that tests can replace."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from potok.clock import Clock

__all__ = ["Sleep", "StallWatch", "time_limit"]

Sleep = Callable[[float], Awaitable[None]]
"""Waits for so many seconds: `asyncio.sleep`, or a test's own."""


@asynccontextmanager
async def time_limit(seconds: float, *, sleep: Sleep) -> AsyncIterator[None]:
    """Bound the body's waits: after `seconds` it is cancelled and TimeoutError is raised.

    `asyncio.timeout` does the work; only its alarm is ours. For waits of a call, not of a token:
    it costs a task.
    """
    async with asyncio.timeout(None) as limit:
        alarm = asyncio.create_task(_ring(limit, seconds, sleep))
        try:
            yield
        finally:
            alarm.cancel()


async def _ring(limit: asyncio.Timeout, seconds: float, sleep: Sleep) -> None:
    await sleep(max(0.0, seconds))
    limit.reschedule(asyncio.get_running_loop().time())


class StallWatch:
    """Gives up on a call whose deadline passes; moving the deadline is an assignment.

    Args:
        deadline: The first one, on the clock's `monotonic`.
        gap_seconds: Later ones are set at least so far ahead, but for `last_deadline`.
        last_deadline: No deadline is later.
        give_up: Ends the wait that takes too long.

    Attributes:
        deadline: Infinite while nobody waits for the upstream, so that a slow reader is not taken
            for a slow provider.
        has_given_up: The deadline passed.
    """

    __slots__ = (
        "_clock",
        "_gap_seconds",
        "_give_up",
        "_last_deadline",
        "_sleep",
        "_task",
        "deadline",
        "has_given_up",
    )

    def __init__(
        self,
        *,
        clock: Clock,
        sleep: Sleep,
        deadline: float,
        gap_seconds: float,
        last_deadline: float,
        give_up: Callable[[], Awaitable[None]],
    ) -> None:
        self.deadline = deadline
        self.has_given_up = False
        self._clock = clock
        self._sleep = sleep
        self._gap_seconds = gap_seconds
        self._last_deadline = last_deadline
        self._give_up = give_up
        self._task = asyncio.create_task(self._run())

    def stop(self) -> None:
        """Stop watching."""
        self._task.cancel()

    async def _run(self) -> None:
        while (now := self._clock.monotonic()) < self.deadline:
            # It may be set at any time during this sleep: so wake before it could have passed.
            waits = (self.deadline, now + self._gap_seconds, self._last_deadline)
            await self._sleep(min(moment for moment in waits if moment > now) - now)
        self.has_given_up = True
        await self._give_up()
