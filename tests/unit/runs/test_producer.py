"""What an agent builds upon is stored, and its run is still made here."""

from collections.abc import AsyncGenerator, Callable

import msgspec
import pytest

from potok.agents.contract import Turn
from potok.clock import RunId, WorkerId
from potok.errors import LogUnavailable
from potok.events.kinds import Event, Status
from potok.events.run_request import RunRequest
from potok.protocol.production import Production
from potok.runs.producer import Producer
from potok.runs.turns import turn_of
from potok.streamlog.contract import NewRun, RunRecord
from potok.streamlog.group_commit import GroupCommit
from potok.streamlog.memory import MemoryLog
from potok.testing.fakes import FakeClock, RecordingObserver

RUN, HERE, THERE = RunId("01producer0run000000000000"), WorkerId("here"), WorkerId("there")


class Silent:
    """Builds upon what it said, after something has happened, and has no more to say."""

    name = "silent"

    def __init__(self, log: MemoryLog, happens: Callable[[RunRecord], object]) -> None:
        self._log = log
        self._happens = happens
        self.has_built = False

    async def can_continue(self, turn: Turn) -> None:
        return None

    async def run(self, turn: Turn) -> AsyncGenerator[list[Event], None]:
        yield [Status(text="At work", code="at_work")]
        await turn.stored()
        self._happens(await self._log.read_run(turn.run))
        await turn.stored()
        self.has_built = True


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def log(clock: FakeClock) -> MemoryLog:
    return MemoryLog(clock)


async def produce(log: MemoryLog, clock: FakeClock, agent: Silent) -> RunRecord:
    await log.renew_lease(HERE, seconds=5)
    request = RunRequest(agent="silent", input=1)
    new = NewRun(run=RUN, principal="local", request=request, request_hash="", worker=HERE)
    record, _ = await log.create_run(new)
    producer = Producer(
        record,
        agent,
        turn=turn_of(record),
        production=Production(),
        commit=GroupCommit(log, clock=clock, observer=RecordingObserver()),
        clock=clock,
    )
    await producer.run()
    return await log.read_run(RUN)


async def test_a_run_that_is_still_made_here_may_be_built_upon(
    log: MemoryLog, clock: FakeClock
) -> None:
    agent = Silent(log, lambda record: None)

    record = await produce(log, clock, agent)

    assert (agent.has_built, record.status) == (True, "finished")


async def test_nothing_is_built_upon_a_run_that_was_taken_over_while_nothing_was_said(
    log: MemoryLog, clock: FakeClock
) -> None:
    def take_over(record: RunRecord) -> None:
        # The process stood still for longer than its lease.
        log._runs[RUN].record = msgspec.structs.replace(record, epoch=2, worker=THERE)

    agent = Silent(log, take_over)

    record = await produce(log, clock, agent)

    assert (agent.has_built, record.status, record.worker) == (False, "running", THERE)


async def test_a_log_that_is_away_for_a_moment_is_asked_again(
    log: MemoryLog, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("potok.runs.producer.COMMIT_RETRY_SECONDS_MAX", 0.001)
    read, failures = log.read_run, iter([True, True])

    async def fails_twice(run: str) -> RunRecord:
        if next(failures, False):
            raise LogUnavailable("The log is away.")
        return await read(run)

    def go_away(record: RunRecord) -> None:
        monkeypatch.setattr(log, "read_run", fails_twice)

    agent = Silent(log, go_away)

    record = await produce(log, clock, agent)

    assert (agent.has_built, record.status) == (True, "finished")
