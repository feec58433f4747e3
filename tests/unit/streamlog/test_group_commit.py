import pytest

from potok.errors import StaleEpoch
from potok.limits import (
    COMMIT_FULL_BATCHES,
    COMMIT_LOADED_BATCHES,
    COMMIT_RETRY_SECONDS_MAX,
    COMMIT_RETRY_SECONDS_MIN,
    COMMIT_TICK_SECONDS_MAX,
    COMMIT_TICK_SECONDS_MIN,
)
from potok.streamlog import group_commit
from potok.streamlog.contract import Appended
from potok.streamlog.group_commit import GroupCommit, decide_commit_delay, decide_retry_delay
from potok.testing.fakes import CountingIds, RecordingObserver
from potok.testing.streamlog_base import texts_of
from tests.unit.streamlog.steered import SteeredLog, sources_of, step

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


async def test_a_marked_source_is_committed_and_told(
    steered: SteeredLog, commit: GroupCommit
) -> None:
    [source] = await sources_of(steered, commit, 1)

    source.write("a", "b")
    await step()

    [result] = source.results
    assert isinstance(result, Appended)
    assert result.tail == 2
    assert await texts_of(steered, source.record.run) == ["a", "b"]


async def test_sources_marked_together_share_a_commit(
    steered: SteeredLog, commit: GroupCommit, observer: RecordingObserver
) -> None:
    sources = await sources_of(steered, commit, 5)

    for source in (*sources, *sources):
        source.write("a")
    await step()

    assert steered.commits == [[one.record.run for one in sources]]
    assert observer.counts == {"log_commits": 1, "log_commit_batches": 5}


async def test_what_is_marked_during_a_commit_joins_the_next_one(
    steered: SteeredLog, commit: GroupCommit
) -> None:
    first, second = await sources_of(steered, commit, 2)
    steered.free.clear()
    first.write("a")
    await step()
    first.write("b")
    second.write("c")
    await step()
    held = list(steered.commits)

    steered.free.set()
    await step()

    runs = [first.record.run, second.record.run]
    assert held == [runs[:1]]
    assert steered.commits == [runs[:1], runs]
    assert await texts_of(steered, runs[0]) == ["a", "b"]


async def test_a_source_without_anything_costs_no_commit(
    steered: SteeredLog, commit: GroupCommit
) -> None:
    [source] = await sources_of(steered, commit, 1)

    commit.mark(source)
    await step()

    assert (steered.commits, source.results) == ([], [])


async def test_after_a_loaded_commit_the_next_one_waits_to_gather(
    steered: SteeredLog, commit: GroupCommit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_commit, "COMMIT_TICK_SECONDS_MAX", 15.0)
    monkeypatch.setattr(group_commit, "COMMIT_TICK_SECONDS_MIN", 15.0)
    sources = await sources_of(steered, commit, COMMIT_LOADED_BATCHES)
    for source in sources:
        source.write("a")
    await step()

    sources[0].write("b")
    await step()
    sources[1].write("c")
    waited = len(steered.commits)
    await commit.close()

    assert waited == 1
    assert steered.commits[1] == [sources[0].record.run, sources[1].record.run]


async def test_a_commit_takes_a_bounded_number_of_batches(
    steered: SteeredLog, commit: GroupCommit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_commit, "COMMIT_BATCHES_MAX", 2)
    monkeypatch.setattr(group_commit, "COMMIT_LOADED_BATCHES", 2)
    monkeypatch.setattr(group_commit, "COMMIT_TICK_SECONDS_MAX", 15.0)
    monkeypatch.setattr(group_commit, "COMMIT_TICK_SECONDS_MIN", 15.0)
    sources = await sources_of(steered, commit, 5)

    for source in sources:
        source.write("a")
    await step()
    await step()

    assert [len(one) for one in steered.commits] == [2, 2, 1]
    assert all(len(source.results) == 1 for source in sources)


async def test_a_refused_batch_is_its_source_s_own_matter(
    steered: SteeredLog, commit: GroupCommit
) -> None:
    zombie, sound = await sources_of(steered, commit, 2)
    await steered.take_over(zombie.record.run, worker=CountingIds().worker_id(), epoch=1)

    zombie.write("a")
    sound.write("b")
    await step()

    assert isinstance(zombie.results[0], StaleEpoch)
    assert isinstance(sound.results[0], Appended)
