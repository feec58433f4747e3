"""What the writer thread does to runs and leases: start, attempt, cancel, take over, retention."""

import sqlite3
from collections.abc import Sequence

import msgspec
from msgspec.structs import replace

from potok.clock import RunId, WorkerId
from potok.errors import OurBug
from potok.limits import TRIM_RUNS_MAX, TRIM_SEGMENTS_MAX
from potok.streamlog.contract import Attempt, Ending, NewRun, RunRecord
from potok.streamlog.rules import (
    check_same_request,
    check_writer,
    is_key_fresh,
    is_lease_valid,
    is_taken,
)
from potok.streamlog.run_index import RunIndex
from potok.streamlog.sqlite_records import Row, encode_json, find_row
from potok.streamlog.sqlite_writer import LiveRun, Writer

__all__ = [
    "Created",
    "TrimStep",
    "create_run",
    "end_lost",
    "find_started",
    "forget_run",
    "keep_run",
    "put_attempt",
    "release_lease",
    "renew_lease",
    "request_cancel",
    "take_over",
    "trim_step",
]


class Created(msgspec.Struct):
    """A run's row, and its live state if it is new."""

    row: Row
    live: LiveRun | None


class TrimStep(msgspec.Struct):
    """What one step of retention removed: runs whose events went, records, segments."""

    events_of: list[str]
    records: int
    is_done: bool


def create_run(writer: Writer, new: NewRun) -> Created:
    """Store a run, or find the one that its idempotency key started."""
    now = writer.clock.now()
    with writer.transaction() as connection:
        if new.idempotency_key is not None:
            found = find_started(
                connection,
                new.principal,
                new.idempotency_key,
                request_hash=new.request_hash,
                now=now,
            )
            if found is not None:
                return Created(found, None)
        if connection.execute("SELECT 1 FROM runs WHERE run = ?", (new.run,)).fetchone():
            raise OurBug(f"run {new.run} was created before")
        live = _insert_run(writer, new, now)
        created = Created(find_row(connection, new.run), live)
    writer.runs[new.run] = live
    return created


def find_started(
    connection: sqlite3.Connection, principal: str, key: str, *, request_hash: str, now: float
) -> Row | None:
    """Return the row of the run that a key started; None if the key is free."""
    found = connection.execute(
        "SELECT r.run, r.request_hash, k.used_at FROM idempotency_keys k"
        " JOIN runs r ON r.id = k.run_id WHERE k.principal = ? AND k.key = ?",
        (principal, key),
    ).fetchone()
    if found is None or not is_key_fresh(found[2], now=now):
        return None
    check_same_request(key, run=found[0], stored_hash=found[1], request_hash=request_hash)
    return find_row(connection, found[0])


def _insert_run(writer: Writer, new: NewRun, now: float) -> LiveRun:
    connection = writer.connection
    row = connection.execute(
        "INSERT INTO runs (run, principal, request_hash, idempotency_key, created_at, worker,"
        " first_segment) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            new.run,
            new.principal,
            new.request_hash,
            new.idempotency_key,
            now,
            new.worker,
            writer.segment_next,
        ),
    ).lastrowid
    assert row is not None
    connection.execute(
        "INSERT INTO requests (run_id, request) VALUES (?, ?)", (row, encode_json(new.request))
    )
    if new.idempotency_key is not None:
        connection.execute(
            "INSERT OR REPLACE INTO idempotency_keys (principal, key, run_id, used_at)"
            " VALUES (?, ?, ?, ?)",
            (new.principal, new.idempotency_key, row, now),
        )
    return LiveRun(row=row, epoch=1, index=RunIndex(base=writer.segment_next))


def put_attempt(writer: Writer, run: RunId, *, epoch: int, attempt: Attempt) -> None:
    """Add an attempt to a live run's row."""
    with writer.transaction() as connection:
        record = _writable(writer, run, epoch)
        connection.execute(
            "UPDATE runs SET attempts = ? WHERE run = ?",
            (encode_json((*record.attempts, attempt)), run),
        )


def request_cancel(writer: Writer, run: RunId) -> Row:
    """Set a live run's flag."""
    with writer.transaction() as connection:
        connection.execute(
            "UPDATE runs SET cancel_requested = 1 WHERE run = ? AND ended_at IS NULL", (run,)
        )
        return find_row(connection, run)


def keep_run(writer: Writer, run: RunId) -> None:
    """Let a live run's stored request say that it goes on without readers."""
    with writer.transaction() as connection:
        row = find_row(connection, run)
        if row.is_live:
            request = replace(row.record.request, on_disconnect="keep")
            connection.execute(
                "UPDATE requests SET request = ? WHERE run_id = ?",
                (encode_json(request), writer.runs[run].row),
            )


def end_lost(writer: Writer, run: RunId, *, epoch: int, ending: Ending) -> None:
    """End a live run that cannot be read; no places say so to readers."""
    with writer.transaction() as connection:
        _writable(writer, run, epoch)
        live, now = writer.runs[run], writer.clock.now()
        connection.execute(
            "UPDATE runs SET status = ?, tail = ?, last_event_at = ?, ended_at = ? WHERE id = ?",
            (ending.status, live.tail, now, now, live.row),
        )
        connection.execute(
            "INSERT INTO endings (run_id, snapshot) VALUES (?, ?)", (live.row, ending.snapshot)
        )
        connection.execute("INSERT INTO places (run_id, places) VALUES (?, ?)", (live.row, b""))
    del writer.runs[run]


def renew_lease(writer: Writer, worker: WorkerId, *, seconds: float) -> None:
    """Store how long the worker counts as alive."""
    writer.execute(
        "INSERT OR REPLACE INTO workers (id, lease_until) VALUES (?, ?)",
        (worker, writer.clock.now() + seconds),
    )


def release_lease(writer: Writer, worker: WorkerId) -> None:
    """Forget the worker."""
    writer.execute("DELETE FROM workers WHERE id = ?", (worker,))


def take_over(writer: Writer, run: RunId, *, worker: WorkerId, epoch: int) -> Row:
    """Give an abandoned run the next epoch and another writer."""
    with writer.transaction() as connection:
        row = find_row(connection, run)
        if row.is_live and is_taken(row.record, worker=worker, epoch=epoch):
            return row
        record = _writable(writer, run, epoch)
        lease = connection.execute(
            "SELECT lease_until FROM workers WHERE id = ?", (record.worker,)
        ).fetchone()
        is_abandoned = not is_lease_valid(lease and lease[0], now=writer.clock.now())
        check_writer(run, epoch=epoch, current=record.epoch, is_live=is_abandoned)
        connection.execute(
            "UPDATE runs SET epoch = ?, worker = ? WHERE run = ?", (epoch + 1, worker, run)
        )
        row = find_row(connection, run)
    writer.runs[run].epoch = epoch + 1
    return row


def _writable(writer: Writer, run: RunId, epoch: int) -> RunRecord:
    row = find_row(writer.connection, run)
    check_writer(run, epoch=epoch, current=row.record.epoch, is_live=row.is_live)
    return row.record


def forget_run(writer: Writer, run: RunId) -> TrimStep:
    """Delete an ended run's rows; its segments go with those that they were committed beside."""
    with writer.transaction() as connection:
        row = find_row(connection, run)
        if row.is_live:
            return TrimStep([], 0, True)
        found = connection.execute("SELECT id FROM runs WHERE run = ?", (run,)).fetchone()
        _delete_rows(writer, [found[0]])
    return TrimStep([run], 1, True)


def trim_step(writer: Writer, *, events_before: float, records_before: float) -> TrimStep:
    """Do a bounded part of retention in one transaction.

    Segments are deleted from the oldest up to the first that a kept run may need: a long run
    keeps what was committed beside it.
    """
    with writer.transaction() as connection:
        forgotten = connection.execute(
            "SELECT id, run, first_segment IS NOT NULL FROM runs WHERE ended_at < ?"
            " ORDER BY ended_at LIMIT ?",
            (records_before, TRIM_RUNS_MAX),
        ).fetchall()
        _delete_rows(writer, [row for row, _, _ in forgotten])
        emptied = connection.execute(
            "SELECT id, run FROM runs WHERE ended_at < ? AND first_segment IS NOT NULL"
            " ORDER BY ended_at LIMIT ?",
            (events_before, TRIM_RUNS_MAX),
        ).fetchall()
        listed = encode_json([row for row, _ in emptied]).decode()
        connection.execute(
            "UPDATE runs SET first = tail + 1, first_segment = NULL"
            " WHERE id IN (SELECT value FROM json_each(?))",
            (listed,),
        )
        connection.execute(
            "DELETE FROM places WHERE run_id IN (SELECT value FROM json_each(?))", (listed,)
        )
        needed: int | None = connection.execute("SELECT min(first_segment) FROM runs").fetchone()[0]
        segments = connection.execute(
            "DELETE FROM segments WHERE id IN"
            " (SELECT id FROM segments WHERE id < ? ORDER BY id LIMIT ?)",
            (writer.segment_next if needed is None else needed, TRIM_SEGMENTS_MAX),
        ).rowcount
    events_of = [run for _, run, had_events in forgotten if had_events]
    events_of += [run for _, run in emptied]
    is_done = max(len(forgotten), len(emptied)) < TRIM_RUNS_MAX and segments < TRIM_SEGMENTS_MAX
    return TrimStep(events_of, len(forgotten), is_done)


def _delete_rows(writer: Writer, rows: Sequence[int]) -> None:
    listed = encode_json(rows).decode()
    for table, column in (
        ("places", "run_id"),
        ("endings", "run_id"),
        ("requests", "run_id"),
        ("idempotency_keys", "run_id"),
        ("runs", "id"),
    ):
        writer.connection.execute(
            f"DELETE FROM {table} WHERE {column} IN (SELECT value FROM json_each(?))", (listed,)
        )
