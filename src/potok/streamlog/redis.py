"""The log for many workers and machines: Redis or Valkey, version 7 or newer.

A run is a hash (its record) and a stream (its events, one packed entry per commit, named by its
first offset). Every change of a run is one Lua script on these two keys, which checks the writer's
epoch; the store's clock gives all times. What lies beside the runs is in `redis_index`.
"""

import asyncio
from collections.abc import Sequence

from msgspec.structs import replace

from potok.clock import Clock, RunId, WorkerId
from potok.errors import LogUnavailable, PotokError, RunNotFound, StaleEpoch
from potok.events.envelope import START, Offset
from potok.limits import LIST_ITEMS_MAX, READ_BYTES_MAX
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
from potok.streamlog.redis_check import Durability
from potok.streamlog.redis_connections import Address, Reply
from potok.streamlog.redis_known import KnownTails
from potok.streamlog.redis_news import Place
from potok.streamlog.redis_pages import lost, page_of
from potok.streamlog.redis_parts import Parts, lifetimes_of, open_parts
from potok.streamlog.redis_records import (
    FIELDS,
    encode_attempt,
    events_key,
    fields_of,
    record_key,
    record_of,
)
from potok.streamlog.redis_scripts import Value, script_call
from potok.streamlog.redis_upkeep import Step
from potok.streamlog.redis_writer import OwnRun, Stored
from potok.streamlog.rules import check_events_max, check_writer, is_taken
from potok.streamlog.wakeups import Wakeups

__all__ = ["RedisLog"]

_DAY_SECONDS = 24 * 3600.0


class RedisLog:
    """A `StreamLog` that any number of processes share."""

    def __init__(
        self,
        url: str,
        *,
        durability: Durability = "normal",
        events_kept_seconds: float = _DAY_SECONDS,
        records_kept_seconds: float = 30 * _DAY_SECONDS,
        clock: Clock | None = None,
    ) -> None:
        """Raises `RedisUnusable` for a URL that is none.

        Args:
            url: `redis://user:password@host:port/database`, `rediss://` or `unix://`.
            durability: `full` waits until Redis's disk, and a replica if there are some, has it.
            events_kept_seconds: After so long, and a day, Redis itself drops what `trim` did not.
            records_kept_seconds: The same for whole runs.
            clock: For tests; else the store's own clock is used.
        """
        self._address = Address(url)
        self._durability: Durability = durability
        self._clock = clock
        self._lifetimes = lifetimes_of(events_kept_seconds, records_kept_seconds)
        self._wakeups = Wakeups()
        self._bells = Bells()
        self._parts: Parts | None = None
        self._reading: dict[tuple[str, int, int], asyncio.Task[Page]] = {}
        self._known = KnownTails()

    # opening and closing

    async def open(self) -> None:
        if self._parts is None:
            self._parts = await open_parts(
                self._address,
                durability=self._durability,
                lifetimes=self._lifetimes,
                now=self._now,
                find=self._find,
                wakeups=self._wakeups,
                bells=self._bells,
            )

    async def close(self) -> None:
        parts, self._parts = self._parts, None
        if parts is not None:
            self._wakeups.close()
            self._bells.ring_all()
            await parts.close()

    def _opened(self) -> Parts:
        if self._parts is None:
            raise LogUnavailable("The event log is closed. Ask the server that runs now.")
        return self._parts

    def _now(self) -> str:
        return "" if self._clock is None else f"{self._clock.now():.6f}"

    # runs

    async def now(self) -> float:
        if self._clock is not None:
            return self._clock.now()
        seconds, micros = await self._opened().connections.call("TIME")
        return int(seconds) + int(micros) / 1e6

    async def find_started(
        self, principal: str, key: str, *, request_hash: str
    ) -> RunRecord | None:
        claims = self._opened().claims
        return await claims.find(principal, key, request_hash=request_hash, now=await self.now())

    async def create_run(self, new: NewRun) -> tuple[RunRecord, bool]:
        parts = self._opened()
        for _ in range(2):
            if new.idempotency_key is not None:
                found = await parts.claims.claim(new, new.idempotency_key)
                if found is not None:
                    return found, False
            record = await parts.starts.start(new)
            if record is not None:
                return record, True
            # Somebody else was faster, and by now the key names that run.
        raise LogUnavailable(
            "The run's start took so long that its Idempotency-Key was given to another one. Send"
            " the request again."
        )

    async def read_run(self, run: str) -> RunRecord:
        known = self._known_tail(run)
        record = await self._find(run)
        if record is None:
            raise RunNotFound(run) if known is None else lost(run, 0)
        return record

    async def _find(self, run: str) -> RunRecord | None:
        *fields, snapshot = await self._opened().connections.call(
            "HMGET", record_key(run), *FIELDS, "snapshot"
        )
        return record_of(fields, snapshot=snapshot)

    async def list_runs(
        self,
        *,
        principal: str,
        before: RunId | None = None,
        status: RunStatus | None = None,
        items_max: int,
    ) -> list[RunRecord]:
        assert items_max >= 1
        index = self._opened().index
        kind = "live" if status in ("queued", "running") else "runs"
        found: list[RunRecord] = []
        place: str | None = before
        while len(found) < items_max:
            runs = await index.listed(principal, kind, before=place, items_max=LIST_ITEMS_MAX)
            if not runs:
                break
            records = await index.records(runs)
            await index.forget(principal, [run for run in runs if run not in records])
            found += [
                record
                for run in runs
                if (record := records.get(run)) is not None
                and record.principal == principal
                and (status is None or record.status == status)
            ]
            place = runs[-1]
        return found[:items_max]

    async def put_attempt(self, run: RunId, *, epoch: int, attempt: Attempt) -> None:
        line = encode_attempt(attempt)
        answer = await self._opened().connections.repeat(
            lambda again: script_call("put_attempt", (record_key(run),), epoch, line, int(again))
        )
        self._check(answer, run, epoch)

    async def request_cancel(self, run: RunId) -> RunRecord:
        answer = await self._mark(run, "cancel")
        if answer[1] == b"" and answer[2] is not None:
            worker = answer[2].decode()
            await self._opened().index.ask_to_end(worker, run)
            self._bells.ring(worker)
        return await self.read_run(run)

    async def wait_cancels(self, worker: WorkerId, *, seconds: float) -> list[RunId]:
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        while True:
            await self._bells.wait(worker, seconds=until - loop.time())
            # A bell also rings when news may have been lost: usually there were none.
            runs = await self._opened().index.asked_to_end(worker)
            if runs or loop.time() >= until:
                return runs

    async def keep_run(self, run: RunId) -> None:
        await self._mark(run, "keep")

    async def _mark(self, run: RunId, flag: str) -> Reply:
        answer = await self._call("mark", run, flag)
        self._check(answer, run, 0)
        return answer

    async def end_lost(self, run: RunId, *, epoch: int, ending: Ending) -> None:
        parts = self._opened()
        own = parts.writer.own.get(run)
        record = await self.read_run(run) if own is None else own.record
        tail = record.tail if own is None else own.tail
        answer = await parts.connections.call(
            *script_call(
                "end_lost",
                (record_key(run), events_key(run)),
                *(self._now(), epoch, self._lifetimes.record_ms, ending.status, ending.snapshot),
                *(tail, "worker", record.worker or "", *fields_of(record)),
            )
        )
        self._check(answer, run, epoch)
        parts.writer.own.pop(run, None)
        self._known.saw(run, 0, is_live=False)
        parts.news.tell(run, tail, Place.LOST)
        ended = replace(record, status=ending.status, ended_at=float(answer[1]))
        await parts.upkeep.do_or_leave(lambda: parts.index.file_ended(ended))
        await parts.upkeep.do_or_leave(lambda: parts.index.add_to_lists(ended))

    # events

    async def append(self, batches: Sequence[Batch]) -> list[Appended | PotokError]:
        parts = self._opened()
        owns = [parts.writer.own.get(batch.run) for batch in batches]
        answers = await parts.writer.commit(batches)
        for batch, own, answer in zip(batches, owns, answers, strict=True):
            if not isinstance(answer, Stored):
                continue
            appended = answer.appended
            parts.news.tell(
                batch.run, appended.tail, Place.ENDED if answer.is_ended else Place.LIVE
            )
            self._known.saw(batch.run, appended.tail, is_live=not answer.is_ended)
            if answer.is_ended:
                await parts.upkeep.do_or_leave(self._filing(parts, own, answer))
            elif answer.is_cancelled and own is not None:
                # The flag came with the answer, whatever became of its message.
                self._bells.ring(own.worker)
        return [one.appended if isinstance(one, Stored) else one for one in answers]

    async def read(self, run: str, *, after: Offset, events_max: int) -> Page:
        check_events_max(events_max)
        own = self._opened().writer.own.get(run)
        if own is not None and START <= after < own.tail:
            events = own.recent.after(after, events_max=events_max)
            if events:
                return Page(events, own.tail, False)
        # Readers who follow the same run ask for the same page at the same time.
        key = (run, after, events_max)
        task = self._reading.get(key)
        if task is None:
            task = asyncio.create_task(self._read(run, after, events_max), name="potok-redis-read")
            self._reading[key] = task
            task.add_done_callback(lambda done: self._end_reading(key, done))
        return await asyncio.shield(task)

    def _end_reading(self, key: tuple[str, int, int], task: asyncio.Task[Page]) -> None:
        del self._reading[key]
        if not task.cancelled():
            # Whoever wanted it may be gone: an error that nobody hears is no fault.
            task.exception()

    async def _read(self, run: str, after: Offset, events_max: int) -> Page:
        known = self._known_tail(run)
        reply = await self._opened().connections.call(
            *script_call(
                "read",
                (record_key(run), events_key(run)),
                *(self._now(), after, events_max, READ_BYTES_MAX),
            )
        )
        if known is not None and (reply[0] == b"missing" or reply[1] < known):
            raise lost(run, 0 if reply[0] == b"missing" else reply[1])
        page = page_of(run, reply, after=after, events_max=events_max)
        self._known.saw(run, page.tail, is_live=reply[3] == b"")
        return page

    async def wait_beyond(self, run: RunId, after: Offset, *, seconds: float) -> bool:
        known = self._known_tail(run)
        try:
            followed = await self._opened().news.follow(run)
        except RunNotFound:
            # A lost one is worth another read, which says so.
            if known is None:
                raise
            return True
        if followed.is_ended:
            return followed.tail > after
        return await self._wakeups.wait_beyond(run, after, tail=followed.tail, seconds=seconds)

    # leases and retention

    async def renew_lease(self, worker: WorkerId, *, seconds: float) -> None:
        parts = self._opened()
        listed = await parts.index.renew(worker, seconds=seconds, now=self._now())
        loop_now = asyncio.get_running_loop().time()
        await parts.upkeep.beat(worker, listed=listed, loop_now=loop_now)

    async def release_lease(self, worker: WorkerId) -> None:
        await self._opened().index.release(worker)

    async def list_abandoned(self, *, items_max: int) -> list[RunRecord]:
        assert items_max >= 1
        return await self._opened().index.abandoned(now=self._now(), items_max=items_max)

    async def take_over(self, run: RunId, *, worker: WorkerId, epoch: int) -> RunRecord:
        parts = self._opened()
        seen = await self.read_run(run)
        is_again = is_taken(seen, worker=worker, epoch=epoch)
        if not is_again:
            leases = await parts.index.leases(now=self._now())
            is_abandoned = seen.is_live and seen.worker not in leases.living
            check_writer(run, epoch=epoch, current=seen.epoch, is_live=is_abandoned)
        await parts.index.enlist(worker, [run], now=self._now())
        answer = await parts.connections.repeat(
            lambda again: script_call(
                "take_over",
                (record_key(run),),
                *(epoch, seen.worker or "", worker, int(again or is_again)),
            )
        )
        try:
            self._check(answer, run, epoch)
        except PotokError:
            await parts.index.strike(worker, run)
            raise
        if seen.worker is not None and seen.worker != worker:
            before = seen.worker
            await parts.upkeep.do_or_leave(lambda: parts.index.strike(before, run))
        record = await self.read_run(run)
        parts.writer.own[run] = OwnRun(record, worker=worker)
        return record

    async def forget_run(self, run: RunId) -> bool:
        return await self._opened().upkeep.forget(run)

    async def trim(self, *, events_before: float, records_before: float) -> Trimmed:
        return await self._opened().upkeep.trim(
            events_before=events_before, records_before=records_before
        )

    # small steps

    async def _call(self, name: str, run: str, *arguments: Value) -> Reply:
        call = script_call(name, (record_key(run),), *arguments)
        return await self._opened().connections.call(*call)

    def _check(self, answer: Reply, run: str, epoch: int) -> None:
        if answer[0] == b"missing":
            raise RunNotFound(run) if self._known_tail(run) is None else lost(run, 0)
        if answer[0] == b"stale":
            raise StaleEpoch(run=run, epoch=epoch, current=int(answer[1]))

    def _filing(self, parts: Parts, own: OwnRun | None, stored: Stored) -> Step:
        run, at = stored.appended.run, stored.appended.at

        async def file() -> None:
            record = own.record if own is not None else await self.read_run(run)
            await parts.index.file_ended(replace(record, ended_at=at))

        return file

    def _known_tail(self, run: str) -> int | None:
        """Return how far this process knows a live run to be; None if it knows nothing of it."""
        own = self._opened().writer.own.get(run)
        return self._known.get(run) if own is None else own.tail
