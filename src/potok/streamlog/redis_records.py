"""The names of Redis's keys, and runs' records as Redis holds them. Pure.

Keys that one script touches have one hash tag, so that they lie together in a cluster: a run's
record and events (`{<run>}`), the workers and what they make (`{workers}`), a principal's lists, a
key of idempotency. What spans two tags is done in two steps; see `redis_index`.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import cast

import msgspec

from potok.clock import RunId, WorkerId
from potok.events.envelope import START, Offset
from potok.events.run_request import RunRequest
from potok.streamlog.contract import Attempt, NewRun, RunRecord, RunStatus
from potok.streamlog.rules import status_while_live

__all__ = [
    "ENDED_EVENTS",
    "ENDED_RECORDS",
    "FIELDS",
    "FORMAT",
    "LEASES",
    "cancels_channel",
    "cancels_key",
    "claim_key",
    "encode_attempt",
    "events_key",
    "fields_of",
    "grew_channel",
    "made_by_key",
    "new_record",
    "principal_key",
    "record_key",
    "record_of",
]

LEASES = "potok:{workers}:leases"
"""Workers, sorted by the time until which they count as alive; 0 for none."""
ENDED_EVENTS = "potok:{workers}:ended:events"
ENDED_RECORDS = "potok:{workers}:ended:records"
"""Runs that have ended, by that time: those with events, those with records."""
FORMAT = "potok:{workers}:format"
"""The version of this layout; a newer one is not touched."""

_encode = msgspec.json.Encoder().encode
_read_request = msgspec.json.Decoder(RunRequest).decode
_read_attempt = msgspec.json.Decoder(Attempt).decode

FIELDS = (
    *("run", "principal", "status", "request", "hash", "created", "at", "epoch", "worker", "tail"),
    *("first", "key", "ended", "attempts", "cancel", "keep"),
)
"""A record's fields without the snapshot, in the order in which lists ask for them."""


def record_key(run: str) -> str:
    """Return the key of a run's record, a hash."""
    return f"potok:{{{run}}}:run"


def events_key(run: str) -> str:
    """Return the key of a run's events, a stream with an entry per commit, named by its offset."""
    return f"potok:{{{run}}}:events"


def made_by_key(worker: str) -> str:
    """Return the key of the runs that a worker makes, by the time of their enlisting."""
    return f"potok:{{workers}}:runs:{worker}"


def cancels_key(worker: str) -> str:
    """Return the key of the worker's runs that shall end."""
    return f"potok:{{workers}}:cancels:{worker}"


def grew_channel(database: int) -> str:
    """Return the channel of a line `<run> <tail> <place>` for each run that a commit changed."""
    # Channels, unlike keys, know no databases.
    return f"potok:{database}:grew"


def cancels_channel(database: int) -> str:
    """Return the channel of the worker that shall look for runs to end."""
    return f"potok:{database}:cancels"


def principal_key(principal: str, kind: str) -> str:
    """Return the key of a principal's runs; `kind` is `runs` or `live`."""
    return f"potok:{{p:{_digest(principal)}}}:{kind}"


def claim_key(principal: str, key: str) -> str:
    """Return the key under which an idempotency key names its run."""
    # A length before the first part: no two pairs give one text.
    return f"potok:{{k:{_digest(f'{len(principal)}:{principal}{key}')}}}:run"


def _digest(text: str) -> str:
    # Principals and keys are other people's texts: any letters, any length.
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:40]


def new_record(new: NewRun, *, at: float) -> RunRecord:
    """Return the record of a run that was just stored."""
    return RunRecord(
        run=new.run,
        principal=new.principal,
        status="queued",
        request=new.request,
        request_hash=new.request_hash,
        created_at=at,
        last_event_at=at,
        epoch=1,
        worker=new.worker,
        tail=START,
        idempotency_key=new.idempotency_key,
    )


def fields_of(new: NewRun | RunRecord) -> list[str | bytes]:
    """Return what a new run's record holds beside what the script puts there."""
    fields: list[str | bytes] = [
        *("run", new.run, "principal", new.principal),
        *("request", _encode(new.request), "hash", new.request_hash),
    ]
    if new.idempotency_key is not None:
        fields += ("key", new.idempotency_key)
    return fields


def encode_attempt(attempt: Attempt) -> bytes:
    """Return an attempt as one line of JSON."""
    return _encode(attempt)


def record_of(values: Sequence[bytes | None], *, snapshot: bytes | None = None) -> RunRecord | None:
    """Read a record from its `FIELDS`; None if there is none."""
    found: Mapping[str, bytes | None] = dict(zip(FIELDS, values, strict=True))
    text = {name: "" if value is None else value.decode() for name, value in found.items()}
    if found["created"] is None or found["run"] is None:
        return None
    tail = Offset(int(text["tail"]))
    request = _read_request(found["request"] or b"{}")
    if found["keep"] is not None:
        request = msgspec.structs.replace(request, on_disconnect="keep")
    return RunRecord(
        run=RunId(text["run"]),
        principal=text["principal"],
        status=cast(RunStatus, text["status"] or status_while_live(tail)),
        request=request,
        request_hash=text["hash"],
        created_at=float(text["created"]),
        last_event_at=float(text["at"]),
        epoch=int(text["epoch"]),
        worker=WorkerId(text["worker"]) if found["worker"] is not None else None,
        tail=tail,
        first=Offset(int(text["first"])),
        idempotency_key=text["key"] if found["key"] is not None else None,
        ended_at=float(text["ended"]) if found["ended"] is not None else None,
        attempts=tuple(
            _read_attempt(line) for line in (found["attempts"] or b"").split(b"\n") if line
        ),
        cancel_requested=found["cancel"] is not None,
        snapshot=snapshot,
    )
