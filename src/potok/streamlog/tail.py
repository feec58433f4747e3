"""What the event loop may show of live runs: their tails and newest events, in bounded memory.

Only the loop touches it, and only after the commit that stored what it adds (P1).
"""

from collections import OrderedDict, deque
from collections.abc import Sequence

from potok.events.envelope import Offset, StoredEvent
from potok.limits import (
    ENDED_TAILS_MAX,
    TAIL_BYTES_MAX,
    TAIL_EVENT_OVERHEAD_BYTES,
    TAILS_BYTES_MAX,
)
from potok.streamlog.run_index import RunIndex

__all__ = ["RecentEvents", "Tails", "VisibleRun"]


class RecentEvents:
    """The newest events of one run, decoded. Drops the oldest commits over its bytes."""

    __slots__ = ("_bytes", "_commits", "_dropped", "_events", "_tail")

    def __init__(self, tail: Offset) -> None:
        self._tail = tail
        self._events: list[StoredEvent] = []
        # Dropped events stay at the list's front until they are a quarter of it: that is cheap.
        self._dropped = 0
        self._commits: deque[tuple[int, int]] = deque()
        self._bytes = 0

    def extend(self, events: Sequence[StoredEvent], *, size: int, bytes_max: int) -> None:
        """Add a commit's events, of `size` bytes as JSON; it is kept whatever its size."""
        cost = size + len(events) * TAIL_EVENT_OVERHEAD_BYTES
        self._events += events
        self._tail = events[-1].offset
        self._commits.append((len(events), cost))
        self._bytes += cost
        while self._bytes > bytes_max and len(self._commits) > 1:
            count, cost = self._commits.popleft()
            self._dropped += count
            self._bytes -= cost
        if self._dropped * 4 > len(self._events):
            del self._events[: self._dropped]
            self._dropped = 0

    def after(self, after: Offset, *, events_max: int) -> list[StoredEvent] | None:
        """Return what follows `after`; None if some of it is not held any more."""
        start = len(self._events) - (self._tail - after)
        if start < self._dropped:
            return None
        return self._events[start : start + events_max]


class VisibleRun:
    """A live or just ended run as readers see it. `index` is the writer's, read below the tail."""

    __slots__ = ("index", "is_ended", "last_event_at", "principal", "recent", "tail")

    def __init__(
        self, *, principal: str, tail: Offset, last_event_at: float, index: RunIndex
    ) -> None:
        self.principal = principal
        self.tail = tail
        self.last_event_at = last_event_at
        self.index = index
        self.recent = RecentEvents(tail)
        self.is_ended = False


class Tails:
    """All live runs, and a few that ended last."""

    def __init__(self) -> None:
        self.live: dict[str, VisibleRun] = {}
        self._ended: OrderedDict[str, VisibleRun] = OrderedDict()

    def find(self, run: str) -> VisibleRun | None:
        """Return a run that is in memory; None says nothing about the store."""
        return self.live.get(run) or self._ended.get(run)

    def extend(
        self, run: str, events: Sequence[StoredEvent], *, size: int, is_ended: bool
    ) -> Offset:
        """Show stored events of a live run; return its new tail."""
        visible = self.live[run]
        bytes_max = min(TAIL_BYTES_MAX, TAILS_BYTES_MAX // len(self.live))
        visible.recent.extend(events, size=size, bytes_max=bytes_max)
        newest = events[-1]
        visible.tail = newest.offset
        visible.last_event_at = newest.at
        if is_ended:
            visible.is_ended = True
            self._ended[run] = self.live.pop(run)
            if len(self._ended) > ENDED_TAILS_MAX:
                self._ended.popitem(last=False)
        return newest.offset

    def forget(self, run: str) -> None:
        """Drop an ended run's tail: its events were trimmed."""
        self._ended.pop(run, None)

    def clear(self) -> None:
        """Drop everything."""
        self.live.clear()
        self._ended.clear()
