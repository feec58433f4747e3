import asyncio
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, text

from potok.chats import migrations, schema
from potok.chats.contract import NewChat
from potok.chats.database import Database, sqlite_url
from potok.chats.file_header import check_file
from potok.chats.store import SqlChatStore
from potok.chats.tables import metadata
from potok.errors import DatabaseNewer, DatabaseUnusable
from potok.testing.fakes import FakeClock
from tests.postgres import new_schema, postgres_url


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "new folder" / "chats.sqlite3"


def store_of(kind: str, path: Path, name: str) -> SqlChatStore:
    url = sqlite_url(path) if kind == "sqlite" else postgres_url()
    return SqlChatStore(url, clock=FakeClock(), schema=name)


@pytest.fixture(params=["sqlite", "postgres"])
def kind(request: pytest.FixtureRequest) -> str:
    if request.param == "postgres":
        postgres_url()
    return str(request.param)


async def execute(database: Database, statement: str) -> None:
    async with database.writing() as connection:
        await connection.execute(text(statement))


async def test_the_migrations_make_the_tables_that_the_code_knows(kind: str, path: Path) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.runtime.migration import MigrationContext

    store = store_of(kind, path, new_schema())
    await store.open()

    def compare(connection: Connection) -> list[Any]:
        # What only full text needs is made by hand, in each database its own way.
        options = {
            "include_name": lambda name, what, _: not (name or "").startswith("search_words"),
            "version_table": "chats_version",
            "compare_type": True,
        }
        context = MigrationContext.configure(connection, opts=options)
        found: list[Any] = compare_metadata(context, metadata)
        return found

    async with store.database.reading() as connection:
        differences = await connection.run_sync(compare)
    await store.close()

    # The column of words in PostgreSQL.
    assert [one for one in differences if "words" not in str(one)] == []


async def test_the_last_step_is_the_one_that_is_looked_for(path: Path) -> None:
    from alembic.script import ScriptDirectory

    folder = str(Path(migrations.__file__).parent)
    scripts = ScriptDirectory(folder, version_locations=[folder])

    assert scripts.get_current_head() == migrations.HEAD
    assert [one.revision for one in scripts.walk_revisions()][::-1] == list(migrations.KNOWN)


async def test_servers_that_start_at_once_migrate_once(kind: str, path: Path) -> None:
    name = new_schema()
    path.parent.mkdir()
    stores = [store_of(kind, path, name) for _ in range(4)]

    await asyncio.gather(*(store.open() for store in stores))

    await stores[0].chats.create(NewChat(title="t"), principal="me")
    for store in stores:
        await store.close()


async def test_a_newer_database_is_refused_unchanged(kind: str, path: Path) -> None:
    name = new_schema()
    store = store_of(kind, path, name)
    await store.open()
    await execute(store.database, "UPDATE chats_version SET version_num = '0999'")
    await store.close()

    newer = store_of(kind, path, name)
    with pytest.raises(DatabaseNewer, match="0999"):
        await newer.open()


async def test_a_newer_file_is_known_by_its_header(path: Path) -> None:
    check_file(path)
    store = store_of("sqlite", path, "")
    await store.open()
    check_file(path)
    async with store.database.reading() as connection:
        await connection.execute(text("PRAGMA query_only = OFF"))
        await connection.execute(text("PRAGMA user_version = 999"))
        await connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
    await store.close()

    with pytest.raises(DatabaseNewer):
        check_file(path)


async def test_a_database_of_another_program_is_left_alone(kind: str, path: Path) -> None:
    name = new_schema()
    path.parent.mkdir()
    store = store_of(kind, path, name)
    if kind == "postgres":
        await execute(store.database, f"CREATE SCHEMA {name}")
    await execute(store.database, "CREATE TABLE theirs (id INTEGER)")

    with pytest.raises(DatabaseUnusable, match="another program"):
        await store.open()


async def test_a_file_with_chats_is_copied_before_it_is_changed(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = store_of("sqlite", path, "")
    await store.open()
    chat = await store.chats.create(NewChat(title="kept"), principal="me")
    await store.close()
    # As a later version would see it.
    monkeypatch.setattr(schema, "HEAD", "0002")
    monkeypatch.setattr(schema, "_upgrade", lambda connection, is_sqlite: None)

    later = store_of("sqlite", path, "")
    await later.open()
    await later.close()
    monkeypatch.undo()

    backup = path.with_name("chats.sqlite3.0001.backup")
    old = store_of("sqlite", backup, "")
    await old.open()
    assert (await old.chats.read(chat.id, principal="me")).title == "kept"
    await old.close()


async def test_a_failed_step_leaves_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(connection: Connection, is_sqlite: bool) -> None:
        connection.execute(text("CREATE TABLE half_done (id INTEGER)"))
        raise OSError("the disk is full")

    monkeypatch.setattr(schema, "_upgrade", fail)
    with pytest.raises(DatabaseUnusable, match="disk is full"):
        await store_of("sqlite", path, "").open()
    monkeypatch.undo()

    store = store_of("sqlite", path, "")
    await store.open()
    await store.close()
