"""P5: a worker that loses its way to Redis for longer than its lease, and finds it again."""

import asyncio
import json
from pathlib import Path

import httpx
import pytest

from tests.integration.harness import Server, start_run
from tests.integration.test_redis_workers import (
    END_SECONDS_MAX,
    GAP_SECONDS_MAX,
    PROMPT,
    Reader,
    uncut_text,
)
from tests.redis_proxy import RedisProxy
from tests.redis_server import RedisServer, need_redis

pytestmark = [pytest.mark.integration, pytest.mark.timeout(60)]

CUT_SECONDS = 6.5


async def test_a_worker_that_is_cut_off_is_taken_over_and_writes_nothing_when_it_is_back(
    tmp_path: Path,
) -> None:
    need_redis()
    redis = RedisServer(tmp_path / "redis")
    redis.start()
    pace = {"POTOK_DEMO_TOKENS_PER_SECOND": "50"}
    servers: list[Server] = []
    try:
        async with RedisProxy(redis.port) as way:
            a = Server(tmp_path / "a", POTOK_REDIS_URL=way.url, **pace)
            b = Server(tmp_path / "b", POTOK_REDIS_URL=redis.url, **pace)
            for server in (a, b):
                await server.start()
                servers.append(server)
            uncut = asyncio.create_task(uncut_text(b))
            async with httpx.AsyncClient(base_url=a.url, timeout=30) as client:
                runs = [await start_run(client, PROMPT) for _ in range(3)]
            readers = [Reader(run, [b]) for run in runs]
            async with asyncio.TaskGroup() as group, asyncio.timeout(END_SECONDS_MAX):
                for reader in readers:
                    group.create_task(reader.read())
                for reader in readers:
                    await reader.enough.wait()
                way.cut()
                await asyncio.sleep(CUT_SECONDS)
                way.mend()
            text = await uncut
            async with httpx.AsyncClient(base_url=a.url, timeout=30) as client:
                async with asyncio.timeout(GAP_SECONDS_MAX):
                    while True:
                        if (await client.get("/healthz")).json()["live_runs"] == 0:
                            break
                        await asyncio.sleep(0.1)
                states = [(await client.get(f"/api/runs/{run}")).json() for run in runs]
    finally:
        for server in servers:
            await server.kill()
        redis.kill()
    for reader, state in zip(readers, states, strict=True):
        reader.check(text)
        assert reader.gap_seconds < GAP_SECONDS_MAX
        changes = [json.loads(fields) for _, kind, fields in reader.events if kind[:6] == "source"]
        assert [change["reason"] for change in changes] == ["worker_lost"]
        assert (state["status"], state["message"]["text"]) == ("finished", text)
