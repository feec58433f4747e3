"""The writing half of the SQLite log: its connection, its live runs and the commit of events.

Everything here runs in the writer thread alone. Its state changes only after COMMIT returned.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from potok.clock import Clock
from potok.errors import PotokError, RunNotFound, StaleEpoch
from potok.events.envelope import START, Offset, StoredEvent
from potok.limits import SEGMENTS_INSERT_MAX
from potok.streamlog.contract import Appended, Batch, Ending
from potok.streamlog.rules import check_writer, encode_lines
from potok.streamlog.run_index import RunIndex
from potok.streamlog.segments import SEGMENT_FORMAT, Packer, Place
from potok.streamlog.sqlite_files import Durability, connect_writer
from potok.streamlog.sqlite_schema import migrate

__all__ = ["LiveRun", "Stored", "Writer"]


class LiveRun:
    """A live run as its writer knows it; `index` is shared with readers, who look below a tail."""

    __slots__ = ("epoch", "index", "row", "tail")

    def __init__(self, *, row: int, epoch: int, index: RunIndex, tail: Offset = START) -> None:
        self.row = row
        self.epoch = epoch
        self.index = index
        self.tail = tail


class Stored(msgspec.Struct, frozen=True):
    """A batch that a commit stored; `size` is its bytes as JSON."""

    appended: Appended
    events: list[StoredEvent]
    size: int
    is_ended: bool


class _Staged:
    """What a commit under way will change of a run."""

    __slots__ = ("ending", "live", "places", "tail")

    def __init__(self, live: LiveRun) -> None:
        self.live = live
        self.tail = live.tail
        self.places: list[Place] = []
        self.ending: Ending | None = None


class Writer:
    """Owns the connection that writes. `runs` are the live ones; nobody else may change them."""

    def __init__(self, path: Path, *, clock: Clock, durability: Durability) -> None:
        """Open the database and bring its schema up to date; raises as `migrate` does."""
        self.clock = clock
        self.runs: dict[str, LiveRun] = {}
        self.segment_next = 1
        self.connection = connect_writer(path, durability=durability)
        try:
            migrate(self.connection, path=str(path))
            self.connection.execute("PRAGMA journal_mode = WAL")
        except BaseException:
            self.connection.close()
            raise

    def close(self) -> None:
        """Close the connection; SQLite empties its write-ahead log then."""
        self.connection.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Commit at the end, or change nothing."""
        connection = self.connection
        self._leave_transaction()
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
            connection.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):
                self._leave_transaction()
            raise

    def execute(self, statement: str, values: Sequence[object]) -> None:
        """Run one statement as a transaction of its own."""
        self._leave_transaction()
        self.connection.execute(statement, values)

    def _leave_transaction(self) -> None:
        # Rolling back may fail while the disk does. What is written next must not join what failed:
        # it would look stored, and be rolled back with it.
        if self.connection.in_transaction:
            self.connection.execute("ROLLBACK")

    def commit(self, batches: Sequence[Batch]) -> list[Stored | PotokError]:
        """Store batches as `StreamLog.append` promises, in one transaction."""
        at = self.clock.now()
        packer = Packer(segment=self.segment_next)
        staged: dict[str, _Staged] = {}
        answers: list[Stored | PotokError] = []
        for batch in batches:
            try:
                answers.append(self._stage(batch, packer, staged, at))
            except PotokError as refusal:
                answers.append(refusal)
        if staged:
            self._store(packer, staged, at)
            self._advance(packer, staged)
        return answers

    def _stage(self, batch: Batch, packer: Packer, staged: dict[str, _Staged], at: float) -> Stored:
        run = batch.run
        stage = staged.get(run)
        if stage is None:
            live = self.runs.get(run)
            if live is None:
                raise self._refusal_of_ended(run, batch.epoch)
            stage = _Staged(live)
        check_writer(run, epoch=batch.epoch, current=stage.live.epoch, is_live=stage.ending is None)
        lines = encode_lines(batch)
        first = stage.tail + 1
        place = packer.add(run, epoch=batch.epoch, first=Offset(first), lines=lines)
        stage.places.append(place)
        stage.tail = Offset(stage.tail + len(lines))
        stage.ending = batch.ending
        staged[run] = stage
        events = [
            StoredEvent(Offset(offset), event, at)
            for offset, event in enumerate(batch.events, first)
        ]
        appended = Appended(run, stage.tail, at)
        return Stored(appended, events, place.length, batch.ending is not None)

    def _refusal_of_ended(self, run: str, epoch: int) -> PotokError:
        found = self.connection.execute("SELECT epoch FROM runs WHERE run = ?", (run,)).fetchone()
        if found is None:
            return RunNotFound(run)
        return StaleEpoch(run=run, epoch=epoch, current=found[0])

    def _store(self, packer: Packer, staged: dict[str, _Staged], at: float) -> None:
        segments = [
            (number, at, SEGMENT_FORMAT, b"".join(pieces))
            for number, pieces in enumerate(packer.segments, self.segment_next)
        ]
        endings = [stage for stage in staged.values() if stage.ending is not None]
        if len(segments) <= SEGMENTS_INSERT_MAX and not endings:
            # One statement is its own transaction. Each further one would give up the interpreter
            # to a busy event loop and wait to get it back.
            self.execute(*_insert(segments))
            return
        with self.transaction() as connection:
            for start in range(0, len(segments), SEGMENTS_INSERT_MAX):
                connection.execute(*_insert(segments[start : start + SEGMENTS_INSERT_MAX]))
            for stage in endings:
                _store_ending(connection, stage, at)

    def _advance(self, packer: Packer, staged: dict[str, _Staged]) -> None:
        self.segment_next += len(packer.segments)
        for run, stage in staged.items():
            stage.live.tail = stage.tail
            for place in stage.places:
                stage.live.index.add(place)
            if stage.ending is not None:
                del self.runs[run]


def _insert(segments: Sequence[tuple[int, float, int, bytes]]) -> tuple[str, list[object]]:
    rows = ", ".join(["(?, ?, ?, ?)"] * len(segments))
    values: list[object] = [value for segment in segments for value in segment]
    return f"INSERT INTO segments (id, at, format, blob) VALUES {rows}", values


def _store_ending(connection: sqlite3.Connection, stage: _Staged, at: float) -> None:
    assert stage.ending is not None
    row = stage.live.row
    connection.execute(
        "UPDATE runs SET status = ?, tail = ?, last_event_at = ?, ended_at = ? WHERE id = ?",
        (stage.ending.status, stage.tail, at, at, row),
    )
    connection.execute(
        "INSERT INTO endings (run_id, snapshot) VALUES (?, ?)", (row, stage.ending.snapshot)
    )
    connection.execute(
        "INSERT INTO places (run_id, places) VALUES (?, ?)",
        (row, stage.live.index.to_bytes(*stage.places)),
    )
