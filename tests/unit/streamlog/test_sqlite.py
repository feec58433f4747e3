import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from potok.errors import LogLost, LogUnavailable, StaleEpoch
from potok.events.envelope import START, Offset
from potok.events.kinds import RunEnd
from potok.limits import TRIM_RUNS_MAX
from potok.streamlog import sqlite, tail
from potok.streamlog.contract import Appended, Batch, RunRecord
from potok.streamlog.segments import SEGMENT_FORMAT, unpack_segment
from potok.streamlog.sqlite import SqliteLog
from potok.streamlog.sqlite_writer import Writer
from potok.testing.fakes import CountingIds, FakeClock
from potok.testing.streamlog_base import (
    ANN,
    EVER,
    SNAPSHOT,
    WORKER,
    create,
    end,
    ending_batch,
    new_run,
    read_rest,
    texts,
    texts_of,
    write,
)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def ids() -> CountingIds:
    return CountingIds()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log.sqlite3"


@pytest_asyncio.fixture
async def log(path: Path, clock: FakeClock) -> AsyncIterator[SqliteLog]:
    log = SqliteLog(path, clock=clock)
    await log.open()
    yield log
    await log.close()


@pytest_asyncio.fixture
async def run(log: SqliteLog, ids: CountingIds) -> RunRecord:
    return await create(log, ids)


async def reopen(log: SqliteLog) -> None:
    await log.close()
    await log.open()


def rows(path: Path, query: str, *values: object) -> list[Any]:
    """Ask the file as another program would: with SQLite and nothing of ours."""
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        return connection.execute(query, values).fetchall()
    finally:
        connection.close()


async def set_page_count_max(log: SqliteLog, *, spare: int | None) -> None:
    """Make the disk full after so many more pages; None gives it all its room back."""

    def limit(writer: Writer) -> None:
        [[count]] = writer.connection.execute("PRAGMA page_count")
        pages = 1_000_000 if spare is None else count + spare
        writer.connection.execute(f"PRAGMA max_page_count = {pages}").fetchall()

    await log._write(limit)


# what is in the file


async def test_a_woken_reader_s_event_is_in_the_file_already(
    log: SqliteLog, run: RunRecord, path: Path
) -> None:
    wait = asyncio.create_task(log.wait_beyond(run.run, START, seconds=30))
    await asyncio.sleep(0)
    append = asyncio.create_task(write(log, run, *texts("a", "b")))
    await wait

    [(at, version, blob)] = rows(path, "SELECT at, format, blob FROM segments")
    [chunk] = unpack_segment(blob)
    stored = list(chunk.events_after(START, at=at))
    await append

    assert version == SEGMENT_FORMAT
    assert stored == await read_rest(log, run.run)
    lines = [json.loads(line) for line in chunk.body.splitlines()]
    assert lines[1] == {"event": "text-delta", "part": "t1", "text": "b"}


async def test_a_commit_is_one_row_whatever_the_number_of_runs(
    log: SqliteLog, ids: CountingIds, path: Path
) -> None:
    runs = [await create(log, ids) for _ in range(20)]
    for _ in range(3):
        await log.append([Batch(one.run, 1, texts("a", "b", "c")) for one in runs])

    segments = rows(path, "SELECT blob FROM segments")

    assert [len(unpack_segment(blob)) for (blob,) in segments] == [20] * 3


async def test_a_commit_of_events_changes_no_run_s_row(
    log: SqliteLog, run: RunRecord, path: Path
) -> None:
    before = rows(path, "SELECT * FROM runs")

    for number in range(5):
        await write(log, run, *texts(str(number)))

    assert rows(path, "SELECT * FROM runs") == before


async def test_two_batches_of_one_run_in_one_append_follow_each_other(
    log: SqliteLog, run: RunRecord
) -> None:
    results = await log.append(
        [
            Batch(run.run, 1, texts("a")),
            ending_batch(run, before=texts("b")),
            Batch(run.run, 1, texts("late")),
        ]
    )

    assert [type(one) for one in results] == [Appended, Appended, StaleEpoch]
    assert await texts_of(log, run.run) == ["a", "b"]


# opening again


async def test_everything_is_there_after_a_close(
    log: SqliteLog, ids: CountingIds, clock: FakeClock
) -> None:
    live, ended, queued = [await create(log, ids, key=f"k{n}") for n in range(3)]
    for number in range(4):
        clock.advance(1)
        await log.append([Batch(one.run, 1, texts(f"{number}")) for one in (live, ended)])
    await end(log, ended)
    await log.request_cancel(live.run)
    records = [await log.read_run(one.run) for one in (live, ended, queued)]
    events = [await read_rest(log, one.run) for one in (live, ended)]
    clock.advance(60)

    await reopen(log)

    assert [await log.read_run(one.run) for one in (live, ended, queued)] == records
    assert [await read_rest(log, one.run) for one in (live, ended)] == events
    again, is_new = await log.create_run(new_run(ids, key="k0"))
    assert (again.run, is_new) == (live.run, False)


async def test_a_live_run_goes_on_after_a_close(log: SqliteLog, run: RunRecord) -> None:
    await write(log, run, *texts("a", "b"))

    await reopen(log)
    appended = await write(log, run, *texts("c"))
    await end(log, run)
    await reopen(log)

    assert appended.tail == 3
    assert await texts_of(log, run.run) == ["a", "b", "c"]
    assert (await log.read(run.run, after=Offset(3), events_max=9)).ended


async def test_a_take_over_outlives_a_close(log: SqliteLog, run: RunRecord) -> None:
    taken = await log.take_over(run.run, worker=WORKER, epoch=1)

    await reopen(log)

    with pytest.raises(StaleEpoch):
        await write(log, run, *texts("zombie"))
    await write(log, taken, *texts("mine"))


async def test_no_lease_outlives_its_process(log: SqliteLog, run: RunRecord) -> None:
    await log.renew_lease(WORKER, seconds=1e6)

    await reopen(log)

    assert [one.run for one in await log.list_abandoned(items_max=9)] == [run.run]


async def test_runs_made_after_retention_emptied_the_log_are_found_after_a_close(
    log: SqliteLog, ids: CountingIds
) -> None:
    old, waiting = await create(log, ids), None
    await write(log, old, *texts("old"))
    await end(log, old)
    waiting = await create(log, ids)
    await log.trim(events_before=EVER, records_before=EVER)
    await reopen(log)
    await write(log, waiting, *texts("waited"))

    await reopen(log)

    assert await texts_of(log, waiting.run) == ["waited"]


async def test_a_damaged_segment_of_a_live_run_is_not_passed_over(
    log: SqliteLog, run: RunRecord
) -> None:
    await write(log, run, *texts("a"))
    await log._write(
        lambda writer: writer.connection.execute("UPDATE segments SET blob = substr(blob, 1, 30)")
    )
    await log.close()

    with pytest.raises(Exception, match="damaged log"):
        await log.open()


async def test_an_unknown_format_is_not_guessed(log: SqliteLog, run: RunRecord) -> None:
    await write(log, run, *texts("a"))
    await end(log, run)
    await log._write(lambda writer: writer.connection.execute("UPDATE segments SET format = 9"))

    await reopen(log)

    with pytest.raises(LogLost):
        await log.read(run.run, after=START, events_max=9)


# lost and trimmed


async def test_events_that_the_file_lost_are_said_to_be_lost(
    log: SqliteLog, run: RunRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tail, "TAIL_BYTES_MAX", 0)
    for piece in "abc":
        await write(log, run, *texts(piece))
    await log._write(lambda writer: writer.connection.execute("DELETE FROM segments WHERE id = 2"))

    with pytest.raises(LogLost):
        await log.read(run.run, after=START, events_max=9)
    await end(log, run)
    with pytest.raises(LogLost):
        await log.read(run.run, after=START, events_max=9)


async def test_retention_deletes_the_segments_that_no_kept_run_needs(
    log: SqliteLog, ids: CountingIds, clock: FakeClock, path: Path
) -> None:
    for number in range(6):
        one = await create(log, ids)
        await write(log, one, *texts(str(number)))
        await end(log, one)
        clock.advance(1)
    before = rows(path, "SELECT id FROM segments")

    await log.trim(events_before=clock.now() - 3, records_before=0)

    assert len(before) == 12
    assert rows(path, "SELECT id FROM segments") == before[6:]
    assert rows(path, "SELECT count(*) FROM places") == [(3,)]


async def test_a_forgotten_run_leaves_no_row(log: SqliteLog, ids: CountingIds, path: Path) -> None:
    await end(log, await create(log, ids, key="k"))

    await log.trim(events_before=EVER, records_before=EVER)

    for table in ("runs", "requests", "endings", "places", "idempotency_keys", "segments"):
        assert rows(path, f"SELECT count(*) FROM {table}") == [(0,)], table


async def test_one_call_of_trim_does_a_bounded_part(
    log: SqliteLog, ids: CountingIds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "TRIM_STEPS_MAX", 1)
    count = TRIM_RUNS_MAX + 5
    runs = [await create(log, ids) for _ in range(count)]
    await log.append([ending_batch(one) for one in runs])

    first = await log.trim(events_before=EVER, records_before=EVER)
    second = await log.trim(events_before=EVER, records_before=EVER)

    assert (first.records, second.records) == (TRIM_RUNS_MAX, 5)


async def test_a_page_read_while_retention_takes_the_run_is_whole_or_said_to_be_gone(
    log: SqliteLog, ids: CountingIds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tail, "TAIL_BYTES_MAX", 0)
    for _ in range(5):
        one = await create(log, ids)
        for piece in "abc":
            await write(log, one, *texts(piece))
        await end(log, one)

        page, _ = await asyncio.gather(
            log.read(one.run, after=START, events_max=9),
            log.trim(events_before=EVER, records_before=0),
            return_exceptions=True,
        )

        if isinstance(page, BaseException):
            assert type(page).__name__ == "OffsetExpired"
        else:
            assert [stored.offset for stored in page.events] == [1, 2, 3, 4]


# failing


async def test_a_full_disk_stores_nothing_of_any_batch(
    log: SqliteLog, ids: CountingIds, path: Path
) -> None:
    first, second = await create(log, ids), await create(log, ids)
    await write(log, first, *texts("before"))
    await set_page_count_max(log, spare=0)
    long = texts("x" * 100_000)

    with pytest.raises(LogUnavailable) as caught:
        await log.append([Batch(first.run, 1, long), ending_batch(second, before=texts("small"))])

    assert str(path.parent) in caught.value.message
    assert await texts_of(log, first.run) == ["before"]
    assert (await log.read_run(second.run)).status == "queued"
    await set_page_count_max(log, spare=None)
    results = await log.append([Batch(first.run, 1, texts("after")), ending_batch(second)])
    assert [one.tail for one in results if isinstance(one, Appended)] == [2, 1]
    await reopen(log)
    assert await texts_of(log, first.run) == ["before", "after"]
    assert (await log.read_run(second.run)).snapshot == SNAPSHOT


async def test_a_full_disk_wakes_nobody(log: SqliteLog, run: RunRecord) -> None:
    await set_page_count_max(log, spare=0)

    with pytest.raises(LogUnavailable):
        await write(log, run, *texts("x" * 100_000))

    assert not await log.wait_beyond(run.run, START, seconds=0.001)


async def test_a_full_disk_starts_no_run(log: SqliteLog, ids: CountingIds) -> None:
    await set_page_count_max(log, spare=0)
    new = new_run(ids, key="k" * 200_000)

    with pytest.raises(LogUnavailable):
        await log.create_run(new)
    await set_page_count_max(log, spare=None)

    _, is_new = await log.create_run(new)
    assert is_new


async def test_a_commit_that_fails_at_its_very_end_stores_nothing(
    log: SqliteLog, run: RunRecord
) -> None:
    class FailsToCommit:
        def __init__(self, real: sqlite3.Connection) -> None:
            self.real = real

        def __getattr__(self, name: str) -> Any:
            return getattr(self.real, name)

        def execute(self, statement: str, *values: Any) -> sqlite3.Cursor:
            if statement == "COMMIT":
                raise sqlite3.OperationalError("disk I/O error")
            return self.real.execute(statement, *values)

    assert log._writer is not None
    real = log._writer.connection
    log._writer.connection = FailsToCommit(real)  # type: ignore[assignment]
    with pytest.raises(LogUnavailable):
        await end(log, run)
    log._writer.connection = real

    assert (await log.read_run(run.run)).is_live
    assert (await end(log, run)).tail == 1


async def test_a_closed_log_says_that_it_is_closed(log: SqliteLog, run: RunRecord) -> None:
    await log.close()

    for call in (
        log.read_run(run.run),
        log.append([Batch(run.run, 1, texts("a"))]),
        log.read("run-that-nobody-made", after=START, events_max=1),
    ):
        with pytest.raises(LogUnavailable):
            await call


async def test_what_was_appended_before_a_close_is_stored(log: SqliteLog, run: RunRecord) -> None:
    appends = [asyncio.create_task(write(log, run, *texts(str(n)))) for n in range(5)]
    await asyncio.sleep(0)

    await log.close()
    await asyncio.gather(*appends)
    await log.open()

    assert await texts_of(log, run.run) == [str(n) for n in range(5)]


async def test_a_record_read_while_its_run_ends_is_never_half_of_each(
    log: SqliteLog, ids: CountingIds
) -> None:
    for _ in range(20):
        one = await create(log, ids)
        record, listed, _ = await asyncio.gather(
            log.read_run(one.run), log.list_runs(principal=ANN, items_max=1), end(log, one)
        )

        for seen in (record, listed[0]):
            assert (seen.tail, seen.ended_at is None) in ((0, True), (1, False), (1, True))
            assert seen.is_live == (seen.ended_at is None)
        assert RunEnd is type((await read_rest(log, one.run))[-1].event)
