import asyncio
from pathlib import Path

import pytest
from sqlalchemy import Table, event, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from potok_apps.jewelry import tables
from potok_apps.jewelry.bounds import DATA_AS_OF
from potok_apps.jewelry.catalogue import read_catalogue
from potok_apps.jewelry.made_orders import make_orders, months_before
from potok_apps.jewelry.migrations import MIGRATIONS
from potok_apps.jewelry.seed import seed
from potok_apps.jewelry.shelf import read_products_by_id

TABLES = [table.name for table in tables.metadata.sorted_tables]


async def counts(engine: AsyncEngine) -> dict[str, int]:
    async with engine.connect() as connection:
        return {
            name: int(await connection.scalar(text(f"SELECT COUNT(*) FROM {name}")) or 0)
            for name in TABLES
        }


async def test_the_shop_has_its_customers_orders_and_notes(shop: AsyncEngine) -> None:
    found = await counts(shop)

    assert found["jewelry_products"] >= 64
    assert found["jewelry_customers"] == 800
    assert found["jewelry_orders"] >= 4_000
    assert found["jewelry_order_items"] > found["jewelry_orders"]
    assert found["jewelry_trend_notes"] >= 24


async def test_a_second_seed_writes_nothing(own_shop: AsyncEngine) -> None:
    before = await counts(own_shop)
    written: list[str] = []
    event.listen(
        own_shop.sync_engine,
        "before_cursor_execute",
        lambda _c, _cursor, statement, *_: written.append(statement),
    )

    await seed(own_shop)

    assert await counts(own_shop) == before
    assert [one for one in written if one.startswith(("DELETE", "INSERT INTO jewelry_p"))] == []


async def test_two_workers_seed_once(tmp_path: Path) -> None:
    engines = [create_async_engine(f"sqlite+aiosqlite:///{tmp_path / 'two'}") for _ in range(2)]
    async with engines[0].begin() as connection:
        for statement in MIGRATIONS[0].statements:
            await connection.execute(text(statement))

    await asyncio.gather(*(seed(engine) for engine in engines))

    assert (await counts(engines[0]))["jewelry_customers"] == 800
    for engine in engines:
        await engine.dispose()


async def test_a_newer_version_of_the_data_leaves_users_alone(own_shop: AsyncEngine) -> None:
    async with own_shop.begin() as connection:
        await connection.execute(text("UPDATE jewelry_seeds SET version = 0"))
        await connection.execute(text("DELETE FROM jewelry_products WHERE id = 'JW-0001'"))
        await connection.execute(
            tables.profile_facts.insert().values(
                principal="p", user_id="u", name="zodiac", value='"leo"', updated_at=1.0
            )
        )

    await seed(own_shop)

    found = await counts(own_shop)
    assert found["jewelry_products"] == len(read_catalogue())
    assert found["jewelry_profile_facts"] == 1


async def test_pieces_come_back_from_the_tables_as_they_went_in(shop: AsyncEngine) -> None:
    pieces = read_catalogue()

    stored = await read_products_by_id(shop, [one.id for one in pieces])

    assert stored == list(pieces)


def test_orders_are_equal_at_every_making() -> None:
    assert make_orders(read_catalogue()) == make_orders(read_catalogue())


def test_orders_fill_two_years_and_belong_to_customers_of_that_day() -> None:
    customers, orders = make_orders(read_catalogue())

    known = {one.id: one for one in customers}
    assert {f"{one.ordered_on:%Y-%m}" for one in orders} == {
        f"{months_before(DATA_AS_OF, back):%Y-%m}" for back in range(24)
    }
    assert all(
        known[one.customer_id].joined_on <= one.ordered_on <= known[one.customer_id].left_on
        for one in orders
    )
    assert {one.customer_id for one in orders} == known.keys()


@pytest.mark.parametrize("table", tables.metadata.sorted_tables, ids=lambda table: table.name)
async def test_migrations_make_what_the_tables_say(table: Table, empty_shop: AsyncEngine) -> None:
    async with empty_shop.connect() as connection:
        rows = list(await connection.execute(text(f"PRAGMA table_info({table.name})")))

    assert table.name.startswith("jewelry_")
    assert {row.name for row in rows} == {column.name for column in table.columns}
    assert {row.name for row in rows if row.pk} == {column.name for column in table.primary_key}
