import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import pytest
import pytest_asyncio

from potok.errors import LogUnavailable, PotokError, StaleEpoch
from potok.events.kinds import Event
from potok.limits import (
    COMMIT_CLOSING_ROUNDS_MAX,
    COMMIT_FULL_BATCHES,
    COMMIT_LOADED_BATCHES,
    COMMIT_RETRY_SECONDS_MAX,
    COMMIT_RETRY_SECONDS_MIN,
    COMMIT_TICK_SECONDS_MAX,
    COMMIT_TICK_SECONDS_MIN,
)
from potok.streamlog import group_commit
from potok.streamlog.contract import Appended, Batch, RunRecord
from potok.streamlog.group_commit import GroupCommit, decide_commit_delay, decide_retry_delay
from potok.streamlog.memory import MemoryLog
from potok.testing.fakes import CountingIds, FakeClock, RecordingObserver
from potok.testing.streamlog_base import create, texts, texts_of

DOWN = LogUnavailable("the disk is full")


class SteeredLog(MemoryLog):
    """A log in memory whose appends wait while it is held, and fail while it is down."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__(clock)
        self.commits: list[list[str]] = []
        self.failure: Exception | None = None
        self.free = asyncio.Event()
        self.free.set()
        self.under_way = 0

    async def append(self, batches: Sequence[Batch]) -> list[Appended | PotokError]:
        self.under_way += 1
        assert self.under_way == 1, "two commits at a time"
        self.commits.append([batch.run for batch in batches])
        try:
            await self.free.wait()
            if self.failure is not None:
                raise self.failure
            return await super().append(batches)
        finally:
            self.under_way -= 1


class Source:
    """A writer of one run, as simple as can be: keeps its events until they are stored."""

    def __init__(self, record: RunRecord, commit: GroupCommit) -> None:
        self.record = record
        self.commit = commit
        self.pending: list[Event] = []
        self.taken: list[Event] = []
        self.results: list[Appended | PotokError] = []
        self.on_settled: Callable[[], None] = lambda: None

    def write(self, *pieces: str) -> None:
        self.pending += texts(*pieces)
        self.commit.mark(self)

    def take_batch(self) -> Batch | None:
        self.taken, self.pending = self.taken + self.pending, []
        if not self.taken:
            return None
        return Batch(self.record.run, self.record.epoch, tuple(self.taken))

    def settled(self, result: Appended | PotokError) -> None:
        self.results.append(result)
        if isinstance(result, Appended):
            self.taken = []
            if self.pending:
                self.commit.mark(self)
        self.on_settled()


@pytest.fixture
def observer() -> RecordingObserver:
    return RecordingObserver()


@pytest_asyncio.fixture
async def log() -> SteeredLog:
    return SteeredLog(FakeClock())


@pytest_asyncio.fixture
async def commit(log: SteeredLog, observer: RecordingObserver) -> AsyncIterator[GroupCommit]:
    commit = GroupCommit(log, clock=FakeClock(), observer=observer)
    yield commit
    log.free.set()
    await commit.close()


@pytest.fixture
def faults() -> list[dict[str, Any]]:
    """What reached the event loop's exception handler."""
    return []


async def sources_of(log: SteeredLog, commit: GroupCommit, count: int) -> list[Source]:
    ids = CountingIds()
    return [Source(await create(log, ids), commit) for _ in range(count)]


async def step() -> None:
    for _ in range(8):
        await asyncio.sleep(0)


# when to commit


@pytest.mark.parametrize("batches", [0, 1, COMMIT_LOADED_BATCHES - 1])
def test_a_commit_that_is_not_loaded_is_followed_at_once(batches: int) -> None:
    assert decide_commit_delay(batches, 10.0) == 0.0


def test_the_wait_grows_with_the_load_between_its_bounds() -> None:
    delays = [decide_commit_delay(n, 0.0) for n in range(COMMIT_LOADED_BATCHES, 400)]

    assert delays == sorted(delays)
    assert delays[0] == COMMIT_TICK_SECONDS_MIN
    assert delays[COMMIT_FULL_BATCHES - COMMIT_LOADED_BATCHES] == COMMIT_TICK_SECONDS_MAX
    assert delays[-1] == COMMIT_TICK_SECONDS_MAX


def test_slow_commits_become_fewer() -> None:
    quick = decide_commit_delay(COMMIT_LOADED_BATCHES, 0.0)
    slow = decide_commit_delay(COMMIT_LOADED_BATCHES, 0.012)
    stuck = decide_commit_delay(COMMIT_LOADED_BATCHES, 60.0)

    assert (quick, slow, stuck) == (COMMIT_TICK_SECONDS_MIN, 0.012, COMMIT_TICK_SECONDS_MAX)


def test_waits_after_failures_double_up_to_their_bound() -> None:
    delays = [decide_retry_delay(failures) for failures in range(1, 2_000)]

    assert delays[0] == COMMIT_RETRY_SECONDS_MIN
    assert delays[1] == 2 * COMMIT_RETRY_SECONDS_MIN
    assert delays == sorted(delays)
    assert delays[-1] == COMMIT_RETRY_SECONDS_MAX


# committing


async def test_a_marked_source_is_committed_and_told(log: SteeredLog, commit: GroupCommit) -> None:
    [source] = await sources_of(log, commit, 1)

    source.write("a", "b")
    await step()

    [result] = source.results
    assert isinstance(result, Appended)
    assert result.tail == 2
    assert await texts_of(log, source.record.run) == ["a", "b"]


async def test_sources_marked_together_share_a_commit(
    log: SteeredLog, commit: GroupCommit, observer: RecordingObserver
) -> None:
    sources = await sources_of(log, commit, 5)

    for source in (*sources, *sources):
        source.write("a")
    await step()

    assert log.commits == [[one.record.run for one in sources]]
    assert observer.counts == {"log_commits": 1, "log_commit_batches": 5}


async def test_what_is_marked_during_a_commit_joins_the_next_one(
    log: SteeredLog, commit: GroupCommit
) -> None:
    first, second = await sources_of(log, commit, 2)
    log.free.clear()
    first.write("a")
    await step()
    first.write("b")
    second.write("c")
    await step()
    held = list(log.commits)

    log.free.set()
    await step()

    runs = [first.record.run, second.record.run]
    assert held == [runs[:1]]
    assert log.commits == [runs[:1], runs]
    assert await texts_of(log, runs[0]) == ["a", "b"]


async def test_a_source_without_anything_costs_no_commit(
    log: SteeredLog, commit: GroupCommit
) -> None:
    [source] = await sources_of(log, commit, 1)

    commit.mark(source)
    await step()

    assert (log.commits, source.results) == ([], [])


async def test_after_a_loaded_commit_the_next_one_waits_to_gather(
    log: SteeredLog, commit: GroupCommit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_commit, "COMMIT_TICK_SECONDS_MAX", 15.0)
    monkeypatch.setattr(group_commit, "COMMIT_TICK_SECONDS_MIN", 15.0)
    sources = await sources_of(log, commit, COMMIT_LOADED_BATCHES)
    for source in sources:
        source.write("a")
    await step()

    sources[0].write("b")
    await step()
    sources[1].write("c")
    waited = len(log.commits)
    await commit.close()

    assert waited == 1
    assert log.commits[1] == [sources[0].record.run, sources[1].record.run]


async def test_a_commit_takes_a_bounded_number_of_batches(
    log: SteeredLog, commit: GroupCommit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_commit, "COMMIT_BATCHES_MAX", 2)
    sources = await sources_of(log, commit, 5)

    for source in sources:
        source.write("a")
    await step()
    await step()

    assert [len(one) for one in log.commits] == [2, 2, 1]
    assert all(len(source.results) == 1 for source in sources)


async def test_a_refused_batch_is_its_source_s_own_matter(
    log: SteeredLog, commit: GroupCommit
) -> None:
    zombie, sound = await sources_of(log, commit, 2)
    await log.take_over(zombie.record.run, worker=CountingIds().worker_id(), epoch=1)

    zombie.write("a")
    sound.write("b")
    await step()

    assert isinstance(zombie.results[0], StaleEpoch)
    assert isinstance(sound.results[0], Appended)


# failing


async def test_a_failing_log_is_told_to_every_source_and_loses_nothing(
    log: SteeredLog, commit: GroupCommit, observer: RecordingObserver
) -> None:
    sources = await sources_of(log, commit, 2)
    log.failure = DOWN
    for source in sources:
        source.write("a")
    await step()
    failed = [list(source.results) for source in sources]

    log.failure = None
    for source in sources:
        source.write("b")
    await commit.close()

    assert failed == [[DOWN], [DOWN]]
    for source in sources:
        assert await texts_of(log, source.record.run) == ["a", "b"]
    assert observer.counts["log_commit_failures"] == 1


async def test_a_failing_log_is_not_tried_without_a_pause(
    log: SteeredLog, commit: GroupCommit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_commit, "COMMIT_RETRY_SECONDS_MAX", 15.0)
    monkeypatch.setattr(group_commit, "COMMIT_RETRY_SECONDS_MIN", 15.0)
    [source] = await sources_of(log, commit, 1)
    source.on_settled = lambda: commit.mark(source)
    log.failure = DOWN

    source.write("a")
    for _ in range(50):
        await step()

    assert len(log.commits) == 1
    log.failure = None
    source.on_settled = lambda: None


async def test_the_log_is_tried_again_after_the_pause(
    log: SteeredLog, commit: GroupCommit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_commit, "COMMIT_RETRY_SECONDS_MIN", 0.001)
    [source] = await sources_of(log, commit, 1)
    stored = asyncio.Event()

    def again() -> None:
        log.failure = None
        if isinstance(source.results[-1], PotokError):
            commit.mark(source)
        else:
            stored.set()

    source.on_settled = again
    log.failure = DOWN
    source.write("a")
    await stored.wait()

    assert [type(one) for one in source.results] == [LogUnavailable, Appended]


async def test_a_log_that_breaks_leaves_no_source_waiting(
    log: SteeredLog, commit: GroupCommit, faults: list[dict[str, Any]]
) -> None:
    asyncio.get_running_loop().set_exception_handler(lambda _, context: faults.append(context))
    [source] = await sources_of(log, commit, 1)
    log.failure = ValueError("a bug")

    source.write("a")
    await step()

    assert [type(one) for one in source.results] == [LogUnavailable]
    assert [str(fault["exception"]) for fault in faults] == ["a bug"]


@pytest.mark.parametrize("broken", ["take_batch", "settled"])
async def test_a_broken_source_takes_no_other_with_it(
    log: SteeredLog,
    commit: GroupCommit,
    faults: list[dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
    broken: str,
) -> None:
    asyncio.get_running_loop().set_exception_handler(lambda _, context: faults.append(context))
    first, second = await sources_of(log, commit, 2)

    def fail(*_: object) -> None:
        raise ValueError(broken)

    monkeypatch.setattr(first, broken, fail)
    first.write("a")
    second.write("b")
    await step()
    second.write("c")
    await step()

    assert await texts_of(log, second.record.run) == ["b", "c"]
    assert [str(fault["exception"]) for fault in faults] == [broken]


# closing


async def test_closing_commits_what_is_marked(log: SteeredLog, commit: GroupCommit) -> None:
    first, second = await sources_of(log, commit, 2)
    log.free.clear()
    first.write("a")
    await step()
    first.write("b")
    second.write("c")
    closing = asyncio.create_task(commit.close())
    await step()
    is_waiting = not closing.done()

    log.free.set()
    await closing
    await commit.close()

    assert is_waiting
    assert await texts_of(log, first.record.run) == ["a", "b"]
    assert await texts_of(log, second.record.run) == ["c"]


async def test_nothing_is_taken_after_the_close(log: SteeredLog, commit: GroupCommit) -> None:
    [source] = await sources_of(log, commit, 1)
    await commit.close()

    with pytest.raises(LogUnavailable):
        source.write("late")

    await step()
    assert log.commits == []


async def test_closing_does_not_wait_for_a_log_that_fails(
    log: SteeredLog, commit: GroupCommit, faults: list[dict[str, Any]]
) -> None:
    asyncio.get_running_loop().set_exception_handler(lambda _, context: faults.append(context))
    [source] = await sources_of(log, commit, 1)
    source.on_settled = lambda: commit.mark(source)
    log.failure = DOWN
    source.write("a")

    await commit.close()

    # Told of the failure, then that there will be no other try; then its mark is refused.
    assert [type(one) for one in source.results] == [LogUnavailable] * 2
    assert len(log.commits) == 1
    assert faults == []


async def test_closing_does_not_wait_for_a_source_that_never_stops(
    log: SteeredLog, commit: GroupCommit
) -> None:
    [source] = await sources_of(log, commit, 1)
    source.on_settled = lambda: source.write("more")
    source.write("a")

    await commit.close()

    assert len(log.commits) <= COMMIT_CLOSING_ROUNDS_MAX + 1
    assert isinstance(source.results[-1], LogUnavailable)


async def test_a_caller_that_gives_up_closing_does_not_stop_the_commit(
    log: SteeredLog, commit: GroupCommit
) -> None:
    [source] = await sources_of(log, commit, 1)
    log.free.clear()
    source.write("a")
    closing = asyncio.create_task(commit.close())
    await step()

    closing.cancel()
    await asyncio.wait([closing])
    log.free.set()
    await step()

    assert [type(one) for one in source.results] == [Appended]
