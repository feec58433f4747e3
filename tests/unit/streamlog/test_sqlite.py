import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from potok.errors import StaleEpoch
from potok.events.envelope import START, Offset
from potok.events.kinds import RunEnd
from potok.streamlog.contract import Appended, Batch, RunRecord
from potok.streamlog.segments import SEGMENT_FORMAT, unpack_segment
from potok.streamlog.sqlite import SqliteLog
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
from tests.unit.streamlog.sqlite_file import reopen, rows

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
    await reopen(log)
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


# records while things happen


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


async def test_a_run_that_ends_while_its_row_is_read_is_seen_ended(
    log: SqliteLog, run: RunRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = log._read
    await write(log, run, *texts("a"))

    async def read_then_end(job: Any) -> Any:
        found = await read(job)
        monkeypatch.undo()
        await end(log, run)
        return found

    monkeypatch.setattr(log, "_read", read_then_end)
    record = await log.read_run(run.run)

    assert (record.status, record.tail, record.snapshot) == ("finished", 2, SNAPSHOT)
