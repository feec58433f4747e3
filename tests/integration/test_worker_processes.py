"""`potok serve --workers`: one address, several processes, and what becomes of them."""

import asyncio
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.integration.harness import Server, running_server, start_run, whole_run
from tests.redis_server import RedisServer, need_redis

pytestmark = [pytest.mark.integration, pytest.mark.timeout(60)]

WORKERS = 2
SOON_SECONDS = 20.0
EXIT_SECONDS_MAX = 5.0


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    need_redis()
    server = RedisServer(tmp_path / "redis")
    server.start()
    yield server
    server.kill()


def children_of(process_id: int) -> set[int]:
    """Return the processes that a process started, as Linux lists them."""
    listed = Path(f"/proc/{process_id}/task/{process_id}/children").read_text()
    return {int(word) for word in listed.split()}


def is_alive(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    return True


async def until_workers(server: Server, count: int, *, without: int = 0) -> set[int]:
    """Wait until so many workers are there, and one of old is gone."""
    async with asyncio.timeout(SOON_SECONDS):
        while True:
            found = children_of(server.process_id)
            if len(found) == count and without not in found:
                return found
            await asyncio.sleep(0.05)


async def until_gone(process_ids: set[int]) -> None:
    async with asyncio.timeout(SOON_SECONDS):
        for one in process_ids:
            while True:
                if not is_alive(one):
                    break
                await asyncio.sleep(0.05)


async def test_a_worker_that_is_killed_is_replaced_and_nobody_is_refused(
    redis: RedisServer, tmp_path: Path
) -> None:
    settings = {
        "POTOK_WORKERS": str(WORKERS),
        "POTOK_REDIS_URL": redis.url,
        "POTOK_DEMO_TOKENS_PER_SECOND": "0",
    }
    async with running_server(tmp_path / "data", **settings) as server:
        before = await until_workers(server, WORKERS)
        killed = min(before)
        os.kill(killed, signal.SIGKILL)
        ends = []
        for _ in range(10):
            # A connection each, so that every worker has its turn.
            async with httpx.AsyncClient(base_url=server.url, timeout=30) as client:
                whole = await whole_run(client, await start_run(client, "Hi"))
                ends.append(whole[-1][1])
        after = await until_workers(server, WORKERS, without=killed)
        loop = asyncio.get_running_loop()
        began = loop.time()
        status = await server.stop()
        took = loop.time() - began
        await until_gone(after)

    assert ends == ["run-end"] * 10
    assert (status, took < EXIT_SECONDS_MAX) == (0, True)
    assert any("A worker ended with status -9" in line for line in server.lines)
    assert sum("is ready at" in line for line in server.lines) == 1


async def test_workers_end_when_their_parent_is_killed(redis: RedisServer, tmp_path: Path) -> None:
    settings = {"POTOK_WORKERS": str(WORKERS), "POTOK_REDIS_URL": redis.url}
    async with running_server(tmp_path / "data", **settings) as server:
        workers = await until_workers(server, WORKERS)
        async with httpx.AsyncClient(base_url=server.url, timeout=30) as client:
            await client.get("/healthz")

        os.kill(server.process_id, signal.SIGKILL)

        await until_gone(workers)


async def test_workers_that_cannot_start_say_why_once_and_end(tmp_path: Path) -> None:
    need_redis()
    settings = {"POTOK_WORKERS": str(WORKERS), "POTOK_REDIS_URL": "redis://127.0.0.1:1/0"}
    server = Server(tmp_path / "data", **settings)

    with pytest.raises(AssertionError, match=r"Redis at .* cannot be reached"):
        await server.start()

    assert not any("Traceback" in line for line in server.lines)


async def test_several_workers_without_redis_are_refused(tmp_path: Path) -> None:
    server = Server(tmp_path / "data", POTOK_WORKERS="2")

    with pytest.raises(AssertionError, match="set POTOK_REDIS_URL"):
        await server.start()
