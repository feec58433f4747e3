"""Between the code of an agent, in many tasks, and the one stream of its events."""

import asyncio
from collections.abc import AsyncGenerator, Sequence

from potok.events.kinds import Event
from potok.limits import AGENT_OUTBOX_EVENTS_MAX

__all__ = ["Outbox"]


class Outbox:
    """Events on their way to the producer, in the order in which they were put.

    Holds at most `limits.AGENT_OUTBOX_EVENTS_MAX` and one batch more: whoever puts waits then.
    """

    __slots__ = ("_count", "_events", "_given", "_is_closed", "_put", "_taken")

    def __init__(self) -> None:
        self._events: list[Event] = []
        self._put = asyncio.Event()
        self._taken = asyncio.Event()
        self._count = 0
        self._given = 0
        self._is_closed = False

    async def put(self, events: Sequence[Event]) -> None:
        """Add events; waits while there are too many that the log has not taken yet."""
        if not events:
            return
        while len(self._events) >= AGENT_OUTBOX_EVENTS_MAX:
            self._taken.clear()
            await self._taken.wait()
        self._events.extend(events)
        self._count += len(events)
        self._put.set()

    def close(self) -> None:
        """Say that nothing more will be put."""
        self._is_closed = True
        self._put.set()

    async def until_given(self) -> None:
        """Wait until the producer has taken all that was put so far."""
        goal = self._count
        while self._given < goal:
            self._taken.clear()
            await self._taken.wait()

    async def batches(self) -> AsyncGenerator[list[Event], None]:
        """Yield what was put, until it is closed and empty; never an empty batch."""
        while True:
            if not self._events:
                if self._is_closed:
                    return
                self._put.clear()
                await self._put.wait()
                continue
            batch, self._events = self._events, []
            count = len(batch)
            yield batch
            # Asked for more: these were admitted. Before that they must not count.
            self._given += count
            self._taken.set()
