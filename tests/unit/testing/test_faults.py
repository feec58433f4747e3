"""Each fault does what its name says, and keeps what the contract promises."""

import asyncio
from collections.abc import AsyncGenerator

import pytest

from potok.clock import RunId
from potok.errors import LogUnavailable, RunNotFound, StaleEpoch
from potok.events.envelope import START
from potok.streamlog.contract import Appended, Batch, RunRecord
from potok.streamlog.memory import MemoryLog
from potok.testing.chance import Chance
from potok.testing.fakes import CountingIds, FakeClock
from potok.testing.faults import (
    CALM,
    NOBODY,
    FaultRates,
    FaultyLog,
    JumpingClock,
    LinkDropped,
    dropped_link,
    slow_reader,
)
from potok.testing.streamlog_base import (
    OTHER_WORKER,
    WORKER,
    create,
    end,
    new_run,
    texts,
    texts_of,
)

UNHEARD = FaultRates(unheard=1.0)
UNSTORED = FaultRates(unstored=1.0)
SOON = 0.001


@pytest.fixture
def inner() -> MemoryLog:
    return MemoryLog(FakeClock())


@pytest.fixture
def line(inner: MemoryLog) -> FaultyLog:
    return FaultyLog(inner, chance=Chance(1), name="line 1")


@pytest.fixture
async def run(inner: MemoryLog) -> RunRecord:
    return await create(inner, CountingIds())


def batch(run: RunRecord, *pieces: str) -> Batch:
    return Batch(run.run, run.epoch, texts(*pieces))


async def test_without_faults_it_is_the_log_behind_it(line: FaultyLog, run: RunRecord) -> None:
    [stored] = await line.append([batch(run, "a", "b")])

    assert isinstance(stored, Appended)
    assert await texts_of(line, run.run) == ["a", "b"]
    assert line.told == []


async def test_an_unstored_append_leaves_nothing(
    line: FaultyLog, inner: MemoryLog, run: RunRecord
) -> None:
    line.rates = UNSTORED

    with pytest.raises(LogUnavailable):
        await line.append([batch(run, "a")])

    assert await texts_of(inner, run.run) == []
    assert line.told == ["line 1 unstored append"]


async def test_an_unheard_append_that_is_given_again_is_stored_once(
    line: FaultyLog, inner: MemoryLog, run: RunRecord
) -> None:
    heard: list[tuple[RunId, int]] = []
    line.on_stored = lambda batch, appended: heard.append((batch.run, appended.tail))
    line.rates = UNHEARD
    with pytest.raises(LogUnavailable):
        await line.append([batch(run, "a")])
    line.rates = CALM

    [again] = await line.append([batch(run, "a")])
    [more] = await line.append([batch(run, "a")])

    assert isinstance(again, Appended)
    assert isinstance(more, Appended)
    assert (again.tail, more.tail) == (1, 2)
    assert await texts_of(inner, run.run) == ["a", "a"]
    assert heard == [(run.run, 1), (run.run, 2)]


async def test_an_unheard_append_of_who_lost_the_run_meanwhile_is_stale(
    line: FaultyLog, inner: MemoryLog, run: RunRecord
) -> None:
    line.rates = UNHEARD
    with pytest.raises(LogUnavailable):
        await line.append([batch(run, "a")])
    await inner.take_over(run.run, worker=OTHER_WORKER, epoch=1)
    line.rates = CALM

    [answer] = await line.append([batch(run, "a")])

    assert isinstance(answer, StaleEpoch)


async def test_an_unheard_append_to_a_run_that_was_forgotten_is_refused_alone(
    line: FaultyLog, inner: MemoryLog, run: RunRecord
) -> None:
    line.rates = UNHEARD
    with pytest.raises(LogUnavailable):
        await line.append([batch(run, "a")])
    await end(inner, run)
    await inner.forget_run(run.run)
    line.rates = CALM

    [answer] = await line.append([batch(run, "a")])

    assert isinstance(answer, RunNotFound)


async def test_a_start_that_was_not_heard_of_is_left_to_others(
    line: FaultyLog, inner: MemoryLog
) -> None:
    line.rates = UNHEARD
    await inner.renew_lease(WORKER, seconds=5)

    with pytest.raises(LogUnavailable):
        await line.create_run(new_run(CountingIds(), worker=WORKER))

    [left] = await inner.list_abandoned(items_max=5)
    assert left.worker == NOBODY


async def test_reads_fail_at_their_own_rate(line: FaultyLog, run: RunRecord) -> None:
    line.rates = FaultRates(unread=1.0)

    with pytest.raises(LogUnavailable):
        await line.read_run(run.run)
    await line.append([batch(run, "a")])


async def test_a_paused_line_holds_calls_and_the_answers_of_calls(
    line: FaultyLog, inner: MemoryLog, run: RunRecord
) -> None:
    waiting = asyncio.create_task(line.wait_beyond(run.run, START, seconds=30))
    await asyncio.sleep(0)

    line.pause()
    asking = asyncio.create_task(line.read_run(run.run))
    await inner.append([batch(run, "a")])
    for _ in range(10):
        await asyncio.sleep(0)
    assert not waiting.done()
    assert not asking.done()
    assert not line.is_well

    line.resume()
    assert await waiting
    assert (await asking).tail == 1


async def test_a_cut_line_fails_until_it_is_mended(line: FaultyLog, run: RunRecord) -> None:
    line.cut()
    with pytest.raises(LogUnavailable):
        await line.now()

    line.mend()

    assert line.is_well
    assert (await line.read_run(run.run)).run == run.run


async def test_a_dead_line_never_answers(line: FaultyLog, run: RunRecord) -> None:
    line.kill()

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(SOON):
            await line.read_run(run.run)


async def test_a_lost_wake_up_leaves_its_reader_waiting_to_the_end_of_its_time(
    line: FaultyLog, inner: MemoryLog, run: RunRecord
) -> None:
    line.rates = FaultRates(wakeup_lost=1.0)
    waiting = asyncio.create_task(line.wait_beyond(run.run, START, seconds=SOON))
    await inner.append([batch(run, "a")])

    assert await waiting is False
    line.rates = CALM
    assert await line.wait_beyond(run.run, START, seconds=SOON)


async def test_a_lost_cancel_is_found_with_the_next_look(
    line: FaultyLog, inner: MemoryLog, run: RunRecord
) -> None:
    line.rates = FaultRates(cancel_lost=1.0)
    waiting = asyncio.create_task(line.wait_cancels(WORKER, seconds=SOON))
    await inner.request_cancel(run.run)

    assert await waiting == [run.run]
    assert line.told == ["line 1 cancel_lost"]


async def test_late_calls_take_their_time(line: FaultyLog, run: RunRecord) -> None:
    line.rates = FaultRates(late=1.0, late_seconds=SOON)
    loop = asyncio.get_running_loop()
    began = loop.time()

    await line.read_run(run.run)

    assert loop.time() > began


def test_a_clock_jumps_forward_and_back_while_its_monotonic_time_goes_on() -> None:
    inner = FakeClock(now=100.0)
    clock = JumpingClock(inner)

    clock.jump(50.0)
    clock.jump(-80.0)
    inner.advance(5.0)

    assert clock.now() == 75.0
    assert clock.monotonic() == inner.monotonic()


async def pages(closed: list[bool]) -> AsyncGenerator[int, None]:
    try:
        for number in range(100):
            yield number
    finally:
        closed.append(True)


async def test_a_dropped_link_closes_what_it_read_from() -> None:
    closed: list[bool] = []
    read: list[int] = []

    async def follow() -> None:
        async for page in dropped_link(pages(closed), chance=Chance(4), rate=0.1):
            read.append(page)

    with pytest.raises(LinkDropped):
        await follow()

    assert read == list(range(len(read)))
    assert 0 < len(read) < 100
    assert closed == [True]


async def test_a_slow_reader_gets_everything_in_the_end() -> None:
    closed: list[bool] = []

    slow = slow_reader(pages(closed), chance=Chance(4), rate=0.5, seconds=0)
    read = [page async for page in slow]

    assert read == list(range(100))
    assert closed == [True]
