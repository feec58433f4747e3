import sqlite3

import pytest

from potok.errors import DatabaseNewer, DataFolderUnusable
from potok.streamlog import sqlite_schema
from potok.streamlog.migrations import STEPS
from potok.streamlog.sqlite_schema import SCHEMA_VERSION, migrate


@pytest.fixture
def connection() -> sqlite3.Connection:
    return sqlite3.connect(":memory:", isolation_level=None)


def version_of(connection: sqlite3.Connection) -> int:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return version


def tables_of(connection: sqlite3.Connection) -> set[str]:
    return {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}


def test_an_empty_database_gets_the_whole_schema(connection: sqlite3.Connection) -> None:
    migrate(connection, path="log")

    assert version_of(connection) == SCHEMA_VERSION
    assert {"runs", "segments", "workers"} <= tables_of(connection)


def test_a_second_migration_changes_nothing(connection: sqlite3.Connection) -> None:
    migrate(connection, path="log")
    before = connection.total_changes, tables_of(connection)

    migrate(connection, path="log")

    assert (connection.total_changes, tables_of(connection)) == before


def test_only_the_missing_steps_are_taken(
    connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrate(connection, path="log")
    later = (*STEPS, ("CREATE TABLE more (x)",), ("CREATE TABLE most (x)",))
    monkeypatch.setattr(sqlite_schema, "STEPS", later)
    monkeypatch.setattr(sqlite_schema, "SCHEMA_VERSION", len(later))

    migrate(connection, path="log")

    assert version_of(connection) == SCHEMA_VERSION + 2
    assert {"more", "most"} <= tables_of(connection)


def test_a_step_that_fails_leaves_the_version_before_it(
    connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = (*STEPS, ("CREATE TABLE half (x)", "CREATE NONSENSE"))
    monkeypatch.setattr(sqlite_schema, "STEPS", broken)
    monkeypatch.setattr(sqlite_schema, "SCHEMA_VERSION", len(broken))

    with pytest.raises(sqlite3.OperationalError):
        migrate(connection, path="log")

    assert version_of(connection) == SCHEMA_VERSION
    assert "half" not in tables_of(connection)
    assert not connection.in_transaction


def test_a_newer_database_is_refused_by_both_versions(connection: sqlite3.Connection) -> None:
    migrate(connection, path="log")
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 3}")

    with pytest.raises(DatabaseNewer) as caught:
        migrate(connection, path="some/log.sqlite3")

    assert f"version {SCHEMA_VERSION + 3}" in caught.value.message
    assert f"up to {SCHEMA_VERSION}" in caught.value.message
    assert "some/log.sqlite3" in caught.value.message
    assert version_of(connection) == SCHEMA_VERSION + 3


@pytest.mark.parametrize("made_by", ["CREATE TABLE theirs (x)", "PRAGMA user_version = 1"])
def test_a_database_of_another_program_is_refused(
    connection: sqlite3.Connection, made_by: str
) -> None:
    connection.execute(made_by)
    before = tables_of(connection)

    with pytest.raises(DataFolderUnusable):
        migrate(connection, path="log")

    assert tables_of(connection) == before
