"""A child process appends without a pause and is killed; what it was told to be stored is there."""

import asyncio
import os
import shutil
import sys
from pathlib import Path

import pytest

from potok.clock import RunId
from potok.events.envelope import START
from potok.streamlog.sqlite import SqliteLog
from potok.testing.fakes import FakeClock
from potok.testing.streamlog_base import read_rest

ACKNOWLEDGED_MIN = 400

APPENDER = """
import asyncio, sys
from potok.streamlog.contract import Batch
from potok.streamlog.sqlite import SqliteLog
from potok.testing.fakes import CountingIds, FakeClock
from potok.testing.streamlog_base import create, ending_batch, texts

async def main():
    log, ids = SqliteLog(sys.argv[1], clock=FakeClock()), CountingIds()
    await log.open()
    runs = [await create(log, ids) for _ in range(3)]
    number = 0
    while True:
        number += 1
        batches = [Batch(one.run, 1, texts(f"{one.run} {number}")) for one in runs]
        if number % 50 == 0:
            batches[0] = ending_batch(runs[0])
            runs = [*runs[1:], await create(log, ids)]
        for done in await log.append(batches):
            print(done.run, done.tail, flush=True)

asyncio.run(main())
"""


async def append_until_killed(path: Path) -> dict[RunId, int]:
    """Return the tails that a child was told of before it was killed in the middle of its work."""
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        APPENDER,
        str(path),
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert child.stdout is not None
    tails: dict[RunId, int] = {}
    lines = 0
    while line := await child.stdout.readline():
        if not line.endswith(b"\n"):
            break
        run, tail = line.split()
        tails[RunId(run.decode())] = int(tail)
        lines += 1
        if lines == ACKNOWLEDGED_MIN:
            child.kill()
    assert await child.wait() == -9
    assert lines >= ACKNOWLEDGED_MIN
    return tails


async def assert_all_there(path: Path, tails: dict[RunId, int]) -> None:
    log = SqliteLog(path, clock=FakeClock())
    await log.open()
    for run, tail in tails.items():
        record = await log.read_run(run)
        stored = await read_rest(log, run, events_max=500)
        assert record.tail >= tail
        assert [one.offset for one in stored] == list(range(1, record.tail + 1))
        assert record.is_live == (record.snapshot is None)
    await log.close()


async def test_every_acknowledged_append_survives_kill_nine(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite3"

    tails = await append_until_killed(path)

    assert len(tails) > 3
    await assert_all_there(path, tails)


@pytest.mark.parametrize("rubbish", [b"\x00" * 5_000, b"torn " * 3_000, None])
async def test_rubbish_after_the_newest_commit_is_survived(
    tmp_path: Path, rubbish: bytes | None
) -> None:
    path = tmp_path / "log.sqlite3"
    tails = await append_until_killed(path)
    wal = tmp_path / "log.sqlite3-wal"
    whole = wal.read_bytes()
    # None: the last page that was being written is there in part.
    wal.write_bytes(whole + (rubbish if rubbish is not None else whole[-2_000:]))

    await assert_all_there(path, tails)


async def test_a_torn_log_opens_at_every_cut_with_its_events_in_order(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite3"
    await append_until_killed(path)
    whole = (tmp_path / "log.sqlite3-wal").read_bytes()

    for number, cut in enumerate(range(len(whole) // 2, len(whole), len(whole) // 16)):
        folder = tmp_path / str(number)
        folder.mkdir()
        shutil.copy(path, folder / "log.sqlite3")
        (folder / "log.sqlite3-wal").write_bytes(whole[:cut])
        log = SqliteLog(folder / "log.sqlite3", clock=FakeClock())
        await log.open()
        for record in await log.list_runs(principal="ann", items_max=50):
            page = await log.read(record.run, after=START, events_max=500)
            offsets = [one.offset for one in page.events]
            assert offsets == list(range(1, record.tail + 1))
        await log.close()
