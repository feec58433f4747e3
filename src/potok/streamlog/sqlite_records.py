"""Rows of the `runs` table as records, and the queries that find them."""

import sqlite3
from collections.abc import Sequence
from typing import Any

import msgspec

from potok.clock import RunId
from potok.errors import RunNotFound
from potok.events.envelope import Offset
from potok.events.run_request import RunRequest
from potok.streamlog.contract import Attempt, RunRecord, RunStatus

__all__ = [
    "Row",
    "encode_json",
    "find_row",
    "list_abandoned",
    "list_cancelled",
    "list_rows",
    "rows_of",
]

encode_json = msgspec.json.Encoder().encode
_read_request = msgspec.json.Decoder(RunRequest).decode
_read_attempts = msgspec.json.Decoder(tuple[Attempt, ...]).decode

_BEYOND_ALL_RUNS = "\U0010ffff"

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


def list_rows(
    connection: sqlite3.Connection,
    *,
    principal: str,
    before: str | None,
    status: str | None,
    items_max: int,
) -> list[Row]:
    """Return a principal's rows, newest first, `before` exclusive; `status` as the table has it."""
    assert items_max >= 1
    return _select(
        connection,
        "r.principal = ?1 AND r.run < ?2 AND (?3 IS NULL OR r.status = ?3)"
        " ORDER BY r.run DESC LIMIT ?4",
        (principal, _BEYOND_ALL_RUNS if before is None else before, status, items_max),
    )


def list_abandoned(connection: sqlite3.Connection, *, now: float, items_max: int) -> list[Row]:
    """Return the rows of live runs whose worker has no lease, oldest first."""
    assert items_max >= 1
    return _select(
        connection,
        "r.ended_at IS NULL AND NOT EXISTS"
        " (SELECT 1 FROM workers w WHERE w.id = r.worker AND w.lease_until > ?)"
        " ORDER BY r.run LIMIT ?",
        (now, items_max),
    )


def list_cancelled(connection: sqlite3.Connection, *, worker: str) -> list[RunId]:
    """Return a worker's live runs that were asked to end."""
    found = connection.execute(
        "SELECT run FROM runs WHERE ended_at IS NULL AND cancel_requested AND worker = ?",
        (worker,),
    )
    return [RunId(run) for (run,) in found]


def rows_of(connection: sqlite3.Connection, runs: Sequence[str]) -> list[Row]:
    """Return the rows of runs known by id, newest first; forgotten ones are left out."""
    listed = encode_json(runs).decode()
    return _select(
        connection, "r.run IN (SELECT value FROM json_each(?)) ORDER BY r.run DESC", (listed,)
    )


def _select(connection: sqlite3.Connection, where: str, values: Sequence[object]) -> list[Row]:
    found = connection.execute(f"SELECT {_COLUMNS}, NULL {_FROM} WHERE {where}", values)
    return [_row(columns) for columns in found]


def _row(columns: tuple[Any, ...]) -> Row:
    is_live = columns[2] == "live"
    record = RunRecord(
        run=columns[0],
        principal=columns[1],
        status="queued" if is_live else columns[2],
        request=_read_request(columns[3]),
        request_hash=columns[4],
        created_at=columns[5],
        last_event_at=columns[5] if columns[6] is None else columns[6],
        epoch=columns[7],
        worker=columns[8],
        tail=Offset(columns[9] or 0),
        first=Offset(columns[10]),
        idempotency_key=columns[11],
        ended_at=columns[12],
        attempts=_read_attempts(columns[13]),
        cancel_requested=bool(columns[14]),
        snapshot=columns[15],
    )
    return Row(record, is_live)
