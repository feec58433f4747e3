"""The reference backend: the promise made runnable in plain dicts; it ends with its process."""

from collections.abc import Sequence

import msgspec
from msgspec.structs import replace

from potok.clock import Clock, RunId, WorkerId
from potok.errors import LogLost, OurBug, PotokError, RunNotFound
from potok.events.envelope import START, Offset, StoredEvent
from potok.limits import READ_BYTES_MAX
from potok.streamlog.cancels import Bells
from potok.streamlog.contract import (
    Appended,
    Attempt,
    Batch,
    Ending,
    NewRun,
    Page,
    RunRecord,
    RunStatus,
    Trimmed,
)
from potok.streamlog.rules import (
    check_after,
    check_events_max,
    check_same_request,
    check_writer,
    encode_lines,
    is_key_fresh,
    is_lease_valid,
    is_taken,
    status_while_live,
)
from potok.streamlog.wakeups import Wakeups

__all__ = ["MemoryLog"]


class _Run(msgspec.Struct):
    """A run's record, and its kept events with their bytes as JSON, from `record.first` on."""

    record: RunRecord
    events: list[StoredEvent]
    sizes: list[int]
    is_lost: bool = False


class MemoryLog:
    """A `StreamLog` for tests and trials: every step is done before its call returns.

    `close` sends waiting readers away and keeps the runs, so that a test can open it again as
    another process would open a file. Its leases stay as they are then.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._runs: dict[str, _Run] = {}
        self._keys: dict[tuple[str, str], str] = {}
        self._leases: dict[str, float] = {}
        self._wakeups = Wakeups()
        self._bells = Bells()

    async def open(self) -> None:
        return None

    async def close(self) -> None:
        self._wakeups.close()
        self._bells.ring_all()

    async def now(self) -> float:
        return self._clock.now()

    async def find_started(
        self, principal: str, key: str, *, request_hash: str
    ) -> RunRecord | None:
        found = self._runs.get(self._keys.get((principal, key), ""))
        if found is None or not is_key_fresh(found.record.created_at, now=self._clock.now()):
            return None
        stored = found.record
        check_same_request(
            key, run=stored.run, stored_hash=stored.request_hash, request_hash=request_hash
        )
        return stored

    async def create_run(self, new: NewRun) -> tuple[RunRecord, bool]:
        now = self._clock.now()
        if new.idempotency_key is not None:
            found = await self.find_started(
                new.principal, new.idempotency_key, request_hash=new.request_hash
            )
            if found is not None:
                return found, False
        if new.run in self._runs:
            raise OurBug(f"run {new.run} was created before")
        if new.idempotency_key is not None:
            self._keys[(new.principal, new.idempotency_key)] = new.run
        record = RunRecord(
            run=new.run,
            principal=new.principal,
            status="queued",
            request=new.request,
            request_hash=new.request_hash,
            created_at=now,
            last_event_at=now,
            epoch=1,
            worker=new.worker,
            tail=START,
            idempotency_key=new.idempotency_key,
        )
        self._runs[new.run] = _Run(record, [], [])
        return record, True

    async def read_run(self, run: str) -> RunRecord:
        return self._find(run).record

    async def list_runs(
        self,
        *,
        principal: str,
        before: RunId | None = None,
        status: RunStatus | None = None,
        items_max: int,
    ) -> list[RunRecord]:
        assert items_max >= 1
        found = [
            replace(one.record, snapshot=None)
            for run, one in sorted(self._runs.items(), reverse=True)
            if one.record.principal == principal
            and (before is None or run < before)
            and (status is None or one.record.status == status)
        ]
        return found[:items_max]

    async def put_attempt(self, run: RunId, *, epoch: int, attempt: Attempt) -> None:
        one = self._find(run)
        self._check_writer(one.record, epoch)
        one.record = replace(one.record, attempts=(*one.record.attempts, attempt))

    async def request_cancel(self, run: RunId) -> RunRecord:
        one = self._find(run)
        if one.record.is_live:
            one.record = replace(one.record, cancel_requested=True)
            self._bells.ring(one.record.worker)
        return one.record

    async def wait_cancels(self, worker: WorkerId, *, seconds: float) -> list[RunId]:
        await self._bells.wait(worker, seconds=seconds)
        records = (one.record for one in self._runs.values())
        return [
            record.run
            for record in records
            if record.is_live and record.cancel_requested and record.worker == worker
        ]

    async def keep_run(self, run: RunId) -> None:
        one = self._find(run)
        if one.record.is_live:
            request = replace(one.record.request, on_disconnect="keep")
            one.record = replace(one.record, request=request)

    async def end_lost(self, run: RunId, *, epoch: int, ending: Ending) -> None:
        one = self._find(run)
        self._check_writer(one.record, epoch)
        one.record = replace(
            one.record,
            status=ending.status,
            snapshot=ending.snapshot,
            ended_at=self._clock.now(),
        )
        one.events, one.sizes, one.is_lost = [], [], True
        self._wakeups.end(run)

    async def append(self, batches: Sequence[Batch]) -> list[Appended | PotokError]:
        at = self._clock.now()
        return [self._append(batch, at) for batch in batches]

    def _append(self, batch: Batch, at: float) -> Appended | PotokError:
        try:
            one = self._find(batch.run)
            self._check_writer(one.record, batch.epoch)
            lines = encode_lines(batch)
        except PotokError as refusal:
            return refusal
        first = one.record.tail + 1
        one.events += [
            StoredEvent(Offset(offset), event, at)
            for offset, event in enumerate(batch.events, first)
        ]
        one.sizes += map(len, lines)
        tail = Offset(one.record.tail + len(lines))
        one.record = replace(
            one.record, tail=tail, last_event_at=at, status=status_while_live(tail)
        )
        if batch.ending is not None:
            one.record = replace(
                one.record,
                status=batch.ending.status,
                snapshot=batch.ending.snapshot,
                ended_at=at,
            )
        self._wakeups.grew(batch.run, tail)
        return Appended(batch.run, tail, at)

    async def read(self, run: str, *, after: Offset, events_max: int) -> Page:
        check_events_max(events_max)
        one = self._find(run)
        record = one.record
        if one.is_lost:
            raise LogLost(f"The log lost the events of run {run}.")
        check_after(run, after, tail=record.tail, first=record.first)
        start = after + 1 - record.first
        end, size = start, 0
        while end < len(one.events) and end - start < events_max:
            size += one.sizes[end]
            if end > start and size > READ_BYTES_MAX:
                break
            end += 1
        is_whole = after + end - start == record.tail
        return Page(one.events[start:end], record.tail, is_whole and not record.is_live)

    async def wait_beyond(self, run: RunId, after: Offset, *, seconds: float) -> bool:
        record = self._find(run).record
        if not record.is_live:
            return record.tail > after
        return await self._wakeups.wait_beyond(run, after, tail=record.tail, seconds=seconds)

    async def renew_lease(self, worker: WorkerId, *, seconds: float) -> None:
        self._leases[worker] = self._clock.now() + seconds

    async def release_lease(self, worker: WorkerId) -> None:
        self._leases.pop(worker, None)

    async def list_abandoned(self, *, items_max: int) -> list[RunRecord]:
        assert items_max >= 1
        found = [
            one.record
            for _, one in sorted(self._runs.items())
            if one.record.is_live and not self._is_worker_alive(one.record)
        ]
        return found[:items_max]

    async def take_over(self, run: RunId, *, worker: WorkerId, epoch: int) -> RunRecord:
        one = self._find(run)
        if is_taken(one.record, worker=worker, epoch=epoch):
            return one.record
        self._check_writer(one.record, epoch)
        check_writer(
            run,
            epoch=epoch,
            current=one.record.epoch,
            is_live=not self._is_worker_alive(one.record),
        )
        one.record = replace(one.record, epoch=epoch + 1, worker=worker)
        return one.record

    async def forget_run(self, run: RunId) -> bool:
        is_ended = not self._find(run).record.is_live
        if is_ended:
            del self._runs[run]
        return is_ended

    async def trim(self, *, events_before: float, records_before: float) -> Trimmed:
        """Trim everything that is due: in memory that is one short step."""
        events_of = records = 0
        for run, one in list(self._runs.items()):
            ended_at = one.record.ended_at
            if ended_at is None:
                continue
            if ended_at < max(events_before, records_before) and one.events:
                events_of += 1
                one.events, one.sizes = [], []
                one.record = replace(one.record, first=Offset(one.record.tail + 1))
            if ended_at < records_before:
                records += 1
                del self._runs[run]
        return Trimmed(events_of, records)

    def _find(self, run: str) -> _Run:
        found = self._runs.get(run)
        if found is None:
            raise RunNotFound(run)
        return found

    def _check_writer(self, record: RunRecord, epoch: int) -> None:
        check_writer(record.run, epoch=epoch, current=record.epoch, is_live=record.is_live)

    def _is_worker_alive(self, record: RunRecord) -> bool:
        lease = None if record.worker is None else self._leases.get(record.worker)
        return is_lease_valid(lease, now=self._clock.now())
