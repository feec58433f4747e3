"""Lines to Redis that are reset while nobody uses them, under the event loop that servers run."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import uvloop

from potok.events.envelope import START
from potok.limits import REDIS_CONNECTIONS_MAX
from potok.streamlog.redis import RedisLog
from potok.testing.fakes import CountingIds
from potok.testing.streamlog_base import create, texts, texts_of, write
from tests.integration.chaos.links import Link
from tests.redis_server import RedisServer, need_redis

pytestmark = [pytest.mark.integration, pytest.mark.timeout(60)]

NOTICED_SECONDS = 0.1
RECHECKED_SECONDS = 1.6
READERS = 50
QUIET_SECONDS = 5.5  # redis-py would cut a quiet line after five


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    need_redis()
    server = RedisServer(tmp_path / "redis")
    server.start()
    yield server
    server.kill()


@asynccontextmanager
async def log_behind(link: Link) -> AsyncIterator[RedisLog]:
    log = RedisLog(f"redis://127.0.0.1:{await link.open()}/0")
    await log.open()
    try:
        yield log
    finally:
        await log.close()
        link.shut()


async def cut(link: Link) -> None:
    """Reset every connection, and let the loop notice before it uses one."""
    link.obey("cut")
    await asyncio.sleep(NOTICED_SECONDS)


def test_a_line_that_was_reset_is_opened_anew(redis: RedisServer) -> None:
    async def write_twice() -> list[str]:
        link = Link(redis.port)
        async with log_behind(link) as log:
            run = await create(log, CountingIds())
            for word in ("a", "b"):
                await cut(link)
                await write(log, run, *texts(word))
            await cut(link)
            return await texts_of(log, run.run)

    assert uvloop.run(write_twice()) == ["a", "b"]


def test_whoever_waits_hears_of_growth_after_all_lines_were_reset(redis: RedisServer) -> None:
    async def hear() -> bool:
        link = Link(redis.port)
        async with log_behind(link) as reader, log_behind(Link(redis.port)) as writer:
            run = await create(writer, CountingIds())
            waiting = asyncio.create_task(reader.wait_beyond(run.run, START, seconds=30))
            for _ in range(3):
                await cut(link)
                await asyncio.sleep(RECHECKED_SECONDS)
            # From now on nobody is told anything: only looks at the run can find it grown.
            redis.ask("ACL", "SETUSER", "default", "resetchannels")
            redis.ask("CLIENT", "KILL", "TYPE", "pubsub")
            await write(writer, run, *texts("a"))
            async with asyncio.timeout(5):
                return await waiting

    assert uvloop.run(hear())


def listeners_of(redis: RedisServer) -> list[str]:
    """Return the ids of the lines that listen."""
    listed = redis.ask("CLIENT", "LIST", "TYPE", "pubsub").decode()
    return re.findall(r"\bid=(\d+)", listed)


async def test_readers_share_one_listening_line_that_no_silence_cuts(redis: RedisServer) -> None:
    log = RedisLog(redis.url)
    await log.open()
    try:
        run = await create(log, CountingIds())
        waits = [
            asyncio.create_task(log.wait_beyond(run.run, START, seconds=30)) for _ in range(READERS)
        ]
        await asyncio.sleep(NOTICED_SECONDS)
        before = listeners_of(redis)
        await asyncio.sleep(QUIET_SECONDS)
        after = listeners_of(redis)
        lines = redis.ask("CLIENT", "LIST", "TYPE", "normal").decode().count("id=")
        await write(log, run, *texts("a"))
        async with asyncio.timeout(5):
            heard = await asyncio.gather(*waits)
    finally:
        await log.close()

    assert len(before) == 1
    assert after == before
    # The line that asks this very question is one of them.
    assert lines <= REDIS_CONNECTIONS_MAX + 2
    assert heard == [True] * READERS
