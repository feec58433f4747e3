"""The embedded log: one SQLite file, one writer thread, a few readers, one process.

A commit is one row in `segments`, whatever the number of runs in it (layout: `segments.py`). Where
a run's events are is kept in memory while it lives and stored once, with its ending. The newest
events of live runs are in memory too, so that readers who follow never touch the disk. The event
loop never waits for the disk: what it shows of live runs (`tail.py`) grows after the commit.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from msgspec.structs import replace

from potok.clock import Clock, RunId, WorkerId
from potok.errors import LogLost, LogUnavailable, PotokError
from potok.events.envelope import Offset
from potok.limits import TRIM_STEPS_MAX
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
from potok.streamlog.rules import check_after, check_events_max, status_while_live
from potok.streamlog.sqlite_files import Durability, FileLock, make_folder, unusable
from potok.streamlog.sqlite_reader import Readers, read_places, read_stored
from potok.streamlog.sqlite_rebuild import Found, rebuild
from potok.streamlog.sqlite_records import (
    Row,
    find_row,
    list_abandoned,
    list_cancelled,
    list_rows,
    rows_of,
)
from potok.streamlog.sqlite_runs import (
    Created,
    TrimStep,
    create_run,
    end_lost,
    find_started,
    forget_run,
    keep_run,
    put_attempt,
    release_lease,
    renew_lease,
    request_cancel,
    take_over,
    trim_step,
)
from potok.streamlog.sqlite_writer import Stored, Writer
from potok.streamlog.tail import Tails, VisibleRun
from potok.streamlog.threads import Threads
from potok.streamlog.wakeups import Wakeups

__all__ = ["SqliteLog"]

T = TypeVar("T")


class SqliteLog:
    """A `StreamLog` in one file. It serves one process: a second one is refused at `open`.

    `open` makes the folder of `path`. With `durability` `normal`, what was acknowledged outlives
    the death of the process; with `full` also the loss of power: each commit waits for the disk.
    """

    def __init__(
        self, path: str | Path, *, clock: Clock, durability: Durability = "normal"
    ) -> None:
        self._path = Path(path)
        self._clock = clock
        self._durability = durability
        self._tails = Tails()
        self._wakeups = Wakeups()
        self._bells = Bells()
        self._thread: Threads | None = None
        self._readers: Readers | None = None
        self._writer: Writer | None = None
        self._lock: FileLock | None = None
        self._closing: asyncio.Task[None] | None = None

    # opening and closing

    async def open(self) -> None:
        """Take the file, bring its schema up to date and find the runs that are live.

        Raises:
            DataFolderInUse: another process, or another log of this one, has the file.
            DataFolderUnusable: no folder can be made there, or the file is no log, or damaged.
            DatabaseNewer: a newer Potok wrote it; nothing was changed.
        """
        if self._thread is not None:
            return
        if self._closing is not None:
            await asyncio.shield(self._closing)
        thread = Threads(1, name="potok-log-writer")
        try:
            found = await thread.call(self._open)
        except BaseException:
            # Whatever `_open` took, also if the caller gave up while it was at work.
            await thread.call(self._release)
            await thread.stop()
            raise
        for one in found:
            self._show(one)
        self._thread, self._readers = thread, Readers(self._path)

    async def close(self) -> None:
        """Finish what was begun, send waiting readers away, release the file."""
        if self._thread is not None and self._readers is not None:
            self._closing = asyncio.create_task(self._close(self._thread, self._readers))
            self._thread = self._readers = None
        if self._closing is not None:
            # A caller that gives up must not leave the file half released.
            await asyncio.shield(self._closing)

    async def _close(self, thread: Threads, readers: Readers) -> None:
        self._wakeups.close()
        self._bells.ring_all()
        await readers.close()
        await thread.call(self._release)
        await thread.stop()
        self._tails.clear()

    def _open(self) -> list[Found]:
        make_folder(self._path)
        try:
            self._lock = FileLock(self._path)
            self._writer = Writer(self._path, clock=self._clock, durability=self._durability)
            return rebuild(self._writer)
        except (OSError, sqlite3.Error, LogLost) as error:
            raise unusable(self._path, error) from error

    def _release(self) -> None:
        if self._writer is not None:
            self._writer.close()
        if self._lock is not None:
            self._lock.release()
        self._writer = self._lock = None

    # runs

    async def now(self) -> float:
        return self._clock.now()

    async def find_started(
        self, principal: str, key: str, *, request_hash: str
    ) -> RunRecord | None:
        now = self._clock.now()
        row = await self._read(
            lambda reader: find_started(reader, principal, key, request_hash=request_hash, now=now)
        )
        return None if row is None else await self._record(row)

    async def create_run(self, new: NewRun) -> tuple[RunRecord, bool]:
        def show(created: Created) -> None:
            if created.live is not None:
                self._show(
                    Found(new.run, new.principal, created.live, created.row.record.created_at)
                )

        created = await self._write(lambda writer: create_run(writer, new), then=show)
        return await self._record(created.row), created.live is not None

    async def read_run(self, run: str) -> RunRecord:
        return await self._record(await self._read(lambda reader: find_row(reader, run)))

    async def list_runs(
        self,
        *,
        principal: str,
        before: RunId | None = None,
        status: RunStatus | None = None,
        items_max: int,
    ) -> list[RunRecord]:
        if status is None or status not in ("queued", "running"):
            rows = await self._read(
                lambda reader: list_rows(
                    reader, principal=principal, before=before, status=status, items_max=items_max
                )
            )
        else:
            # Only memory knows which live runs have events.
            runs = [
                run
                for run, visible in self._tails.live.items()
                if visible.principal == principal
                and status_while_live(visible.tail) == status
                and (before is None or run < before)
            ]
            runs = sorted(runs, reverse=True)[:items_max]
            rows = await self._read(lambda reader: rows_of(reader, runs))
        records = await self._records(rows)
        return [record for record in records if status is None or record.status == status]

    async def put_attempt(self, run: RunId, *, epoch: int, attempt: Attempt) -> None:
        await self._write(lambda writer: put_attempt(writer, run, epoch=epoch, attempt=attempt))

    async def request_cancel(self, run: RunId) -> RunRecord:
        record = await self._record(await self._write(lambda writer: request_cancel(writer, run)))
        self._bells.ring(record.worker)
        return record

    async def wait_cancels(self, worker: WorkerId, *, seconds: float) -> list[RunId]:
        await self._bells.wait(worker, seconds=seconds)
        return await self._read(lambda reader: list_cancelled(reader, worker=worker))

    async def keep_run(self, run: RunId) -> None:
        await self._write(lambda writer: keep_run(writer, run))

    async def end_lost(self, run: RunId, *, epoch: int, ending: Ending) -> None:
        await self._write(lambda writer: end_lost(writer, run, epoch=epoch, ending=ending))
        self._tails.live.pop(run, None)
        self._wakeups.end(run)

    # events

    async def append(self, batches: Sequence[Batch]) -> list[Appended | PotokError]:
        answers = await self._write(lambda writer: writer.commit(batches), then=self._show_events)
        return [one.appended if isinstance(one, Stored) else one for one in answers]

    async def read(self, run: str, *, after: Offset, events_max: int) -> Page:
        check_events_max(events_max)
        visible = self._tails.find(run)
        if visible is not None:
            tail, is_ended = visible.tail, visible.is_ended
            # Runs in memory have all their events: retention drops them from it first.
            check_after(run, after, tail=tail, first=Offset(1))
            events = visible.recent.after(after, events_max=events_max)
            if events is not None:
                return Page(events, tail, is_ended and after + len(events) == tail)
            places = visible.index.places(after, tail=tail, events_max=events_max)
            try:
                events = await self._read(
                    lambda reader: read_places(
                        reader, run, places, after=after, events_max=events_max
                    )
                )
                return Page(events, tail, is_ended and after + len(events) == tail)
            except LogLost:
                if run in self._tails.live:
                    raise
                # Retention may have taken them meanwhile: the row says.
        return await self._read(
            lambda reader: read_stored(reader, run, after=after, events_max=events_max)
        )

    async def wait_beyond(self, run: RunId, after: Offset, *, seconds: float) -> bool:
        visible = self._tails.find(run)
        if visible is None:
            # Ended a while ago, or unknown: the row says all there will ever be.
            return (await self.read_run(run)).tail > after
        if visible.is_ended:
            return visible.tail > after
        return await self._wakeups.wait_beyond(run, after, tail=visible.tail, seconds=seconds)

    # leases and retention

    async def renew_lease(self, worker: WorkerId, *, seconds: float) -> None:
        await self._write(lambda writer: renew_lease(writer, worker, seconds=seconds))

    async def release_lease(self, worker: WorkerId) -> None:
        await self._write(lambda writer: release_lease(writer, worker))

    async def list_abandoned(self, *, items_max: int) -> list[RunRecord]:
        now = self._clock.now()
        rows = await self._read(lambda reader: list_abandoned(reader, now=now, items_max=items_max))
        return [record for record in await self._records(rows) if record.is_live]

    async def take_over(self, run: RunId, *, worker: WorkerId, epoch: int) -> RunRecord:
        return await self._record(
            await self._write(lambda writer: take_over(writer, run, worker=worker, epoch=epoch))
        )

    async def forget_run(self, run: RunId) -> bool:
        step = await self._write(lambda writer: forget_run(writer, run), then=self._forget_trimmed)
        return step.records > 0

    async def trim(self, *, events_before: float, records_before: float) -> Trimmed:
        """Trim in steps, each a short transaction, so that commits go on between them.

        One call does at most `limits.TRIM_STEPS_MAX` steps; what is left waits for the next. The
        file keeps its size: the freed pages take the next segments.
        """
        events_of = records = 0
        for _ in range(TRIM_STEPS_MAX):
            step = await self._write(
                lambda writer: trim_step(
                    writer, events_before=events_before, records_before=records_before
                ),
                then=self._forget_trimmed,
            )
            events_of += len(step.events_of)
            records += step.records
            if step.is_done:
                break
        return Trimmed(events_of, records)

    # the two halves

    async def _write(
        self, command: Callable[[Writer], T], then: Callable[[T], None] | None = None
    ) -> T:
        thread = self._thread
        if thread is None:
            raise _closed()
        return await thread.call(lambda: self._guarded(command), then)

    def _guarded(self, command: Callable[[Writer], T]) -> T:
        assert self._writer is not None
        try:
            return command(self._writer)
        except (sqlite3.ProgrammingError, sqlite3.IntegrityError):
            raise
        except sqlite3.DatabaseError as error:
            raise LogUnavailable(
                f"The event log could not be written ({error}). Nothing that was shown is lost."
                f" Look at the disk of {self._path.parent}: its free space and its errors."
            ) from error

    async def _read(self, job: Callable[[sqlite3.Connection], T]) -> T:
        if self._readers is None:
            raise _closed()
        return await self._readers.run(job)

    # what may be shown

    def _show(self, found: Found) -> None:
        self._tails.live[found.run] = VisibleRun(
            principal=found.principal,
            tail=found.live.tail,
            last_event_at=found.last_event_at,
            index=found.live.index,
        )

    def _show_events(self, answers: list[Stored | PotokError]) -> None:
        for one in answers:
            if isinstance(one, Stored):
                run = one.appended.run
                self._tails.extend(run, one.events, size=one.size, is_ended=one.is_ended)
                self._wakeups.grew(run, one.appended.tail)

    def _forget_trimmed(self, step: TrimStep) -> None:
        for run in step.events_of:
            self._tails.forget(run)

    async def _record(self, row: Row) -> RunRecord:
        """Return a row's record; a live run's tail comes from memory."""
        run = row.record.run
        for _ in range(2):
            visible = self._tails.live.get(run)
            if not row.is_live:
                return row.record
            if visible is not None:
                return row.with_tail(visible.tail, visible.last_event_at)
            # It ended after the row was read, so that the next look says how.
            row = await self._read(lambda reader: find_row(reader, run))
        # Committed, but its creator was not told yet.
        return row.record

    async def _records(self, rows: list[Row]) -> list[RunRecord]:
        return [replace(await self._record(row), snapshot=None) for row in rows]


def _closed() -> LogUnavailable:
    return LogUnavailable("The event log is closed. Ask the server that runs now.")
