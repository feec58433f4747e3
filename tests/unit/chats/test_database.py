from pathlib import Path

import pytest
from sqlalchemy import text

from potok.chats.database import Database, sqlite_url
from potok.chats.store import SqlChatStore
from potok.errors import ChatsUnavailable, DatabaseUnusable
from potok.testing.fakes import FakeClock


@pytest.mark.parametrize("url", ["", "nonsense", "mysql://u:secret@h/d", "sqlite://", "http://x"])
def test_other_databases_are_refused_without_showing_the_password(url: str) -> None:
    with pytest.raises(DatabaseUnusable) as refused:
        Database(url)

    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+asyncpg"])
def test_the_usual_urls_of_postgresql_are_taken(scheme: str) -> None:
    database = Database(f"{scheme}://u:secret@db.example/chats?sslmode=require")

    assert not database.is_sqlite
    assert database.place == "PostgreSQL at db.example"
    assert database.engines[0].url.query == {"ssl": "require"}


async def test_a_database_that_does_not_answer_is_said_at_the_start() -> None:
    store = SqlChatStore("postgresql://u:secret@127.0.0.1:1/none", clock=FakeClock())

    with pytest.raises(DatabaseUnusable) as refused:
        await store.open()

    assert "secret" not in str(refused.value)


async def test_a_file_that_is_no_database_is_said(tmp_path: Path) -> None:
    path = tmp_path / "chats.sqlite3"
    path.write_bytes(b"nothing that SQLite knows" * 100)

    with pytest.raises(DatabaseUnusable):
        await SqlChatStore(sqlite_url(path), clock=FakeClock()).open()


async def test_a_failed_statement_is_no_word_of_what_people_wrote(tmp_path: Path) -> None:
    database = Database(sqlite_url(tmp_path / "chats.sqlite3"))

    with pytest.raises(ChatsUnavailable) as failed:
        async with database.writing() as connection:
            await connection.execute(text("INSERT INTO nowhere VALUES ('private words')"))

    assert "private" not in str(failed.value)
    await database.close()


async def test_a_transaction_that_fails_changes_nothing(tmp_path: Path) -> None:
    database = Database(sqlite_url(tmp_path / "chats.sqlite3"))
    async with database.writing() as connection:
        await connection.execute(text("CREATE TABLE t (x INTEGER)"))

    async def insert_and_fail() -> None:
        async with database.writing() as connection:
            await connection.execute(text("INSERT INTO t VALUES (1)"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await insert_and_fail()
    async with database.reading() as connection:
        found = (await connection.execute(text("SELECT count(*) FROM t"))).scalar_one()

    assert found == 0
    await database.close()
