from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from potok.streamlog.contract import RunRecord
from potok.streamlog.group_commit import GroupCommit
from potok.streamlog.sqlite import SqliteLog
from potok.testing.fakes import CountingIds, FakeClock, RecordingObserver
from potok.testing.streamlog_base import (
    create,
)
from tests.unit.streamlog.steered import SteeredLog


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def ids() -> CountingIds:
    return CountingIds()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log.sqlite3"


@pytest_asyncio.fixture
async def log(path: Path, clock: FakeClock) -> AsyncIterator[SqliteLog]:
    log = SqliteLog(path, clock=clock)
    await log.open()
    yield log
    await log.close()


@pytest_asyncio.fixture
async def run(log: SqliteLog, ids: CountingIds) -> RunRecord:
    return await create(log, ids)


@pytest.fixture
def observer() -> RecordingObserver:
    return RecordingObserver()


@pytest_asyncio.fixture
async def steered() -> SteeredLog:
    return SteeredLog(FakeClock())


@pytest_asyncio.fixture
async def commit(steered: SteeredLog, observer: RecordingObserver) -> AsyncIterator[GroupCommit]:
    commit = GroupCommit(steered, clock=FakeClock(), observer=observer)
    yield commit
    steered.free.set()
    await commit.close()


@pytest.fixture
def faults() -> list[dict[str, Any]]:
    """What reached the event loop's exception handler."""
    return []
