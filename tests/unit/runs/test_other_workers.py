"""Several workers over one log: cancels, readers and keys that come to the wrong one."""

import asyncio
from contextlib import aclosing

import msgspec
import pytest

from potok.clock import RunId
from potok.errors import LogLost, UpstreamBusy
from potok.events.envelope import START
from potok.events.kinds import RunEnd, TextDelta, TextEnd, TextStart
from potok.models.contract import Capabilities
from potok.runs.service import RunService
from potok.streamlog.contract import Appended, Batch
from potok.testing.fakes import FakeClock
from potok.testing.gates import Gate
from potok.testing.scripted_model import ScriptedModel, Step

from .conftest import ME, REQUEST, House, events_of, started

LEAVING = msgspec.structs.replace(REQUEST, on_disconnect="cancel")


def endless(gate: Gate) -> list[Step]:
    """A text that goes on when the gate says so, and never ends by itself."""
    return [[TextStart(part="t"), TextDelta(part="t", text="a")], gate]


async def until_ended(service: RunService, run: RunId) -> None:
    async with asyncio.timeout(5):
        while True:
            if not (await service.find(run, principal=ME)).is_live:
                return
            await asyncio.sleep(0.001)


async def test_a_cancel_at_another_worker_ends_the_run(house: House) -> None:
    maker = await house.service(endless(Gate()))
    other = await house.service([])
    record = await started(maker)

    cancelled = await other.cancel(record.run, principal=ME)

    assert cancelled.status == "cancelled"
    events = await events_of(other, record)
    assert isinstance(events[-1], RunEnd)
    assert events[-1].outcome == "cancelled"


async def test_a_cancel_whose_message_is_lost_is_found_with_the_next_look(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    maker = await house.service(endless(Gate()))
    other = await house.service([])
    record = await started(maker)
    monkeypatch.setattr(house.log._bells, "ring", lambda worker: None)

    cancelled = await other.cancel(record.run, principal=ME)

    assert cancelled.status == "cancelled"


async def test_a_cancel_that_nobody_can_obey_leaves_the_run_alive(house: House) -> None:
    maker = await house.service(endless(Gate()), lease_seconds=1e6)
    record = await started(maker)
    # Its worker stands still, as one that was stopped from outside does.
    await maker._upkeep.stop()
    other = await house.service([])

    asked = await other.cancel(record.run, principal=ME, wait_seconds=0.05)

    assert (asked.status, asked.cancel_requested) == ("running", True)


async def test_a_reader_at_another_worker_keeps_a_run_that_would_be_given_up(
    house: House,
) -> None:
    gate = Gate()
    maker = await house.service(endless(gate), disconnect_grace_seconds=0.05)
    other = await house.service([])
    kept, left = await started(maker, LEAVING), await started(maker, LEAVING)

    async with aclosing(other.follow(kept, after=START)) as pages:
        await anext(pages)
        await until_ended(other, left.run)

    record = await other.find(kept.run, principal=ME)
    assert (record.is_live, record.request.on_disconnect) == (True, "keep")


async def test_a_key_finds_its_run_in_front_of_the_limits_of_any_worker(house: House) -> None:
    maker = await house.service(endless(Gate()), live_runs_max=1)
    full = await house.service(endless(Gate()), live_runs_max=1)
    first, _ = await maker.start(REQUEST, principal=ME, idempotency_key="k")
    await started(full)

    for service in (maker, full):
        again, is_new = await service.start(REQUEST, principal=ME, idempotency_key="k")
        assert (again.run, is_new) == (first.run, False)
        with pytest.raises(UpstreamBusy):
            await service.start(REQUEST, principal=ME, idempotency_key="another")


async def test_a_run_whose_events_are_lost_ends_as_lost_with_its_text(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate()
    script: list[Step] = [[TextStart(part="t"), TextDelta(part="t", text="shown")], gate]
    service = await house.service([*script, [TextDelta(part="t", text=" more")]])
    record = await started(service)
    await house.log.wait_beyond(record.run, START, seconds=5)
    append = house.log.append

    async def lose(batches: list[Batch]) -> list[Appended | LogLost]:
        monkeypatch.setattr(house.log, "append", append)
        return [LogLost("gone") for _ in batches]

    monkeypatch.setattr(house.log, "append", lose)
    gate.open()
    await until_ended(service, record.run)

    ended, message = await service.snapshot(record.run, principal=ME)
    assert message.error is not None
    assert (ended.status, message.error.code) == ("failed", "log_lost")
    assert message.text.startswith("shown")
    with pytest.raises(LogLost):
        await events_of(service, ended)


async def test_an_abandoned_run_that_cannot_be_read_ends_as_lost(house: House) -> None:
    maker = await house.service(endless(Gate()))
    record = await started(maker)
    await house.log.wait_beyond(record.run, START, seconds=5)
    await maker.close()
    read = house.log.read

    async def fail(run: str, **page: int) -> None:
        raise LogLost(f"{run} is gone")

    house.log.read = fail  # type: ignore[assignment, method-assign]
    other = await house.service([])
    await until_ended(other, record.run)
    house.log.read = read  # type: ignore[method-assign]

    _, message = await other.snapshot(record.run, principal=ME)
    assert message.error is not None
    assert message.error.code == "log_lost"


@pytest.mark.parametrize("hours", [-48, 48])
async def test_a_worker_whose_clock_is_wrong_takes_a_run_over_and_goes_on(
    house: House, hours: float
) -> None:
    """Leases and ages go by the store's clock, so that workers need not agree."""
    gate = Gate()
    maker = await house.service([[TextStart(part="t"), TextDelta(part="t", text="a")], gate])
    record = await started(maker)
    await gate.until_waited_for()
    await maker.close()
    rest = ScriptedModel(
        [[TextDelta(part="t", text="b"), TextEnd(part="t"), RunEnd(outcome="finished")]],
        capabilities=Capabilities(continues="replay"),
    )
    house.clock = FakeClock(house.clock.now() + hours * 3600)

    other = await house.worker(rest)
    message = await other.settle(await other.find(record.run, principal=ME))

    assert (message.text, message.outcome) == ("ab", "finished")
