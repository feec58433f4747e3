"""The reading half of the SQLite log: a few threads with a connection each, and what they read."""

import sqlite3
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from potok.errors import LogLost, LogUnavailable, RunNotFound
from potok.events.envelope import Offset, StoredEvent
from potok.limits import LOG_READERS_MAX
from potok.streamlog.contract import Page
from potok.streamlog.rules import check_after
from potok.streamlog.run_index import RunIndex
from potok.streamlog.segments import SEGMENT_FORMAT, Place, unpack_chunk
from potok.streamlog.sqlite_files import connect_reader
from potok.streamlog.sqlite_records import encode_json
from potok.streamlog.threads import Threads

__all__ = ["Readers", "read_places", "read_stored"]

T = TypeVar("T")


class Readers:
    """Threads that read; each opens its connection at its first job."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._threads = Threads(LOG_READERS_MAX, name="potok-log-reader")
        self._own = threading.local()
        self._connections: list[sqlite3.Connection] = []

    async def run(self, job: Callable[[sqlite3.Connection], T]) -> T:
        """Do a job in a thread and return what it returns.

        Raises:
            LogUnavailable: the database cannot be read now, or the log was closed.
        """
        try:
            return await self._threads.call(lambda: job(self._connection()))
        except sqlite3.DatabaseError as error:
            raise LogUnavailable(f"The event log could not be read ({error}).") from error

    async def close(self) -> None:
        """Wait for the jobs under way and close the connections."""
        await self._threads.stop()
        for connection in self._connections:
            connection.close()
        self._connections.clear()

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._own, "connection", None)
        if connection is None:
            connection = self._own.connection = connect_reader(self._path)
            self._connections.append(connection)
        return connection


def read_places(
    connection: sqlite3.Connection,
    run: str,
    places: Sequence[tuple[Place, int]],
    *,
    after: Offset,
    events_max: int,
) -> list[StoredEvent]:
    """Return the events after an offset from the chunks at `places` (each with its count).

    Raises:
        LogLost: a chunk is not there, or is not what the index says.
    """
    wanted = encode_json([(p.segment, p.position + 1, p.length) for p, _ in places]).decode()
    rows = connection.execute(
        "SELECT j.key, s.at, s.format, substr(s.blob, json_extract(j.value, '$[1]'),"
        " json_extract(j.value, '$[2]'))"
        " FROM json_each(?) j JOIN segments s ON s.id = json_extract(j.value, '$[0]')",
        (wanted,),
    ).fetchall()
    rows.sort(key=_key)
    if len(rows) != len(places):
        raise LogLost(_lost(run, after))
    events: list[StoredEvent] = []
    for (place, count), (_, at, version, blob) in zip(places, rows, strict=True):
        if version != SEGMENT_FORMAT:
            raise LogLost(_lost(run, after))
        chunk, _ = unpack_chunk(blob)
        if (chunk.run, chunk.first, chunk.count) != (run, place.first, count):
            raise LogLost(_lost(run, after))
        events += chunk.events_after(after, at=at)
    return events[:events_max]


def read_stored(
    connection: sqlite3.Connection, run: str, *, after: Offset, events_max: int
) -> Page:
    """Return a page of a run by its row alone; a live one is taken to have no events yet.

    Raises:
        RunNotFound, OffsetInvalid, OffsetExpired, LogLost: as `StreamLog.read`.
    """
    # One snapshot: retention must not take the segments after the row was read.
    connection.execute("BEGIN")
    try:
        found = connection.execute(
            "SELECT r.tail, r.first, p.places FROM runs r LEFT JOIN places p ON p.run_id = r.id"
            " WHERE r.run = ?",
            (run,),
        ).fetchone()
        if found is None:
            raise RunNotFound(run)
        is_ended, tail = found[0] is not None, Offset(found[0] or 0)
        if found[2] == b"":
            raise LogLost(_lost(run, after))
        check_after(run, after, tail=tail, first=Offset(found[1]))
        if after == tail:
            return Page((), tail, is_ended)
        places = RunIndex.from_bytes(found[2]).places(after, tail=tail, events_max=events_max)
        events = read_places(connection, run, places, after=after, events_max=events_max)
    finally:
        connection.execute("COMMIT")
    return Page(events, tail, events[-1].offset == tail)


def _key(row: tuple[int, float, int, bytes]) -> int:
    return row[0]


def _lost(run: str, after: Offset) -> str:
    return (
        f"The event log lost events of run {run} after offset {after}. Restore it from a backup;"
        f" GET /api/runs/{run} gives the whole answer if the run had ended."
    )
