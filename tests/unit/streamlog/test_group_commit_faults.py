import asyncio
from typing import Any

import pytest

from potok.errors import LogUnavailable, PotokError
from potok.limits import (
    COMMIT_CLOSING_ROUNDS_MAX,
)
from potok.streamlog import group_commit
from potok.streamlog.contract import Appended
from potok.streamlog.group_commit import GroupCommit
from potok.testing.fakes import RecordingObserver
from potok.testing.streamlog_base import texts_of
from tests.unit.streamlog.steered import DOWN, SteeredLog, sources_of, step

# failing


async def test_a_failing_log_is_told_to_every_source_and_loses_nothing(
    steered: SteeredLog, commit: GroupCommit, observer: RecordingObserver
) -> None:
    sources = await sources_of(steered, commit, 2)
    steered.failure = DOWN
    for source in sources:
        source.write("a")
    await step()
    failed = [list(source.results) for source in sources]

    steered.failure = None
    for source in sources:
        source.write("b")
    await commit.close()

    assert failed == [[DOWN], [DOWN]]
    for source in sources:
        assert await texts_of(steered, source.record.run) == ["a", "b"]
    assert observer.counts["log_commit_failures"] == 1


async def test_a_failing_log_is_not_tried_without_a_pause(
    steered: SteeredLog, commit: GroupCommit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_commit, "COMMIT_RETRY_SECONDS_MAX", 15.0)
    monkeypatch.setattr(group_commit, "COMMIT_RETRY_SECONDS_MIN", 15.0)
    [source] = await sources_of(steered, commit, 1)
    source.on_settled = lambda: commit.mark(source)
    steered.failure = DOWN

    source.write("a")
    for _ in range(50):
        await step()

    assert len(steered.commits) == 1
    steered.failure = None
    source.on_settled = lambda: None


async def test_the_log_is_tried_again_after_the_pause(
    steered: SteeredLog, commit: GroupCommit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_commit, "COMMIT_RETRY_SECONDS_MIN", 0.001)
    [source] = await sources_of(steered, commit, 1)
    stored = asyncio.Event()

    def again() -> None:
        steered.failure = None
        if isinstance(source.results[-1], PotokError):
            commit.mark(source)
        else:
            stored.set()

    source.on_settled = again
    steered.failure = DOWN
    source.write("a")
    await stored.wait()

    assert [type(one) for one in source.results] == [LogUnavailable, Appended]


async def test_a_log_that_works_again_is_written_at_once_again(
    steered: SteeredLog, commit: GroupCommit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_commit, "COMMIT_RETRY_SECONDS_MIN", 0.001)
    [source] = await sources_of(steered, commit, 1)
    settled = asyncio.Event()
    source.on_settled = settled.set
    steered.failure = DOWN
    source.write("a")
    await settled.wait()
    steered.failure = None
    settled.clear()
    source.write("b")
    await settled.wait()
    monkeypatch.setattr(group_commit, "COMMIT_RETRY_SECONDS_MIN", 15.0)
    monkeypatch.setattr(group_commit, "COMMIT_RETRY_SECONDS_MAX", 15.0)

    for piece in "cd":
        source.write(piece)
        await step()

    assert await texts_of(steered, source.record.run) == ["a", "b", "c", "d"]


async def test_a_log_that_breaks_leaves_no_source_waiting(
    steered: SteeredLog, commit: GroupCommit, faults: list[dict[str, Any]]
) -> None:
    asyncio.get_running_loop().set_exception_handler(lambda _, context: faults.append(context))
    [source] = await sources_of(steered, commit, 1)
    steered.failure = ValueError("a bug")

    source.write("a")
    await step()

    assert [type(one) for one in source.results] == [LogUnavailable]
    assert [str(fault["exception"]) for fault in faults] == ["a bug"]


@pytest.mark.parametrize("broken", ["take_batch", "settled"])
async def test_a_broken_source_takes_no_other_with_it(
    steered: SteeredLog,
    commit: GroupCommit,
    faults: list[dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
    broken: str,
) -> None:
    asyncio.get_running_loop().set_exception_handler(lambda _, context: faults.append(context))
    first, second = await sources_of(steered, commit, 2)

    def fail(*_: object) -> None:
        raise ValueError(broken)

    monkeypatch.setattr(first, broken, fail)
    first.write("a")
    second.write("b")
    await step()
    second.write("c")
    await step()

    assert await texts_of(steered, second.record.run) == ["b", "c"]
    assert [str(fault["exception"]) for fault in faults] == [broken]


# closing


async def test_closing_commits_what_is_marked(steered: SteeredLog, commit: GroupCommit) -> None:
    first, second = await sources_of(steered, commit, 2)
    steered.free.clear()
    first.write("a")
    await step()
    first.write("b")
    second.write("c")
    closing = asyncio.create_task(commit.close())
    await step()
    is_waiting = not closing.done()

    steered.free.set()
    await closing
    await commit.close()

    assert is_waiting
    assert await texts_of(steered, first.record.run) == ["a", "b"]
    assert await texts_of(steered, second.record.run) == ["c"]


async def test_nothing_is_taken_after_the_close(steered: SteeredLog, commit: GroupCommit) -> None:
    [source] = await sources_of(steered, commit, 1)
    await commit.close()

    with pytest.raises(LogUnavailable):
        source.write("late")

    await step()
    assert steered.commits == []


async def test_closing_does_not_wait_for_a_log_that_fails(
    steered: SteeredLog, commit: GroupCommit, faults: list[dict[str, Any]]
) -> None:
    asyncio.get_running_loop().set_exception_handler(lambda _, context: faults.append(context))
    [source] = await sources_of(steered, commit, 1)
    source.on_settled = lambda: commit.mark(source)
    steered.failure = DOWN
    source.write("a")

    await commit.close()

    # Told of the failure, then that there will be no other try; then its mark is refused.
    assert [type(one) for one in source.results] == [LogUnavailable] * 2
    assert len(steered.commits) == 1
    assert faults == []


async def test_closing_does_not_wait_for_a_source_that_never_stops(
    steered: SteeredLog, commit: GroupCommit
) -> None:
    [source] = await sources_of(steered, commit, 1)
    source.on_settled = lambda: source.write("more")
    source.write("a")

    await commit.close()

    assert len(steered.commits) <= COMMIT_CLOSING_ROUNDS_MAX + 1
    assert isinstance(source.results[-1], LogUnavailable)


async def test_a_caller_that_gives_up_closing_does_not_stop_the_commit(
    steered: SteeredLog, commit: GroupCommit
) -> None:
    [source] = await sources_of(steered, commit, 1)
    steered.free.clear()
    source.write("a")
    closing = asyncio.create_task(commit.close())
    await step()

    closing.cancel()
    await asyncio.wait([closing])
    steered.free.set()
    await step()

    assert [type(one) for one in source.results] == [Appended]
