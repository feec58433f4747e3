import asyncio
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from potok.errors import LogLost, LogUnavailable
from potok.events.envelope import START
from potok.limits import TRIM_RUNS_MAX
from potok.streamlog import sqlite, tail
from potok.streamlog.contract import Appended, Batch, RunRecord
from potok.streamlog.sqlite import SqliteLog
from potok.streamlog.sqlite_writer import Writer
from potok.testing.fakes import CountingIds, FakeClock
from potok.testing.streamlog_base import (
    EVER,
    SNAPSHOT,
    WORKER,
    create,
    end,
    ending_batch,
    new_run,
    texts,
    texts_of,
    write,
)
from tests.unit.streamlog.sqlite_file import reopen, rows


async def set_page_count_max(log: SqliteLog, *, spare: int | None) -> None:
    """Make the disk full after so many more pages; None gives it all its room back."""

    def limit(writer: Writer) -> None:
        [[count]] = writer.connection.execute("PRAGMA page_count")
        pages = 1_000_000 if spare is None else count + spare
        writer.connection.execute(f"PRAGMA max_page_count = {pages}").fetchall()

    await log._write(limit)


class Failing:
    """Stands before the writer's connection; some statements fail as if the disk did."""

    def __init__(self, log: SqliteLog, *statements: str) -> None:
        assert log._writer is not None
        self.writer = log._writer
        self.real = self.writer.connection
        self.statements = statements
        self.writer.connection = self  # type: ignore[assignment]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    def execute(self, statement: str, *values: Any) -> sqlite3.Cursor:
        if statement in self.statements:
            raise sqlite3.OperationalError("disk I/O error")
        return self.real.execute(statement, *values)

    def stop(self) -> None:
        self.writer.connection = self.real


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
    failing = Failing(log, "COMMIT")

    with pytest.raises(LogUnavailable):
        await end(log, run)
    failing.stop()

    assert (await log.read_run(run.run)).is_live
    assert (await end(log, run)).tail == 1


async def test_what_follows_a_commit_that_could_not_even_be_undone_is_stored(
    log: SqliteLog, run: RunRecord
) -> None:
    failing = Failing(log, "COMMIT", "ROLLBACK")
    with pytest.raises(LogUnavailable):
        await end(log, run)
    failing.stop()

    await write(log, run, *texts("a"))
    await log.renew_lease(WORKER, seconds=5)
    await reopen(log)

    assert await texts_of(log, run.run) == ["a"]
    assert (await log.read_run(run.run)).is_live


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
