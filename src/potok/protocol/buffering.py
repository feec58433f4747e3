"""Tells from arrival times whether something between server and reader holds the stream back.

A proxy that buffers makes a stream come in lumps. Nothing breaks, but tokens come late, and the
reader may want another transport or tell somebody. It is advice; no rule depends on it.
"""

from potok.limits import (
    BURST_EVENTS_MIN,
    BURST_GAP_SECONDS,
    BURST_HEARTBEAT_SECONDS,
    BURST_HEARTBEATS_MAX,
    BURST_SILENCE_SECONDS,
    BURSTS_MAX,
)

__all__ = ["BufferingWatch"]


class BufferingWatch:
    """Hears of every arrival on one reader's lines. Times are monotonic seconds.

    Two signs are counted. A server sends a heartbeat only after an interval of silence, so one that
    comes together with something else was held back. And a full buffer shows as many events at
    once after a silence, again and again with no single event between.
    """

    __slots__ = ("_events", "_late_heartbeats", "_lump_counts", "_lumps", "_seen_at", "is_buffered")

    def __init__(self) -> None:
        self.is_buffered = False
        self._late_heartbeats = 0
        self._lumps = 0
        # The piece that is arriving: its events, and whether it may count at the end.
        self._events = 0
        self._lump_counts = False
        self._seen_at: float | None = None

    def opened(self) -> None:
        """Hear of a new line: what comes first is what the reader missed, and comes at once."""
        self._events = 0
        self._lumps = 0
        self._lump_counts = False
        self._late_heartbeats = 0
        self._seen_at = None

    def heartbeat(self, now: float) -> None:
        """Hear of a heartbeat."""
        if self._seen_at is not None and now - self._seen_at < BURST_HEARTBEAT_SECONDS:
            self._late_heartbeats += 1
            self._judge()
        self._seen_at = now

    def event(self, now: float) -> None:
        """Hear of an event."""
        silent = None if self._seen_at is None else now - self._seen_at
        if silent is not None and silent > BURST_GAP_SECONDS:
            self._end_lump()
            self._lump_counts = silent >= BURST_SILENCE_SECONDS
        self._events += 1
        self._seen_at = now

    def _end_lump(self) -> None:
        if self._lump_counts and self._events >= BURST_EVENTS_MIN:
            self._lumps += 1
        elif self._events:
            self._lumps = 0
        self._events = 0
        self._judge()

    def _judge(self) -> None:
        if self._late_heartbeats >= BURST_HEARTBEATS_MAX or self._lumps >= BURSTS_MAX:
            self.is_buffered = True
