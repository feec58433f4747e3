"""Every backend against a plain model of its promise, with writes that fail or are not heard of."""

import asyncio
import tempfile
from collections.abc import Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import note
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from potok.clock import Clock, RunId, WorkerId
from potok.errors import (
    IdempotencyConflict,
    LogUnavailable,
    OffsetExpired,
    OffsetInvalid,
    PotokError,
    RunNotFound,
    StaleEpoch,
)
from potok.events.envelope import Offset
from potok.events.kinds import Event, RunEnd, TextDelta
from potok.events.run_request import RunRequest
from potok.streamlog.contract import Appended, Batch, Ending, NewRun, StreamLog
from potok.streamlog.memory import MemoryLog
from potok.streamlog.redis import RedisLog
from potok.streamlog.sqlite import SqliteLog
from potok.testing.chance import Chance
from potok.testing.fakes import CountingIds, FakeClock
from potok.testing.faults import NOBODY, FaultRates, FaultyLog
from tests.redis_server import empty_redis
from tests.simulation.profiles import long_look, short_look

T = TypeVar("T")

ANN = "ann"
LEASE_SECONDS = 5.0
WORKERS = [WorkerId(f"worker-{number}") for number in range(3)]

number = st.integers(0, 5)
rate = st.sampled_from([0.0, 0.0, 0.2])
rates = st.builds(FaultRates, unstored=rate, unheard=rate, unread=rate)


@dataclass
class Known:
    """One run as the model knows it."""

    run: RunId
    key: str | None
    worker: WorkerId
    epoch: int = 1
    events: list[Event] = field(default_factory=list)
    status: str = "queued"
    ended_at: float = 0.0
    is_cancelled: bool = False
    is_trimmed: bool = False

    @property
    def is_live(self) -> bool:
        return self.status in ("queued", "running")


class LogMachine(RuleBasedStateMachine):
    """What callers may do to a log. `known` is what it must answer by."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.clock = FakeClock()
        self.ids = CountingIds()
        self.known: dict[RunId, Known] = {}
        self.keys: dict[str, RunId] = {}
        self.leases: dict[WorkerId, float] = {}
        self.inner: StreamLog
        self.log: FaultyLog
        self.written = 0

    def make_log(self, clock: Clock) -> StreamLog:
        raise NotImplementedError

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    @initialize(seed=st.integers(0, 2**32), rates=rates)
    def begin(self, seed: int, rates: FaultRates) -> None:
        note(f"seed of all faults: {seed}")
        self.inner = self.make_log(self.clock)

        async def work() -> None:
            self.log = FaultyLog(self.inner, chance=Chance(seed), rates=rates)
            await self.log.open()

        self.run(work())

    def some(self, place: int) -> Known | None:
        runs = list(self.known.values())
        return runs[place % len(runs)] if runs else None

    def attempt(self, work: Coroutine[Any, Any, T]) -> tuple[T | None, PotokError | None, str]:
        """Do something; return the answer, the error, and what the faults did to it."""
        told = len(self.log.told)
        try:
            answer, error = self.run(work), None
        except PotokError as refused:
            answer, error = None, refused
        faults = self.log.told[told:]
        return answer, error, faults[-1].split()[0] if faults else ""

    # runs

    @rule(worker=number, key=st.sampled_from([None, "k1", "k2"]), hash=st.sampled_from("ab"))
    def create(self, worker: int, key: str | None, hash: str) -> None:
        new = NewRun(
            run=self.ids.run_id(),
            principal=ANN,
            request=RunRequest(model="demo"),
            request_hash=hash if key else "a",
            worker=WORKERS[worker % 3],
            idempotency_key=key,
        )
        before = self.keys.get(key or "")
        answer, error, fault = self.attempt(self.log.create_run(new))
        if fault == "unstored":
            return
        if before is not None:
            expected = self.run(self.inner.read_run(before)).request_hash
            if expected != hash:
                assert isinstance(error, IdempotencyConflict)
            elif not fault:
                assert answer is not None
                assert (answer[0].run, answer[1]) == (before, False)
            return
        owner = NOBODY if fault == "unheard" else new.worker
        self.known[new.run] = Known(new.run, key, owner)
        if key is not None:
            self.keys[key] = new.run
        if not fault:
            assert answer is not None
            assert answer[1], "a new run is not called new"

    @rule(run=number)
    def request_cancel(self, run: int) -> None:
        known = self.some(run)
        if known is None:
            return
        _, _, fault = self.attempt(self.log.request_cancel(known.run))
        if fault != "unstored" and known.is_live:
            known.is_cancelled = True

    @rule(run=number)
    def forget(self, run: int) -> None:
        known = self.some(run)
        if known is None:
            return
        answer, _, fault = self.attempt(self.log.forget_run(known.run))
        if not fault:
            assert answer == (not known.is_live)
        if fault != "unstored" and not known.is_live:
            self._drop(known)

    def _drop(self, known: Known) -> None:
        del self.known[known.run]
        if known.key is not None:
            self.keys.pop(known.key, None)

    # events

    @rule(
        runs=st.lists(number, min_size=1, max_size=3, unique=True),
        count=st.integers(1, 4),
        lag=st.sampled_from([0, 0, 0, 1]),
        ends=st.booleans(),
    )
    def append(self, runs: list[int], count: int, lag: int, ends: bool) -> None:
        chosen = {found.run: found for run in runs if (found := self.some(run)) is not None}
        batches = [self._batch(known, count, known.epoch - lag, ends) for known in chosen.values()]
        for _ in range(20):
            answers, error, _ = self.attempt(self.log.append(batches))
            # Whatever was not heard of is given again, unchanged.
            if error is None:
                break
            assert isinstance(error, LogUnavailable)
        else:
            return
        assert answers is not None
        for batch, answer in zip(batches, answers, strict=True):
            self._judge(chosen[batch.run], batch, answer)

    def _batch(self, known: Known, count: int, epoch: int, ends: bool) -> Batch:
        events: list[Event] = []
        for _ in range(count):
            self.written += 1
            events.append(TextDelta(part="t", text=f"piece {self.written}"))
        if not ends:
            return Batch(known.run, epoch, tuple(events))
        events.append(RunEnd(outcome="finished"))
        return Batch(known.run, epoch, tuple(events), Ending("finished", b'{"text":"all"}'))

    def _judge(self, known: Known, batch: Batch, answer: Appended | PotokError) -> None:
        if batch.epoch != known.epoch or not known.is_live:
            assert isinstance(answer, StaleEpoch), f"a stale batch was answered {answer}"
            return
        assert isinstance(answer, Appended), answer
        known.events += batch.events
        assert answer.tail == len(known.events)
        known.status = "running"
        if batch.ending is not None:
            known.status, known.ended_at = "finished", self.clock.now()

    @rule(run=number, after=st.integers(0, 12), events_max=st.integers(1, 5))
    def read(self, run: int, after: int, events_max: int) -> None:
        known = self.some(run)
        if known is None:
            return
        work = self.log.read(known.run, after=Offset(after), events_max=events_max)
        page, error, fault = self.attempt(work)
        tail = len(known.events)
        if fault:
            return
        if after > tail:
            assert isinstance(error, OffsetInvalid)
        elif known.is_trimmed and after < tail:
            assert isinstance(error, OffsetExpired)
        else:
            assert page is not None, error
            read = [stored.event for stored in page.events]
            assert read == known.events[after : after + len(read)]
            assert bool(read) == (after < tail)
            assert len(read) <= events_max
            assert page.ended == (not known.is_live and after + len(read) == tail)

    # leases and time

    @rule(worker=number, is_kept=st.booleans())
    def lease(self, worker: int, is_kept: bool) -> None:
        name = WORKERS[worker % 3]
        if is_kept:
            _, _, fault = self.attempt(self.log.renew_lease(name, seconds=LEASE_SECONDS))
        else:
            _, _, fault = self.attempt(self.log.release_lease(name))
        if fault != "unstored":
            self.leases[name] = self.clock.now() + LEASE_SECONDS if is_kept else 0.0

    def _is_alive(self, worker: WorkerId) -> bool:
        return self.leases.get(worker, 0.0) > self.clock.now()

    @rule(run=number, worker=number, lag=st.sampled_from([0, 0, 1]))
    def take_over(self, run: int, worker: int, lag: int) -> None:
        known = self.some(run)
        if known is None:
            return
        lag = min(lag, known.epoch - 1)
        name, epoch = WORKERS[worker % 3], known.epoch - lag
        answer, error, fault = self.attempt(self.log.take_over(known.run, worker=name, epoch=epoch))
        if fault == "unstored":
            return
        is_again = lag == 1 and name == known.worker
        may = lag == 0 and not self._is_alive(known.worker)
        if not known.is_live or not (may or is_again):
            assert isinstance(error, StaleEpoch | LogUnavailable), f"{name} took {known}"
            return
        if not is_again:
            known.epoch, known.worker = known.epoch + 1, name
        if not fault:
            assert answer is not None, error
            assert (answer.epoch, answer.worker) == (known.epoch, known.worker)

    @rule(seconds=st.sampled_from([0.5, 3.0, LEASE_SECONDS]))
    def wait(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @rule()
    def trim(self) -> None:
        before = self.clock.now() - 3.0
        _, _, fault = self.attempt(self.log.trim(events_before=before, records_before=0.0))
        if fault == "unstored":
            return
        for known in self.known.values():
            known.is_trimmed |= not known.is_live and known.ended_at < before

    @rule()
    def open_again(self) -> None:
        self.run(self.reopen())

    async def reopen(self) -> None:
        await self.inner.close()
        await self.inner.open()

    # what must hold

    @invariant()
    def all_is_as_known(self) -> None:
        if not hasattr(self, "log"):
            return
        self.run(self._check())

    async def _check(self) -> None:
        listed = await self.inner.list_runs(principal=ANN, items_max=200)
        assert [record.run for record in listed] == sorted(self.known, reverse=True)
        for record in listed:
            known = self.known[record.run]
            assert (record.status, record.epoch) == (known.status, known.epoch), record
            assert record.worker == known.worker
            assert record.tail == len(known.events)
            assert record.cancel_requested == known.is_cancelled
        abandoned = {record.run for record in await self.inner.list_abandoned(items_max=200)}
        expected = {
            known.run
            for known in self.known.values()
            if known.is_live and not self._is_alive(known.worker)
        }
        assert abandoned == expected
        for worker in WORKERS:
            heard = await self.inner.wait_cancels(worker, seconds=0.0)
            assert set(heard) == {
                known.run
                for known in self.known.values()
                if known.is_live and known.is_cancelled and known.worker == worker
            }

    async def _check_all_events(self) -> None:
        for known in self.known.values():
            if not known.is_trimmed:
                page = await self.inner.read(known.run, after=Offset(0), events_max=500)
                assert [stored.event for stored in page.events] == known.events
        with pytest.raises(RunNotFound):
            await self.inner.read_run("run-that-nobody-made-0")

    def teardown(self) -> None:
        try:
            if hasattr(self, "log"):
                self.run(self._check_all_events())
        finally:
            if hasattr(self, "log"):
                self.run(self.inner.close())
            self.runner.close()


class MemoryMachine(LogMachine):
    def make_log(self, clock: Clock) -> StreamLog:
        return MemoryLog(clock)


class SqliteMachine(LogMachine):
    """Whoever opens the file again finds all leases void."""

    def make_log(self, clock: Clock) -> StreamLog:
        self.folder = tempfile.TemporaryDirectory(prefix="potok-simulation-")
        return SqliteLog(Path(self.folder.name) / "log.sqlite3", clock=clock)

    async def reopen(self) -> None:
        await super().reopen()
        self.leases.clear()

    def teardown(self) -> None:
        super().teardown()
        if hasattr(self, "folder"):
            self.folder.cleanup()


class RedisMachine(LogMachine):
    """On a real server, which outlives its clients."""

    def make_log(self, clock: Clock) -> StreamLog:
        return RedisLog(empty_redis().url, clock=clock)


@pytest.mark.timeout(60)
def test_the_log_in_memory_is_as_its_model_says() -> None:
    run_state_machine_as_test(MemoryMachine, settings=short_look(60))


@pytest.mark.timeout(60)
def test_the_log_in_a_file_is_as_its_model_says() -> None:
    run_state_machine_as_test(SqliteMachine, settings=short_look(15))


@pytest.mark.timeout(60)
def test_the_log_in_redis_is_as_its_model_says() -> None:
    empty_redis()
    run_state_machine_as_test(RedisMachine, settings=short_look(10, steps=20))


@pytest.mark.long
@pytest.mark.parametrize("machine", [MemoryMachine, SqliteMachine, RedisMachine])
def test_a_log_is_as_its_model_says_for_long(machine: type[LogMachine]) -> None:
    empty_redis()
    run_state_machine_as_test(machine, settings=long_look(1_000))
