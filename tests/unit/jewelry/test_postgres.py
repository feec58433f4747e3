"""The same tables, seed and queries on a real PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from potok_apps.jewelry.analysis import analyse
from potok_apps.jewelry.search import search_products
from potok_apps.jewelry.seed import seed
from potok_apps.jewelry.taste_store import read_facts, remember_fact, take_answer
from potok_apps.jewelry.trends import read_trends
from potok_apps.jewelry.wishes import parse_wishes
from tests.postgres import new_database, postgres_url
from tests.unit.jewelry.conftest import make_tables


@pytest.fixture
def postgres() -> str:
    """Start the server, outside of the event loop."""
    return postgres_url()


@pytest.fixture
async def other_shop(postgres: str) -> AsyncIterator[AsyncEngine]:
    url = (await new_database()).replace("postgresql://", "postgresql+asyncpg://")
    engine = create_async_engine(url)
    await make_tables(engine)
    await asyncio.gather(seed(engine), seed(engine))
    yield engine
    await engine.dispose()


async def test_both_databases_give_the_same_answers(
    shop: AsyncEngine, other_shop: AsyncEngine
) -> None:
    for message in ("кольцо с рубином из платины", "серьги 17,5 размера без бриллиантов", ""):
        wishes = parse_wishes(message)
        assert await search_products(other_shop, wishes, items_max=9) == await search_products(
            shop, wishes, items_max=9
        )
    assert await analyse(other_shop) == await analyse(shop)
    assert await read_trends(other_shop) == await read_trends(shop)


async def test_answers_and_facts_are_kept(other_shop: AsyncEngine) -> None:
    owner = {"principal": "anna", "user_id": "u-1"}

    async def say(message_id: str) -> int:
        step = await take_answer(
            other_shop, **owner, message_id=message_id, message="пропустить", now=1.0
        )
        return step.state.index

    steps = await asyncio.gather(*(say(f"m{n}") for n in range(4)))
    await asyncio.gather(
        *(remember_fact(other_shop, **owner, name="zodiac", value=n, now=1.0) for n in range(3))
    )

    assert sorted(steps) == [0, 1, 2, 3]
    assert (await read_facts(other_shop, **owner))["zodiac"] in (0, 1, 2)
