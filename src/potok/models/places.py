"""Places for live calls at one provider: first come, first served, and a bounded queue."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from potok.errors import UpstreamBusy
from potok.models.time_limits import Sleep, time_limit

__all__ = ["Places"]


class Places:
    """Lets at most `calls_max` callers in; the others wait in their order.

    Args:
        waiting_max: Callers who may wait; 0 means that nobody waits.
        wait_seconds: Longest wait of one of them.
    """

    def __init__(
        self,
        *,
        provider: str,
        calls_max: int,
        waiting_max: int,
        wait_seconds: float,
        sleep: Sleep,
    ) -> None:
        self._provider = provider
        self._calls_max = calls_max
        self._waiting_max = waiting_max
        self._wait_seconds = wait_seconds
        self._sleep = sleep
        self._live = 0
        self._queue: deque[asyncio.Future[None]] = deque()

    @property
    def live(self) -> int:
        """Places taken."""
        return self._live

    @property
    def waiting(self) -> int:
        """Callers in the queue."""
        return len(self._queue)

    @asynccontextmanager
    async def one(self) -> AsyncIterator[None]:
        """Hold one place for the body.

        Raises:
            UpstreamBusy: the queue is full, or the wait took too long.
        Cancelling while waiting leaves the queue.
        """
        await self._take()
        try:
            yield
        finally:
            self._give()

    async def _take(self) -> None:
        if self._live < self._calls_max:
            # Nobody waits while a place is free: a place goes straight to the next in the queue.
            self._live += 1
            return
        if len(self._queue) >= self._waiting_max:
            raise self._busy()
        ticket = asyncio.get_running_loop().create_future()
        self._queue.append(ticket)
        try:
            async with time_limit(self._wait_seconds, sleep=self._sleep):
                await ticket
        except TimeoutError:
            self._leave(ticket)
            raise self._busy() from None
        except BaseException:
            self._leave(ticket)
            raise

    def _leave(self, ticket: asyncio.Future[None]) -> None:
        if ticket.done() and not ticket.cancelled():
            # The place came in the very moment in which its taker was cancelled.
            self._give()
        elif ticket in self._queue:
            self._queue.remove(ticket)

    def _give(self) -> None:
        while self._queue:
            ticket = self._queue.popleft()
            if not ticket.done():
                ticket.set_result(None)
                return
        self._live -= 1

    def _busy(self) -> UpstreamBusy:
        return UpstreamBusy(
            f"The provider {self._provider} has all {self._calls_max} calls under way that it is"
            " allowed, and too many wait. Try again in a minute, or allow it more."
        )
