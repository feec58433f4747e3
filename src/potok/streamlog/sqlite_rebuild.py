"""At open: finds the live runs and, by reading the segments since the oldest of them, their events.

Runs in the writer thread, before anybody else may use the log.
"""

import sqlite3

import msgspec

from potok.errors import LogLost
from potok.events.envelope import Offset
from potok.streamlog.run_index import RunIndex
from potok.streamlog.segments import SEGMENT_FORMAT, Place, unpack_chunk
from potok.streamlog.sqlite_writer import LiveRun, Writer

__all__ = ["Found", "rebuild"]


class Found(msgspec.Struct):
    """A run that was live when the log was closed or its process died."""

    run: str
    principal: str
    live: LiveRun
    last_event_at: float


def rebuild(writer: Writer) -> list[Found]:
    """Fill the writer's live runs from the database and return them.

    All leases are void: whoever held them wrote to this file, and the file's lock proves that
    nobody else does any more. So a restarted server need not wait for its own old lease.

    Raises:
        LogLost: a segment cannot be read.
        sqlite3.Error: the database cannot.
    """
    connection = writer.connection
    with writer.transaction():
        connection.execute("DELETE FROM workers")
    found = {}
    first_segment = None
    for row, run, principal, epoch, segment, created_at in connection.execute(
        "SELECT id, run, principal, epoch, first_segment, created_at FROM runs"
        " WHERE ended_at IS NULL"
    ):
        live = LiveRun(row=row, epoch=epoch, index=RunIndex(base=segment))
        found[run] = Found(run, principal, live, created_at)
        first_segment = segment if first_segment is None else min(first_segment, segment)
    if first_segment is not None:
        _read_segments(connection, first_segment, found)
    writer.runs = {run: one.live for run, one in found.items()}
    writer.segment_next = _segment_next(connection)
    return list(found.values())


def _read_segments(
    connection: sqlite3.Connection, first_segment: int, found: dict[str, Found]
) -> None:
    for segment, at, version, blob in connection.execute(
        "SELECT id, at, format, blob FROM segments WHERE id >= ? ORDER BY id", (first_segment,)
    ):
        if version != SEGMENT_FORMAT:
            raise LogLost(f"Segment {segment} of the event log has the unknown format {version}.")
        position = 0
        while position < len(blob):
            chunk, end = unpack_chunk(blob, position)
            one = found.get(chunk.run)
            if one is not None:
                one.live.index.add(Place(chunk.first, segment, position, end - position))
                one.live.tail = Offset(chunk.first + chunk.count - 1)
                one.last_event_at = at
            position = end


def _segment_next(connection: sqlite3.Connection) -> int:
    # After retention took all segments, ids must still not fall below what a live run counts from.
    newest, counted = connection.execute(
        "SELECT (SELECT max(id) FROM segments), (SELECT max(first_segment) FROM runs)"
    ).fetchone()
    return max((newest or 0) + 1, counted or 1)
