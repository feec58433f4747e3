"""The promise that every log backend makes: order, durability, fencing, leases, retention.

An event is *stored* when `append` has returned; only then may anyone see it (P1). Every backend
passes the suite in `potok.testing.streamlog_suite`.
"""

from collections.abc import Sequence
from typing import Literal, Protocol

import msgspec

from potok.clock import RunId, WorkerId
from potok.errors import PotokError
from potok.events.envelope import Offset, StoredEvent
from potok.events.kinds import Event
from potok.events.run_request import RunRequest

__all__ = [
    "HANDED_OVER",
    "Appended",
    "Attempt",
    "Batch",
    "Ending",
    "NewRun",
    "Page",
    "RunRecord",
    "RunStatus",
    "StreamLog",
    "Trimmed",
]

RunStatus = Literal["queued", "running", "finished", "cancelled", "failed"]
"""A run leaves `queued` with its first stored event, and `running` never for `queued`. The other
three are final; whoever writes to such a run is refused with `StaleEpoch`."""


HANDED_OVER = "handed_over"


class Attempt(msgspec.Struct, frozen=True, omit_defaults=True):
    """One try to make the answer, stored before its upstream is called."""

    number: int
    worker: WorkerId
    at: float
    reason: str
    """`start`, or why the attempt before it ended: `worker_lost`, `upstream_lost`, ...

    `HANDED_OVER` is none: it says that the worker of the one of this number gave the run away.
    """
    model: str | None = None


class NewRun(msgspec.Struct, frozen=True):
    """What `create_run` stores."""

    run: RunId
    principal: str
    request: RunRequest
    request_hash: str
    worker: WorkerId
    idempotency_key: str | None = None


class RunRecord(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is known of a run beside its events.

    `queued` until its first event is stored. `worker` and `epoch` name the writer's lease; the
    epoch starts at 1 and grows with every take-over. `tail` is the newest stored offset, `first`
    the oldest kept one (tail + 1 when all are trimmed). `snapshot` is the folded message as JSON,
    there once the run has ended.
    """

    run: RunId
    principal: str
    status: RunStatus
    request: RunRequest
    request_hash: str
    created_at: float
    last_event_at: float
    epoch: int
    worker: WorkerId | None
    tail: Offset
    first: Offset = Offset(1)
    idempotency_key: str | None = None
    ended_at: float | None = None
    attempts: tuple[Attempt, ...] = ()
    cancel_requested: bool = False
    snapshot: bytes | None = None

    @property
    def is_live(self) -> bool:
        """Whether the run has not ended yet."""
        return self.status in ("queued", "running")

    @property
    def attempts_made(self) -> int:
        """How many attempts were begun; one that was stored twice counts once."""
        return len({one.number for one in self.attempts if one.reason != HANDED_OVER})

    @property
    def attempts_lost(self) -> int:
        """How many attempts were begun and not handed over: lost, but for one under way."""
        given = {one.number for one in self.attempts if one.reason == HANDED_OVER}
        return self.attempts_made - len(given)


class Ending(msgspec.Struct, frozen=True):
    """What makes a run's end final, stored in one step with its `run-end`."""

    status: Literal["finished", "cancelled", "failed"]
    snapshot: bytes


class Batch(msgspec.Struct, frozen=True):
    """Events of one run, in order, written under one epoch. `ending` if the last is `run-end`."""

    run: RunId
    epoch: int
    events: tuple[Event, ...]
    ending: Ending | None = None


class Appended(msgspec.Struct, frozen=True):
    """A batch is stored: its events have the offsets up to `tail`; `at` is the commit's time."""

    run: RunId
    tail: Offset
    at: float


class Page(msgspec.Struct, frozen=True):
    """Stored events after an offset, offsets rising by one.

    `tail` is the run's newest offset. `ended` says that the run has ended and this page reaches
    its `run-end`; an empty page that is not `ended` means "nothing yet".
    """

    events: Sequence[StoredEvent]
    tail: Offset
    ended: bool


class Trimmed(msgspec.Struct, frozen=True):
    """What retention removed: runs that lost their events, runs that were forgotten."""

    events_of: int
    records: int


class StreamLog(Protocol):
    """A durable log of runs. All times are seconds since the epoch by the store's clock."""

    async def open(self) -> None:
        """Make the store ready, migrating its schema.

        Raises:
            SetupError: the store cannot be used; the message says what to do.
        """
        ...

    async def close(self) -> None:
        """Finish writes under way and release everything; closing twice is harmless."""
        ...

    async def now(self) -> float:
        """Return the time by the store's clock, which all times here are of."""
        ...

    async def find_started(
        self, principal: str, key: str, *, request_hash: str
    ) -> RunRecord | None:
        """Return the run that the principal's idempotency key started; None if it is free.

        Raises:
            IdempotencyConflict: it started another request.
        """
        ...

    async def create_run(self, new: NewRun) -> tuple[RunRecord, bool]:
        """Store a queued run with epoch 1, or find the one that its idempotency key started.

        Returns:
            The record, and whether it is new. A key counts per principal and for
            `limits.IDEMPOTENCY_KEY_SECONDS` after it was first used.

        Raises:
            IdempotencyConflict: the key started a run with another hash.
        """
        ...

    async def read_run(self, run: str) -> RunRecord:
        """Return a run's record; raises `RunNotFound`, or `LogLost` if it is known to have been."""
        ...

    async def list_runs(
        self,
        *,
        principal: str,
        before: RunId | None = None,
        status: RunStatus | None = None,
        items_max: int,
    ) -> list[RunRecord]:
        """Return the principal's runs, newest first by run id, `before` exclusive; no snapshots."""
        ...

    async def put_attempt(self, run: RunId, *, epoch: int, attempt: Attempt) -> None:
        """Store one more attempt of a live run; raises `StaleEpoch`, `RunNotFound`."""
        ...

    async def request_cancel(self, run: RunId) -> RunRecord:
        """Store that a live run shall end; nothing changes for an ended one. Repeatable."""
        ...

    async def wait_cancels(self, worker: WorkerId, *, seconds: float) -> list[RunId]:
        """Return the worker's live runs that shall end, as soon as one more of them is to.

        Without that it answers after `seconds` with all that still live: whoever calls it again
        and again hears of every cancel, also of one whose message was lost on its way. `close`
        sends waiting callers away. Cancelling loses nothing.
        """
        ...

    async def keep_run(self, run: RunId) -> None:
        """Store that a live run goes on whoever reads it (`request.on_disconnect`); repeatable."""
        ...

    async def end_lost(self, run: RunId, *, epoch: int, ending: Ending) -> None:
        """End a live run whose events the store lost: its record and snapshot are all there is.

        Reading its events raises `LogLost` from now on. A record that was lost too is made anew
        as far as its writer knows it.

        Raises:
            StaleEpoch, RunNotFound: as for `append`.
        """
        ...

    async def append(self, batches: Sequence[Batch]) -> list[Appended | PotokError]:
        """Store batches of different runs in one commit; one answer per batch, in their order.

        A batch is refused alone, with nothing of it stored: `StaleEpoch` (its lease was taken
        over, or the run has ended), `RunNotFound`, `GrammarViolation` (no events, `ending` and a
        last `run-end` not together, an event that JSON cannot carry). A batch with `ending`
        changes the record's status in the same commit, exactly once.

        Raises:
            LogUnavailable: the commit failed. Nothing of any batch is stored, or nobody can tell:
                a run's batch given again, unchanged, is stored once.
        A batch may also be refused with `LogLost`: the store lost what it had acknowledged of the
        run, see `end_lost`.
        Cancelling leaves the batches stored or not; read the tail to know.
        """
        ...

    async def read(self, run: str, *, after: Offset, events_max: int) -> Page:
        """Return stored events that follow `after`, oldest first.

        A page is not full only because it holds fewer than `events_max`: it also ends where its
        events would be over `limits.READ_BYTES_MAX`, after one event at least. Compare with its
        tail.

        Args:
            after: Last offset already seen; `START` for none.
            events_max: 1 to `limits.READ_EVENTS_MAX`.

        Raises:
            RunNotFound: nobody ever created it, or it is forgotten.
            OffsetInvalid: `after` is beyond the tail.
            OffsetExpired: events after `after` were trimmed.
            LogLost: the store lost events of this run.
        Cancelling changes nothing; call again with the same `after`.
        """
        ...

    async def wait_beyond(self, run: RunId, after: Offset, *, seconds: float) -> bool:
        """Wait until the run's tail is beyond `after`; False after `seconds` without that.

        Returns at once if the tail is already beyond, so that no wake-up can be lost between a
        read and a wait; and False at once if the run has ended there, for it never grows again.
        `close` sends waiting callers away with False. Cancelling changes nothing.

        Raises:
            RunNotFound: nobody ever created it, or it is forgotten.
        """
        ...

    async def renew_lease(self, worker: WorkerId, *, seconds: float) -> None:
        """Keep the worker's lease, on all its runs at once, for `seconds` from now."""
        ...

    async def release_lease(self, worker: WorkerId) -> None:
        """Give the worker's lease up at once: its live runs count as abandoned."""
        ...

    async def list_abandoned(self, *, items_max: int) -> list[RunRecord]:
        """Return live runs whose worker has no lease, oldest first."""
        ...

    async def take_over(self, run: RunId, *, worker: WorkerId, epoch: int) -> RunRecord:
        """Make `worker` the writer of an abandoned run; its epoch grows by one.

        Args:
            epoch: The epoch that the caller saw; of several callers one succeeds, and the same
                call of that one again, whose answer may have been lost.

        Raises:
            StaleEpoch: somebody else took the run over, its writer is alive, or it has ended.
            RunNotFound: nobody ever created it, or it is forgotten.
        """
        ...

    async def forget_run(self, run: RunId) -> bool:
        """Remove an ended run for good: its events, its record and its idempotency key.

        From then on it cannot be told from a run that never was. False for a live run, of which
        nothing is removed. Raises `RunNotFound`.
        """
        ...

    async def trim(self, *, events_before: float, records_before: float) -> Trimmed:
        """Remove events of runs that ended before the one time, whole runs before the other.

        Live runs lose nothing, whatever their age. One call does a bounded part of the work, the
        oldest first: call it again and again.
        """
        ...
