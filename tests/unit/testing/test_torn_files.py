from pathlib import Path

from potok.streamlog.sqlite import SqliteLog
from potok.testing.fakes import CountingIds, FakeClock
from potok.testing.streamlog_base import create, texts, texts_of, write
from potok.testing.torn_files import torn_copy, wal_bytes


async def test_every_cut_leaves_a_whole_commit_or_none(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite3"
    log = SqliteLog(path, clock=FakeClock())
    await log.open()
    run = await create(log, CountingIds())
    await write(log, run, *texts("acknowledged"))
    sure = wal_bytes(path)
    await write(log, run, *texts("one", "two"))
    whole = wal_bytes(path)

    kept = []
    for cut in range(sure, whole + 1, max((whole - sure) // 5, 1)):
        copy = torn_copy(path, tmp_path / str(cut), wal_bytes_kept=cut)
        again = SqliteLog(copy, clock=FakeClock())
        await again.open()
        kept.append(await texts_of(again, run.run))
        await again.close()
    await log.close()

    assert kept[0] == ["acknowledged"]
    assert all(texts in (["acknowledged"], ["acknowledged", "one", "two"]) for texts in kept)


async def test_a_file_without_a_write_ahead_log_is_copied_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite3"
    log = SqliteLog(path, clock=FakeClock())
    await log.open()
    await log.close()

    copy = torn_copy(path, tmp_path / "copy", wal_bytes_kept=0)

    assert (wal_bytes(path), wal_bytes(copy)) == (0, 0)
    assert copy.read_bytes() == path.read_bytes()
