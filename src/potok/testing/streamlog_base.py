"""What the log suite's parts share: the log under test, and short ways to write and read it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Literal

import pytest
import pytest_asyncio

from potok.clock import RunId, WorkerId
from potok.errors import PotokError
from potok.events.envelope import START, Offset, StoredEvent
from potok.events.kinds import Event, RunEnd, TextDelta
from potok.events.run_request import RunRequest
from potok.streamlog.contract import Appended, Attempt, Batch, Ending, NewRun, RunRecord, StreamLog
from potok.testing.fakes import CountingIds, FakeClock

__all__ = [
    "ANN",
    "BEN",
    "EVER",
    "LONG",
    "NOBODY",
    "OTHER_WORKER",
    "SNAPSHOT",
    "SOON",
    "WORKER",
    "LogBench",
    "Outcome",
    "attempt",
    "create",
    "end",
    "ending_batch",
    "let_others_run",
    "new_run",
    "read_rest",
    "texts",
    "texts_of",
    "write",
]

ANN, BEN = "ann", "ben"
WORKER, OTHER_WORKER = WorkerId("worker-1"), WorkerId("worker-2")
SNAPSHOT = b'{"text":"all of it"}'
NOBODY = RunId("run-that-nobody-made")
SOON = 0.001
"""Seconds after which a wait that cannot succeed gives up: the event loop's own time."""
LONG = 30.0
"""Seconds that a wait which succeeds never takes."""
EVER = 10_000_000_000.0
"""A time after everything that a test does."""

Outcome = Literal["finished", "cancelled", "failed"]


class LogBench:
    """Gives each test a fresh, open log on a clock that stands still."""

    def make_log(self, clock: FakeClock, folder: Path) -> StreamLog:
        """Return a log that nobody has opened yet; `folder` is empty and the test's own."""
        raise NotImplementedError

    def hold_commits(self, log: StreamLog) -> AbstractAsyncContextManager[None]:
        """Let no commit happen until the block ends; skips where a backend cannot be held."""
        pytest.skip("this backend's commits cannot be held")

    @pytest.fixture
    def clock(self) -> FakeClock:
        return FakeClock()

    @pytest.fixture
    def ids(self) -> CountingIds:
        return CountingIds()

    @pytest_asyncio.fixture
    async def log(self, clock: FakeClock, tmp_path: Path) -> AsyncIterator[StreamLog]:
        log = self.make_log(clock, tmp_path)
        await log.open()
        yield log
        await log.close()

    @pytest_asyncio.fixture
    async def run(self, log: StreamLog, ids: CountingIds) -> RunRecord:
        """One run of `ANN` whose worker has no lease."""
        return await create(log, ids)


async def create(
    log: StreamLog,
    ids: CountingIds,
    *,
    principal: str = ANN,
    key: str | None = None,
    request_hash: str = "hash",
    worker: WorkerId = WORKER,
) -> RunRecord:
    """Create a run and return its record."""
    record, _ = await log.create_run(
        new_run(ids, principal=principal, key=key, request_hash=request_hash, worker=worker)
    )
    return record


def new_run(
    ids: CountingIds,
    *,
    principal: str = ANN,
    key: str | None = None,
    request_hash: str = "hash",
    worker: WorkerId = WORKER,
) -> NewRun:
    """Return what `create_run` takes, with the next id."""
    return NewRun(
        run=ids.run_id(),
        principal=principal,
        request=RunRequest(model="demo", messages=({"role": "user", "content": "Hi"},)),
        request_hash=request_hash,
        worker=worker,
        idempotency_key=key,
    )


def texts(*pieces: str) -> tuple[Event, ...]:
    """Return one delta per piece."""
    return tuple(TextDelta(part="t1", text=piece) for piece in pieces)


def ending_batch(
    record: RunRecord, outcome: Outcome = "finished", *, before: tuple[Event, ...] = ()
) -> Batch:
    """Return the batch that ends a run."""
    return Batch(
        run=record.run,
        epoch=record.epoch,
        events=(*before, RunEnd(outcome=outcome)),
        ending=Ending(status=outcome, snapshot=SNAPSHOT),
    )


async def write(log: StreamLog, record: RunRecord, *events: Event) -> Appended:
    """Append events of one run; raises what the log refuses them with."""
    [result] = await log.append([Batch(record.run, record.epoch, events)])
    return accepted(result)


async def end(log: StreamLog, record: RunRecord, outcome: Outcome = "finished") -> Appended:
    """End a run; raises what the log refuses that with."""
    [result] = await log.append([ending_batch(record, outcome)])
    return accepted(result)


def accepted(result: Appended | PotokError) -> Appended:
    """Return an answer to a batch, or raise it."""
    if isinstance(result, PotokError):
        raise result
    return result


async def read_rest(
    log: StreamLog, run: RunId, *, after: int = START, events_max: int = 3
) -> list[StoredEvent]:
    """Read page after page until nothing is left."""
    found: list[StoredEvent] = []
    while True:
        page = await log.read(run, after=Offset(after), events_max=events_max)
        assert len(page.events) <= events_max
        found += page.events
        if not page.events or page.ended:
            return found
        after = page.events[-1].offset


async def texts_of(log: StreamLog, run: RunId, *, after: int = START) -> list[str]:
    """Return the texts of a run's deltas."""
    stored = await read_rest(log, run, after=after)
    return [one.event.text for one in stored if isinstance(one.event, TextDelta)]


async def let_others_run() -> None:
    """Give every task that can go on its turn, several times."""
    for _ in range(10):
        await asyncio.sleep(0)


def attempt(number: int) -> Attempt:
    """Return an attempt with some of its fields set."""
    return Attempt(number=number, worker=WORKER, at=5.5, reason="start", model="demo")
