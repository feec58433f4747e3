"""Drives `protocol.subscription` against a log: one reader's pages, heartbeats and end."""

import asyncio
from collections.abc import AsyncGenerator

from potok.clock import Clock, RunId
from potok.errors import ServerDraining
from potok.events.envelope import Offset, StoredEvent
from potok.limits import READ_EVENTS_MAX
from potok.protocol.subscription import Finish, Heartbeat, Read, Subscription, Wait
from potok.streamlog.contract import RunRecord, StreamLog

__all__ = ["Delivery"]


class Delivery:
    """All readers of this process; `drain` sends them away, to come back later."""

    def __init__(self, log: StreamLog, *, clock: Clock, heartbeat_seconds: float) -> None:
        self._log = log
        self._clock = clock
        self._heartbeat_seconds = heartbeat_seconds
        self._draining = False
        self._waiting: set[asyncio.Task[object]] = set()

    def drain(self) -> None:
        """Make every reader, now or later, raise `ServerDraining` instead of waiting."""
        self._draining = True
        for task in self._waiting:
            task.cancel()

    async def follow(
        self, record: RunRecord, *, after: Offset
    ) -> AsyncGenerator[list[StoredEvent] | None, None]:
        """Yield pages after `after` as they are stored; None when a heartbeat is due.

        The first item comes at once and may be an empty page, so that headers go out before the
        first token. Ends after the run's end.

        Raises:
            OffsetInvalid, OffsetExpired, LogLost: see `StreamLog.read`; before the first item.
            ServerDraining: the server goes down; what was not delivered is in the log.
        Cancelling, or closing the iterator, changes nothing in the log.
        """
        subscription = Subscription(
            after=after, heartbeat_seconds=self._heartbeat_seconds, now=self._clock.monotonic()
        )
        is_first = True
        while True:
            command = subscription.next_command(self._clock.monotonic())
            if isinstance(command, Read):
                events = await self._read(record, subscription)
                if events or is_first:
                    yield events
                is_first = False
            elif isinstance(command, Wait):
                grew = await self.wait_beyond(record.run, command.after, seconds=command.seconds)
                subscription.waited(grew=grew)
            elif isinstance(command, Heartbeat):
                yield None
            elif isinstance(command, Finish):
                return

    async def _read(self, record: RunRecord, subscription: Subscription) -> list[StoredEvent]:
        page = await self._log.read(
            record.run, after=subscription.after, events_max=READ_EVENTS_MAX
        )
        events = list(page.events)
        subscription.page_read(
            first=events[0].offset if events else None,
            last=events[-1].offset if events else None,
            tail=page.tail,
            ended=page.ended,
            now=self._clock.monotonic(),
        )
        return events

    async def wait_beyond(self, run: RunId, after: Offset, *, seconds: float) -> bool:
        """Wait as `StreamLog.wait_beyond` does, but not beyond a drain.

        Raises:
            ServerDraining: the server goes down.
        """
        if self._draining:
            raise ServerDraining
        task = asyncio.current_task()
        assert task is not None
        self._waiting.add(task)
        try:
            return await self._log.wait_beyond(run, after, seconds=seconds)
        except asyncio.CancelledError:
            if self._draining and task.uncancel() == 0:
                raise ServerDraining from None
            raise
        finally:
            self._waiting.discard(task)
