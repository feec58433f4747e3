"""Schema 1: runs beside their large parts, segments of events, leases of workers.

A live run's `status` is `live`: whether it is queued or running, its tail and its newest event's
time follow from the segments, so that a commit of events changes no row. They are written once,
with the ending. Requests, endings and places have tables of their own, because SQLite rewrites a
whole row to change one column of it.
"""

__all__ = ["STATEMENTS"]

STATEMENTS = (
    """
    CREATE TABLE runs (
        id INTEGER PRIMARY KEY,
        run TEXT NOT NULL UNIQUE,
        principal TEXT NOT NULL,
        status TEXT NOT NULL DEFAULT 'live'
            CHECK (status IN ('live', 'finished', 'cancelled', 'failed')),
        request_hash TEXT NOT NULL,
        idempotency_key TEXT,
        created_at REAL NOT NULL,
        worker TEXT,
        epoch INTEGER NOT NULL DEFAULT 1,
        attempts BLOB NOT NULL DEFAULT '[]',
        cancel_requested INTEGER NOT NULL DEFAULT 0,
        -- The oldest segment that may hold its events; NULL once they are trimmed.
        first_segment INTEGER,
        first INTEGER NOT NULL DEFAULT 1,
        -- NULL while the run lives.
        tail INTEGER,
        last_event_at REAL,
        ended_at REAL
    )
    """,
    "CREATE INDEX runs_of_principal ON runs (principal, run)",
    "CREATE INDEX runs_live ON runs (run) WHERE ended_at IS NULL",
    "CREATE INDEX runs_ended ON runs (ended_at) WHERE ended_at IS NOT NULL",
    """
    CREATE INDEX runs_ended_with_events ON runs (ended_at)
    WHERE ended_at IS NOT NULL AND first_segment IS NOT NULL
    """,
    "CREATE INDEX runs_first_segment ON runs (first_segment) WHERE first_segment IS NOT NULL",
    # The request as JSON.
    "CREATE TABLE requests (run_id INTEGER PRIMARY KEY, request BLOB NOT NULL)",
    # The folded message as JSON.
    "CREATE TABLE endings (run_id INTEGER PRIMARY KEY, snapshot BLOB NOT NULL)",
    # Where an ended run's events are: the bytes of a `RunIndex`.
    "CREATE TABLE places (run_id INTEGER PRIMARY KEY, places BLOB NOT NULL)",
    """
    CREATE TABLE idempotency_keys (
        principal TEXT NOT NULL,
        key TEXT NOT NULL,
        run_id INTEGER NOT NULL,
        used_at REAL NOT NULL,
        PRIMARY KEY (principal, key)
    ) WITHOUT ROWID
    """,
    "CREATE INDEX idempotency_keys_of_run ON idempotency_keys (run_id)",
    "CREATE TABLE workers (id TEXT PRIMARY KEY, lease_until REAL NOT NULL) WITHOUT ROWID",
    # The layout of `blob` stands in `potok.streamlog.segments`.
    """
    CREATE TABLE segments (
        id INTEGER PRIMARY KEY, at REAL NOT NULL, format INTEGER NOT NULL, blob BLOB NOT NULL
    )
    """,
)
