"""Places for live calls at one provider, and the queue for them: fair, bounded, and seen.

Those who wait have a lane per principal; a place that becomes free goes to the lanes in turn, and
within a lane to whoever came first. So nobody's hundred calls stand before somebody's one.
"""

import asyncio
import math
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import chain, zip_longest

from potok.clock import Clock
from potok.errors import UpstreamBusy
from potok.limits import QUEUE_LANE_SHARE, QUEUE_REPEAT_SECONDS, QUEUE_TELL_SECONDS
from potok.models.time_limits import Sleep, time_limit

__all__ = ["Places", "Ticket"]


class Places:
    """Lets at most `calls_max` callers in; the others wait in fair order.

    Args:
        waiting_max: Callers who may wait; 0 means that nobody waits. One principal's are at most
            `limits.QUEUE_LANE_SHARE` of them.
        wait_seconds: Longest wait of one of them.
    """

    def __init__(
        self,
        *,
        provider: str,
        calls_max: int,
        waiting_max: int,
        wait_seconds: float,
        clock: Clock,
        sleep: Sleep,
    ) -> None:
        self._provider = provider
        self._calls_max = calls_max
        self._waiting_max = waiting_max
        self._lane_max = math.ceil(waiting_max * QUEUE_LANE_SHARE)
        self._wait_seconds = wait_seconds
        self._clock = clock
        self._sleep = sleep
        self._live = 0
        self._waiting = 0
        # In the order of their turns: a lane that had its turn goes to the end.
        self._lanes: dict[str, deque[Ticket]] = {}
        # Positions as of the queue's last change; all who wait ask for theirs.
        self._positions: dict[Ticket, int] | None = None

    @property
    def live(self) -> int:
        """Places taken."""
        return self._live

    @property
    def waiting(self) -> int:
        """Callers in the queue."""
        return self._waiting

    def check_room(self, principal: str = "") -> None:
        """Raise `UpstreamBusy` if one more caller of this principal could not even wait."""
        if self._live < self._calls_max:
            return
        lane = self._lanes.get(principal, ())
        if self._waiting >= self._waiting_max or len(lane) >= self._lane_max:
            raise self._busy()

    def ask(self, principal: str = "") -> "Ticket":
        """Ask for a place; raises `UpstreamBusy` where there is no room to wait either."""
        self.check_room(principal)
        ticket = Ticket(self, principal, last_moment=self._clock.monotonic() + self._wait_seconds)
        if self._live < self._calls_max:
            # Nobody waits while a place is free: a place goes straight to the next in the queue.
            self._live += 1
            ticket.turn.set_result(None)
        else:
            self._lanes.setdefault(principal, deque()).append(ticket)
            self._changed(by=1)
        return ticket

    @asynccontextmanager
    async def one(self, principal: str = "") -> AsyncIterator[None]:
        """Hold one place for the body.

        Raises:
            UpstreamBusy: the queue is full, or the wait took too long.
        Cancelling while waiting leaves the queue.
        """
        ticket = self.ask(principal)
        try:
            while await ticket.wait() is not None:
                continue
            yield
        finally:
            ticket.leave()

    def position_of(self, ticket: "Ticket") -> int:
        """Return how many of those who wait are served up to this one, itself included."""
        if self._positions is None:
            rounds = zip_longest(*self._lanes.values())
            order = (one for one in chain.from_iterable(rounds) if one is not None)
            self._positions = {one: place for place, one in enumerate(order, 1)}
        return self._positions[ticket]

    async def pause(self, ticket: "Ticket", seconds: float) -> None:
        """Wait for a ticket's turn, at most so long.

        Raises:
            UpstreamBusy: it has waited for too long altogether.
        """
        left = ticket.last_moment - self._clock.monotonic()
        if left <= 0:
            raise self._busy()
        try:
            async with time_limit(min(seconds, left), sleep=self._sleep):
                # `wait` leaves the turn alone when this caller is cancelled.
                await asyncio.wait([ticket.turn])
        except TimeoutError:
            if ticket.last_moment <= self._clock.monotonic() and not ticket.turn.done():
                raise self._busy() from None

    def leave(self, ticket: "Ticket") -> None:
        """Give a ticket's place to the next, or its place in the queue up."""
        if ticket.turn.done():
            self._give()
            return
        lane = self._lanes[ticket.principal]
        lane.remove(ticket)
        if not lane:
            del self._lanes[ticket.principal]
        self._changed(by=-1)

    def _give(self) -> None:
        if not self._lanes:
            self._live -= 1
            return
        principal, lane = next(iter(self._lanes.items()))
        del self._lanes[principal]
        ticket = lane.popleft()
        if lane:
            self._lanes[principal] = lane
        self._changed(by=-1)
        ticket.turn.set_result(None)

    def _changed(self, *, by: int) -> None:
        self._waiting += by
        self._positions = None

    def _busy(self) -> UpstreamBusy:
        return UpstreamBusy(
            f"The provider {self._provider} has all {self._calls_max} calls under way that it is"
            " allowed, and too many wait. Try again in a minute, or allow it more."
        )


class Ticket:
    """One caller's place, or wish for one. `leave` it in any case, once."""

    __slots__ = ("_has_left", "_places", "_told", "last_moment", "principal", "turn")

    def __init__(self, places: Places, principal: str, *, last_moment: float) -> None:
        self._places = places
        self._told: int | None = None
        self._has_left = False
        self.principal = principal
        self.last_moment = last_moment
        self.turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def wait(self) -> int | None:
        """Wait for the place; None once it is held.

        Returns before that with the position in the queue, from 1: at once, then when it has
        changed, but not more often than `limits.QUEUE_TELL_SECONDS`, and again unchanged after
        `limits.QUEUE_REPEAT_SECONDS`. Call it again then.

        Raises:
            UpstreamBusy: the wait took too long.
        Cancelling changes nothing.
        """
        silent = 0.0
        while not self.turn.done():
            if self._told is not None:
                await self._places.pause(self, QUEUE_TELL_SECONDS)
                silent += QUEUE_TELL_SECONDS
                if self.turn.done():
                    break
            position = self._places.position_of(self)
            if position != self._told or silent >= QUEUE_REPEAT_SECONDS:
                self._told = position
                return position
        return None

    def leave(self) -> None:
        """Give the place back, or leave the queue."""
        if not self._has_left:
            self._has_left = True
            self._places.leave(self)
