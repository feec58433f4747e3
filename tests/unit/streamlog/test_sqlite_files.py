import asyncio
import os
import sys
from pathlib import Path

import pytest

from potok.errors import DatabaseNewer, DataFolderInUse, DataFolderUnusable, SetupError
from potok.streamlog.sqlite import SqliteLog
from potok.streamlog.sqlite_files import FileLock
from potok.testing.fakes import CountingIds, FakeClock
from potok.testing.streamlog_base import new_run


def make_log(path: Path) -> SqliteLog:
    return SqliteLog(path, clock=FakeClock())


async def refusal_of(path: Path) -> SetupError:
    with pytest.raises(SetupError) as caught:
        await make_log(path).open()
    return caught.value


async def test_open_makes_the_folder(tmp_path: Path) -> None:
    path = tmp_path / "not" / "there" / "log.sqlite3"
    log = make_log(path)

    await log.open()
    await log.close()

    assert path.exists()


async def test_only_the_owner_may_read_what_is_made(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    log = make_log(folder / "log.sqlite3")
    await log.open()
    await log.create_run(new_run(CountingIds()))

    rights = {one.name: one.stat().st_mode & 0o777 for one in (folder, *folder.iterdir())}
    await log.close()

    assert rights == {
        "data": 0o700,
        "log.sqlite3": 0o600,
        "log.sqlite3-shm": 0o600,
        "log.sqlite3-wal": 0o600,
        "log.sqlite3.lock": 0o600,
    }


async def test_a_close_whose_caller_gave_up_still_releases_the_file(tmp_path: Path) -> None:
    log = make_log(tmp_path / "log.sqlite3")
    await log.open()
    closing = asyncio.create_task(log.close())
    await asyncio.sleep(0)

    closing.cancel()
    await asyncio.wait([closing])
    await log.close()

    again = make_log(tmp_path / "log.sqlite3")
    await again.open()
    await again.close()


async def test_opening_and_closing_twice_is_harmless(tmp_path: Path) -> None:
    log = make_log(tmp_path / "log.sqlite3")

    await log.open()
    await log.open()
    await log.close()
    await log.close()
    await log.open()
    await log.close()


async def test_a_path_under_a_file_is_refused_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")

    refusal = await refusal_of(tmp_path / "file" / "log.sqlite3")

    assert isinstance(refusal, DataFolderUnusable)
    assert "POTOK_DATA_DIR" in refusal.message
    assert str(tmp_path / "file") in refusal.message


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is read-only for root")
async def test_a_folder_that_may_not_be_written_is_refused(tmp_path: Path) -> None:
    os.chmod(tmp_path, 0o500)
    try:
        assert isinstance(await refusal_of(tmp_path / "log.sqlite3"), DataFolderUnusable)
    finally:
        os.chmod(tmp_path, 0o700)


async def test_a_folder_in_the_database_s_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "log.sqlite3").mkdir()

    assert isinstance(await refusal_of(tmp_path / "log.sqlite3"), DataFolderUnusable)


@pytest.mark.parametrize("content", [b"these are words, and no database" * 200, b"SQLite format 3"])
async def test_a_file_that_is_no_database_is_refused_unchanged(
    tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "log.sqlite3"
    path.write_bytes(content)

    refusal = await refusal_of(path)

    assert isinstance(refusal, DataFolderUnusable)
    assert path.read_bytes() == content


async def test_a_database_whose_pages_are_damaged_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite3"
    log = make_log(path)
    await log.open()
    await log.close()
    whole = path.read_bytes()
    path.write_bytes(whole[:4096] + b"\xff" * (len(whole) - 4096))

    assert isinstance(await refusal_of(path), DataFolderUnusable)


async def test_a_newer_database_is_refused_and_usable_again_afterwards(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite3"
    log = make_log(path)
    await log.open()
    assert log._writer is not None
    writer = log._writer
    await log._write(lambda _: writer.connection.execute("PRAGMA user_version = 99").fetchall())
    await log.close()
    before = path.read_bytes()

    refusal = await refusal_of(path)

    assert isinstance(refusal, DatabaseNewer)
    assert "99" in refusal.message
    assert path.read_bytes() == before


async def test_a_second_log_on_the_same_file_is_refused_by_the_holder_s_pid(
    tmp_path: Path,
) -> None:
    path = tmp_path / "log.sqlite3"
    log = make_log(path)
    await log.open()

    refusal = await refusal_of(path)
    await log.close()

    assert isinstance(refusal, DataFolderInUse)
    assert f"process {os.getpid()}" in refusal.message
    again = make_log(path)
    await again.open()
    await again.close()


HOLDER = """
import sys
from pathlib import Path
from potok.streamlog.sqlite_files import FileLock
lock = FileLock(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


async def test_two_processes_never_share_a_file(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite3"
    holder = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        HOLDER,
        str(path),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert holder.stdout is not None
    assert await holder.stdout.readline() == b"held\n"

    refusal = await refusal_of(path)
    holder.kill()
    await holder.wait()

    assert isinstance(refusal, DataFolderInUse)
    assert f"process {holder.pid}" in refusal.message
    # The kernel gave the lock back, though nobody could clean up.
    log = make_log(path)
    await log.open()
    await log.close()


def test_a_lock_names_its_last_holder_alone(tmp_path: Path) -> None:
    (tmp_path / "log.lock").write_text("123456789012 was here before")

    lock = FileLock(tmp_path / "log")
    written = (tmp_path / "log.lock").read_text()
    lock.release()

    assert written == f"{os.getpid()}\n"


def test_a_lock_is_free_after_its_release(tmp_path: Path) -> None:
    first = FileLock(tmp_path / "log")
    with pytest.raises(DataFolderInUse):
        FileLock(tmp_path / "log")
    first.release()

    FileLock(tmp_path / "log").release()
