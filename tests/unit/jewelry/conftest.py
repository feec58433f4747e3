import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from potok_apps.jewelry.migrations import MIGRATIONS
from potok_apps.jewelry.seed import seed


async def make_tables(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        for migration in MIGRATIONS:
            for statement in migration.statements:
                await connection.execute(text(statement))


@pytest.fixture(scope="session")
def seeded_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database of the app as a server has it; tests only read it."""
    path = tmp_path_factory.mktemp("jewelry") / "seeded.sqlite3"

    async def make() -> None:
        engine = create_async_engine(f"sqlite+aiosqlite:///{path}")
        await make_tables(engine)
        await seed(engine)
        await engine.dispose()

    asyncio.run(make())
    return path


@pytest.fixture
async def shop(seeded_file: Path) -> AsyncIterator[AsyncEngine]:
    """The seeded database, to be read."""
    engine = create_async_engine(f"sqlite+aiosqlite:///{seeded_file}")
    yield engine
    await engine.dispose()


@pytest.fixture
async def own_shop(seeded_file: Path, tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    """A copy of the seeded database, to be written, with one connection as servers have it."""
    path = tmp_path / "own.sqlite3"
    shutil.copy(seeded_file, path)
    engine = create_async_engine(f"sqlite+aiosqlite:///{path}", pool_size=1, max_overflow=0)
    yield engine
    await engine.dispose()


@pytest.fixture
async def empty_shop(tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    """Tables with nothing in them."""
    engine = create_async_engine(f"sqlite+aiosqlite:///{tmp_path / 'empty.sqlite3'}")
    await make_tables(engine)
    yield engine
    await engine.dispose()
