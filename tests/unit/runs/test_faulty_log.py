"""A worker whose line to the log fails for a moment: what it could not do then it does later."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import msgspec
import pytest

from potok.agents.registry import AgentRegistry
from potok.clock import RunId, WorkerId
from potok.errors import LogUnavailable
from potok.events.envelope import START
from potok.runs.service import RunService
from potok.runs.settings import RunSettings
from potok.streamlog.contract import Attempt, RunRecord
from potok.telemetry import SilentObserver
from potok.testing.chance import Chance
from potok.testing.faults import CALM, FaultRates, FaultyLog
from potok.testing.gates import Gate
from potok.testing.scripted_model import ScriptedModel
from potok.testing.streamlog_base import OTHER_WORKER

from .conftest import ONE_CALL, REQUEST, House, OneModel, started
from .test_other_workers import endless, until_ended

LEAVING = msgspec.structs.replace(REQUEST, on_disconnect="cancel")

NewWorker = Callable[..., Awaitable[tuple[RunService, FaultyLog]]]


@pytest.fixture
async def faulty_worker(house: House) -> AsyncIterator[NewWorker]:
    async with AsyncExitStack() as stack:

        async def worker(**settings: float) -> tuple[RunService, FaultyLog]:
            line = FaultyLog(house.log, chance=Chance(1))
            service = RunService(
                line,
                AgentRegistry(OneModel(ScriptedModel(endless(Gate()))), continuing=ONE_CALL),
                clock=house.clock,
                ids=house.ids,
                observer=SilentObserver(),
                settings=RunSettings(**{"lease_renew_seconds": 0.01, **settings}),  # type: ignore[arg-type]
            )
            await service.open()
            stack.push_async_callback(service.close)
            return service, line

        yield worker


async def until(fact: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while True:
            if fact():
                return
            await asyncio.sleep(0.001)


async def test_a_run_that_nobody_reads_ends_though_the_log_could_not_be_asked_at_first(
    faulty_worker: NewWorker,
) -> None:
    service, line = await faulty_worker(disconnect_grace_seconds=0.01)
    record = await started(service, LEAVING)
    await line.wait_beyond(record.run, START, seconds=5)

    line.rates = FaultRates(unread=1.0)
    await until(lambda: any("read_run" in fault for fault in line.told))
    line.rates = CALM

    await until_ended(service, record.run)


async def test_a_take_over_whose_answer_was_lost_is_found_at_the_next_look(
    house: House, faulty_worker: NewWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await house.service(endless(Gate()))
    record = await started(first)
    service, line = await faulty_worker()
    take_over = line.take_over

    async def unheard(run: RunId, *, worker: WorkerId, epoch: int) -> RunRecord:
        monkeypatch.setattr(line, "take_over", take_over)
        await take_over(run, worker=worker, epoch=epoch)
        raise LogUnavailable("its answer was lost")

    monkeypatch.setattr(line, "take_over", unheard)
    await first.close()

    await until(lambda: service.live_runs > 0)
    assert (await house.log.read_run(record.run)).epoch == 2


async def test_a_start_that_another_worker_took_over_meanwhile_is_a_start(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = await house.service(endless(Gate()))
    put_attempt = house.log.put_attempt

    async def late(run: RunId, *, epoch: int, attempt: Attempt) -> None:
        monkeypatch.setattr(house.log, "put_attempt", put_attempt)
        await house.log.release_lease(attempt.worker)
        await house.log.take_over(run, worker=OTHER_WORKER, epoch=1)
        await put_attempt(run, epoch=epoch, attempt=attempt)

    monkeypatch.setattr(house.log, "put_attempt", late)

    record = await started(service)

    assert record.epoch > 1


async def test_a_run_whose_start_was_half_stored_begins_once_the_log_can_be_written(
    faulty_worker: NewWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    service, line = await faulty_worker()
    put_attempt, calls = line.put_attempt, 0

    async def put_at_the_third_time(*args: Any, **kwargs: Any) -> None:
        nonlocal calls
        calls += 1
        if calls < 3:
            raise LogUnavailable("The log is away for a moment.")
        await put_attempt(*args, **kwargs)

    monkeypatch.setattr(line, "put_attempt", put_at_the_third_time)

    record = await started(service)

    assert await line.wait_beyond(record.run, START, seconds=5)
    assert (await line.read_run(record.run)).status == "running"
