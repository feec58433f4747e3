"""Migrations of apps run once each, in their order, and a newer database is refused."""

from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from potok.apps.contract import App, AppContext, Migration
from potok.apps.database import AppsDatabase
from potok.chats.database import sqlite_url
from potok.errors import ChatsUnavailable, DatabaseNewer

FIRST = Migration(number=1, statements=("CREATE TABLE shop_things (name TEXT)",))
SECOND = Migration(
    number=2,
    statements=(
        "ALTER TABLE shop_things ADD COLUMN price INTEGER",
        "INSERT INTO shop_things (name, price) VALUES ('ring', 5)",
    ),
)
BROKEN = Migration(
    number=3, statements=("INSERT INTO shop_things (name) VALUES ('half')", "no SQL at all")
)


async def build(context: AppContext) -> list[object]:
    return []


def shop(*migrations: Migration, seeded: list[str] | None = None) -> App:
    async def seed(engine: AsyncEngine) -> None:
        if seeded is not None:
            seeded.append("seed")

    return App(
        name="shop",
        titles={},
        agents=(),
        build=build,  # type: ignore[arg-type]
        migrations=migrations,
        seed=seed,
    )


async def things(database: AppsDatabase) -> list[tuple[object, ...]]:
    async with database.engine.connect() as connection:
        rows = await connection.execute(text("SELECT name, price FROM shop_things"))
        return [tuple(row) for row in rows]


@pytest.fixture
def url(tmp_path: Path) -> str:
    return sqlite_url(tmp_path / "apps.sqlite3")


async def test_each_step_runs_once_and_the_seed_each_time(url: str) -> None:
    seeded: list[str] = []
    for migrations in ([FIRST], [SECOND, FIRST], [FIRST, SECOND]):
        database = AppsDatabase(url)
        await database.prepare(shop(*migrations, seeded=seeded))
        await database.close()

    database = AppsDatabase(url)
    assert await things(database) == [("ring", 5)]
    assert seeded == ["seed"] * 3
    await database.close()


async def test_a_step_that_fails_leaves_nothing(url: str) -> None:
    database = AppsDatabase(url)
    await database.prepare(shop(FIRST, SECOND))
    with pytest.raises(ChatsUnavailable):
        await database.prepare(shop(FIRST, SECOND, BROKEN))

    assert await things(database) == [("ring", 5)]
    await database.close()


async def test_tables_of_a_newer_app_are_refused(url: str) -> None:
    database = AppsDatabase(url)
    await database.prepare(shop(FIRST, SECOND))

    with pytest.raises(DatabaseNewer, match="newer version"):
        await database.prepare(shop(FIRST))
    await database.close()
