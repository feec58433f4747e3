import sqlite3
from pathlib import Path

import pytest

from potok.streamlog.sqlite import SqliteLog
from potok.streamlog.sqlite_check import check_file
from potok.streamlog.sqlite_schema import SCHEMA_VERSION
from potok.testing.fakes import FakeClock


async def a_log(path: Path) -> None:
    log = SqliteLog(path, clock=FakeClock())
    await log.open()
    await log.close()


def execute(path: Path, statement: str) -> None:
    connection = sqlite3.connect(path)
    connection.execute(statement)
    connection.commit()
    connection.close()


def test_where_no_file_is_nothing_is_made(tmp_path: Path) -> None:
    assert check_file(tmp_path / "runs.sqlite3") is None
    assert list(tmp_path.iterdir()) == []


async def test_a_sound_log_has_no_fault(tmp_path: Path) -> None:
    path = tmp_path / "runs.sqlite3"
    await a_log(path)

    report = check_file(path)

    assert report is not None
    assert (report.fault, report.runs, report.version) == (None, 0, SCHEMA_VERSION)
    assert not report.is_in_use
    assert report.size_bytes == path.stat().st_size


async def test_a_log_in_use_is_looked_at_without_disturbing_it(tmp_path: Path) -> None:
    path = tmp_path / "runs.sqlite3"
    log = SqliteLog(path, clock=FakeClock())
    await log.open()

    report = check_file(path)
    listed = await log.list_runs(principal="local", items_max=1)
    await log.close()

    assert report is not None
    assert (report.fault, report.is_in_use) == (None, True)
    assert listed == []


def test_an_empty_file_is_a_log_that_was_not_begun(tmp_path: Path) -> None:
    path = tmp_path / "runs.sqlite3"
    path.touch()

    report = check_file(path)

    assert report is not None
    assert (report.fault, report.version) == (None, 0)


def test_a_database_of_another_program_is_told(tmp_path: Path) -> None:
    path = tmp_path / "runs.sqlite3"
    execute(path, "CREATE TABLE notes (text)")

    report = check_file(path)

    assert report is not None
    assert report.fault == f"{path} is a database of another program."


async def test_a_log_of_a_newer_potok_is_told(tmp_path: Path) -> None:
    path = tmp_path / "runs.sqlite3"
    await a_log(path)
    execute(path, f"PRAGMA user_version = {SCHEMA_VERSION + 1}")

    report = check_file(path)

    assert report is not None
    assert report.fault is not None
    assert f"schema version {SCHEMA_VERSION + 1}" in report.fault


@pytest.mark.parametrize(
    "content", [b"a text, no database" * 100, b"SQLite format 3\0" + b"x" * 99]
)
def test_what_is_no_database_is_told(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "runs.sqlite3"
    path.write_bytes(content)

    report = check_file(path)

    assert report is not None
    assert report.fault is not None
    assert "cannot be read" in report.fault


async def test_damage_is_found(tmp_path: Path) -> None:
    path = tmp_path / "runs.sqlite3"
    await a_log(path)
    content = bytearray(path.read_bytes())
    # The second page is the root of the first table; its header says what kind of page it is.
    content[4096:4104] = b"\xff" * 8
    path.write_bytes(content)

    report = check_file(path)

    assert report is not None
    assert report.fault is not None
