"""What every backend decides alike: who may write, which offsets can be read, which keys count.

Pure: facts of a run in, an answer or an error out.
"""

import msgspec

from potok.clock import WorkerId
from potok.errors import (
    GrammarViolation,
    IdempotencyConflict,
    OffsetExpired,
    OffsetInvalid,
    StaleEpoch,
)
from potok.events.envelope import Offset
from potok.events.json_form import encode_event
from potok.events.kinds import RunEnd
from potok.limits import IDEMPOTENCY_KEY_SECONDS, READ_EVENTS_MAX
from potok.streamlog.contract import Batch, RunRecord, RunStatus

__all__ = [
    "check_after",
    "check_events_max",
    "check_same_request",
    "check_writer",
    "encode_lines",
    "is_key_fresh",
    "is_lease_valid",
    "is_taken",
    "status_while_live",
]


_UNENCODABLE = (TypeError, ValueError, OverflowError, RecursionError, msgspec.MsgspecError)


def check_writer(run: str, *, epoch: int, current: int, is_live: bool) -> None:
    """Raise `StaleEpoch` unless `epoch` may still write to the run."""
    if epoch != current or not is_live:
        raise StaleEpoch(run=run, epoch=epoch, current=current)


def is_taken(record: RunRecord, *, worker: WorkerId, epoch: int) -> bool:
    """Whether a take-over is asked for again that was done, and perhaps not heard of."""
    return record.is_live and record.worker == worker and record.epoch == epoch + 1


def encode_lines(batch: Batch) -> list[bytes]:
    """Return a batch's events as JSON lines.

    Raises:
        GrammarViolation: no events, an ending without its `run-end` or the other way round, or an
            event that JSON cannot carry (half a surrogate pair, an object of the caller's own).
    """
    if not batch.events:
        raise GrammarViolation(f"a batch of run {batch.run} holds no events")
    ends = [event for event in batch.events if type(event) is RunEnd]
    if len(ends) > 1 or (ends and ends[0] is not batch.events[-1]):
        raise GrammarViolation(f"run {batch.run}: run-end comes once, as the last event")
    if bool(ends) != (batch.ending is not None):
        raise GrammarViolation(f"run {batch.run}: run-end and its ending are stored together")
    try:
        return [encode_event(event) for event in batch.events]
    except _UNENCODABLE as error:
        raise GrammarViolation(f"an event of run {batch.run} is no JSON: {error}") from error


def check_after(run: str, after: Offset, *, tail: Offset, first: Offset) -> None:
    """Raise `OffsetInvalid` or `OffsetExpired` unless what follows `after` can be read."""
    if after < 0:
        raise OffsetInvalid(str(after), why="offsets start at 0")
    if after > tail:
        raise OffsetInvalid(str(after), why=f"the newest offset of this run is {tail}")
    if after + 1 < first:
        raise OffsetExpired(run=run, wanted=after, first=first)


def check_events_max(events_max: int) -> None:
    """Refuse a page size that the caller should have bounded."""
    assert 1 <= events_max <= READ_EVENTS_MAX, f"a page of {events_max} events"


def is_key_fresh(used_at: float, *, now: float) -> bool:
    """Whether an idempotency key first used at `used_at` still finds its run."""
    return now - used_at < IDEMPOTENCY_KEY_SECONDS


def check_same_request(key: str, *, run: str, stored_hash: str, request_hash: str) -> None:
    """Raise `IdempotencyConflict` if the key started its run with another request."""
    if stored_hash != request_hash:
        raise IdempotencyConflict(key, run=run)


def is_lease_valid(lease_until: float | None, *, now: float) -> bool:
    """Whether a worker with this lease is alive; None is a worker that has none."""
    return lease_until is not None and lease_until > now


def status_while_live(tail: Offset) -> RunStatus:
    """Return the status of a run that has not ended: queued until its first event is stored."""
    return "running" if tail else "queued"
