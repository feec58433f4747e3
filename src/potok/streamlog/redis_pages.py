"""Pages of events from what Redis answers, checked for gaps. Pure."""

from collections.abc import Sequence
from typing import Any

from potok.errors import LogLost, OffsetExpired, RunNotFound
from potok.events.envelope import Offset, StoredEvent
from potok.limits import READ_BYTES_MAX
from potok.streamlog.contract import Page
from potok.streamlog.rules import check_after
from potok.streamlog.segments import Chunk

__all__ = ["chunk_lines", "lost", "page_of"]


def chunk_lines(lines: Sequence[bytes]) -> bytes:
    """Return a commit's events as one value: a line each."""
    return b"\n".join(lines) + b"\n"


def page_of(run: str, reply: Sequence[Any], *, after: Offset, events_max: int) -> Page:
    """Return the page after an offset from the answer of `read.lua`.

    Raises:
        RunNotFound, OffsetInvalid, OffsetExpired, LogLost: as `StreamLog.read`.
    """
    if reply[0] == b"missing":
        raise RunNotFound(run)
    _, tail, first, status, is_lost, is_gone, entries = reply
    if is_lost:
        raise lost(run, after)
    check_after(run, after, tail=tail, first=first)
    events = _events(run, entries, after, events_max)
    if after < tail and not events:
        if is_gone:
            # Redis's own clean-up came before ours.
            raise OffsetExpired(run=run, wanted=after, first=tail + 1)
        raise lost(run, after)
    last = events[-1].offset if events else after
    return Page(events, Offset(tail), status != b"" and last == tail)


def _events(run: str, entries: Sequence[Any], after: Offset, events_max: int) -> list[StoredEvent]:
    events: list[StoredEvent] = []
    size, expected = 0, after + 1
    for name, fields in entries:
        first = Offset(int(name.partition(b"-")[0]))
        chunk = Chunk(run, int(fields[1]), first, int(fields[3]), fields[7])
        end = first + chunk.count
        if not first <= expected < end:
            raise lost(run, Offset(expected - 1))
        at = float(fields[5])
        lines = chunk.body.split(b"\n")
        for stored in chunk.events_after(after, at=at):
            size += len(lines[stored.offset - first])
            if len(events) == events_max or (events and size > READ_BYTES_MAX):
                return events
            events.append(stored)
        expected = end
    return events


def lost(run: str, after: int) -> LogLost:
    """Return the error that says which events are not there any more."""
    return LogLost(
        f"Redis lost events of run {run} after offset {after}, which it had acknowledged: it was"
        " restarted without its append-only file, or failed over. Ask again for a whole answer."
    )
