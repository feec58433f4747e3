"""Rows of the `runs` table as records, and the queries that find them."""

import sqlite3
from collections.abc import Sequence

import msgspec

from potok.clock import RunId
from potok.errors import RunNotFound
from potok.events.envelope import Offset
from potok.events.run_request import RunRequest
from potok.streamlog.contract import Attempt, RunRecord, RunStatus

__all__ = ["Row", "encode_json", "find_row", "rows_of", "select_rows"]

encode_json = msgspec.json.Encoder().encode
_read_request = msgspec.json.Decoder(RunRequest).decode
_read_attempts = msgspec.json.Decoder(tuple[Attempt, ...]).decode

_COLUMNS = """
    r.run, r.principal, r.status, q.request, r.request_hash, r.created_at, r.last_event_at, r.epoch,
    r.worker, r.tail, r.first, r.idempotency_key, r.ended_at, r.attempts, r.cancel_requested
"""
_FROM = "FROM runs r JOIN requests q ON q.run_id = r.id"


class Row(msgspec.Struct, frozen=True):
    """A record as the table has it: a live run's tail and last event's time are not in there."""

    record: RunRecord
    is_live: bool

    def with_tail(self, tail: Offset, last_event_at: float) -> RunRecord:
        """Return the record of a run that is live, at its tail."""
        status: RunStatus = "running" if tail else "queued"
        return msgspec.structs.replace(
            self.record, status=status, tail=tail, last_event_at=last_event_at
        )


def find_row(connection: sqlite3.Connection, run: str) -> Row:
    """Return a run's row with its snapshot; raises `RunNotFound`."""
    found = connection.execute(
        f"SELECT {_COLUMNS}, e.snapshot {_FROM} LEFT JOIN endings e ON e.run_id = r.id"
        " WHERE r.run = ?",
        (run,),
    ).fetchone()
    if found is None:
        raise RunNotFound(run)
    return _row(found)


def select_rows(connection: sqlite3.Connection, where: str, values: Sequence[object]) -> list[Row]:
    """Return the rows that a condition finds, without snapshots. `where` is never a caller's."""
    found = connection.execute(f"SELECT {_COLUMNS}, NULL {_FROM} WHERE {where}", values)
    return [_row(columns) for columns in found]


def rows_of(connection: sqlite3.Connection, runs: Sequence[str]) -> list[Row]:
    """Return the rows of runs known by id, newest first; forgotten ones are left out."""
    listed = encode_json(runs).decode()
    return select_rows(
        connection, "r.run IN (SELECT value FROM json_each(?)) ORDER BY r.run DESC", (listed,)
    )


def _row(columns: tuple[object, ...]) -> Row:
    (
        run, principal, status, request, request_hash, created_at, last_event_at, epoch,
        worker, tail, first, key, ended_at, attempts, cancel_requested, snapshot,
    ) = columns  # fmt: skip
    is_live = status == "live"
    record = {
        "run": run,
        "principal": principal,
        "status": "queued" if is_live else status,
        "request": _read_request(request),  # type: ignore[arg-type]
        "request_hash": request_hash,
        "created_at": created_at,
        "last_event_at": created_at if last_event_at is None else last_event_at,
        "epoch": epoch,
        "worker": worker,
        "tail": tail or 0,
        "first": first,
        "idempotency_key": key,
        "ended_at": ended_at,
        "attempts": _read_attempts(attempts),  # type: ignore[arg-type]
        "cancel_requested": bool(cancel_requested),
        "snapshot": snapshot,
    }
    return Row(RunRecord(**record), is_live)  # type: ignore[arg-type]
