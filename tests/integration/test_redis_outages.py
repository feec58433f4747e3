"""Live runs while Redis takes nothing for a while: full, read-only, locked, deaf or gone."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.integration.harness import running_server, start_run, whole_run
from tests.integration.test_redis_workers import PROMPT, Reader, text_of
from tests.redis_server import RedisServer, need_redis

pytestmark = [pytest.mark.integration, pytest.mark.timeout(60)]

OUTAGE_SECONDS = 1.0
END_SECONDS_MAX = 20.0

ASKED = {"model": "demo", "messages": [{"role": "user", "content": "Hi"}]}

Fault = tuple[Callable[[], object], Callable[[], object]]


def faults_of(redis: RedisServer) -> dict[str, Fault]:
    """Return what may happen to a Redis, each with its end."""

    def asking(*words: str) -> Callable[[], bytes]:
        return lambda: redis.ask(*words)

    return {
        "full": (
            asking("CONFIG", "SET", "maxmemory", "1mb"),
            asking("CONFIG", "SET", "maxmemory", "0"),
        ),
        "read-only": (
            asking("REPLICAOF", "127.0.0.1", "1"),
            asking("REPLICAOF", "NO", "ONE"),
        ),
        "locked": (
            asking("ACL", "SETUSER", "default", "-evalsha"),
            asking("ACL", "SETUSER", "default", "+@all"),
        ),
        "deaf": (redis.pause, redis.resume),
        "gone": (redis.kill, redis.start),
    }


async def test_runs_go_on_where_they_were_after_redis_took_nothing_for_a_while(
    tmp_path: Path,
) -> None:
    need_redis()
    redis = RedisServer(tmp_path / "redis", "--appendonly", "yes", "--appendfsync", "always")
    redis.start()
    settings = {"POTOK_REDIS_URL": redis.url, "POTOK_DEMO_TOKENS_PER_SECOND": "150"}
    readers, refusals = {}, {}
    try:
        async with (
            running_server(tmp_path / "data", **settings) as server,
            httpx.AsyncClient(base_url=server.url, timeout=30) as client,
        ):
            for name, (begin, end) in faults_of(redis).items():
                readers[name] = reader = Reader(await start_run(client, PROMPT), [server])
                reading = asyncio.create_task(reader.read())
                await reader.enough.wait()

                begin()
                await asyncio.sleep(OUTAGE_SECONDS)
                if name != "deaf":
                    refusals[name] = await client.post("/api/runs", json=ASKED)
                await asyncio.to_thread(end)
                async with asyncio.timeout(END_SECONDS_MAX):
                    await reading
            uncut = text_of(await whole_run(client, await start_run(client, PROMPT)))
    finally:
        redis.kill()
    for reader in readers.values():
        reader.check(uncut)
    for refusal in refusals.values():
        assert (refusal.status_code, refusal.json()["error"]["code"]) == (503, "log_unavailable")
        assert "retry-after" in refusal.headers
    said = {name: refusal.json()["error"]["message"] for name, refusal in refusals.items()}
    assert "is out of memory" in said["full"]
    assert "a replica that can only be read" in said["read-only"]
    assert "does not let that user do what Potok needs" in said["locked"]
    assert "cannot be reached" in said["gone"]
