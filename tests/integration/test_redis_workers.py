"""P2, P4, P5, P8 across workers: two servers on one Redis, and what may happen to each."""

import asyncio
import json
import random
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from potok.testing.upstream import ScriptedUpstream
from potok.testing.upstream_script import Script
from tests.integration.harness import Server, events_of, start_run, upstream_of, whole_run
from tests.redis_server import RedisServer, need_redis

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

RUNS = 5
PROMPT = "Расскажи подробно, что такое Поток и как он хранит ответы"
SHOWN_MIN = 20
GAP_SECONDS_MAX = 7.0  # a worker's lease, and two seconds
END_SECONDS_MAX = 60.0
LINE_TRIES_MAX = 400

Seen = list[tuple[str, str, str]]


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    need_redis()
    # With the usual `everysec` a killed Redis may lose what it wrote while its disk was busy.
    server = RedisServer(tmp_path / "redis", "--appendonly", "yes", "--appendfsync", "always")
    server.start()
    yield server
    server.kill()


@asynccontextmanager
async def servers_on(
    redis: RedisServer, folder: Path, *names: str, **environment: str
) -> AsyncIterator[list[Server]]:
    """Run servers that share nothing but Redis."""
    settings = {"POTOK_DEMO_TOKENS_PER_SECOND": "100", **environment, "POTOK_REDIS_URL": redis.url}
    servers = [Server(folder / name, **settings) for name in names]
    try:
        await asyncio.gather(*(server.start() for server in servers))
        yield servers
    finally:
        for server in servers:
            if server.is_running:
                await server.kill()


@dataclass
class Reader:
    """Reads one run to its end, over as many connections as that takes.

    `gap_seconds` is the longest time between two events.
    """

    run: str
    servers: list[Server]
    events: Seen = field(default_factory=list)
    gap_seconds: float = 0.0
    enough: asyncio.Event = field(default_factory=asyncio.Event)

    async def read(self) -> None:
        loop = asyncio.get_running_loop()
        last = loop.time()
        for number in range(LINE_TRIES_MAX):
            server = self.servers[number % len(self.servers)]
            after = self.events[-1][0] if self.events else "0"
            try:
                async with httpx.AsyncClient(base_url=server.url, timeout=30) as client:
                    async for event in events_of(client, self.run, after=after):
                        if self.events:
                            self.gap_seconds = max(self.gap_seconds, loop.time() - last)
                        last = loop.time()
                        self.events.append((event.id, event.event, event.data))
                        if len(self.events) >= SHOWN_MIN:
                            self.enough.set()
            except (httpx.HTTPError, AssertionError):
                await asyncio.sleep(0.1)
            if self.events and self.events[-1][1] == "run-end":
                return
        raise AssertionError(f"run {self.run} did not end")

    def check(self, uncut: str) -> None:
        """Check that nothing was lost, doubled or changed."""
        assert [offset for offset, _, _ in self.events] == [
            str(place) for place in range(1, len(self.events) + 1)
        ]
        assert json.loads(self.events[-1][2])["outcome"] == "finished"
        assert text_of(self.events) == uncut


def text_of(events: Seen) -> str:
    return "".join(json.loads(fields)["text"] for _, kind, fields in events if kind == "text-delta")


async def read_through(
    maker: Server, readers_at: list[list[Server]], fault: Callable[[], Awaitable[None]]
) -> list[Reader]:
    """Start runs on one server, read each at several places, let something happen, read on."""
    async with httpx.AsyncClient(base_url=maker.url, timeout=30) as client:
        runs = [await start_run(client, PROMPT) for _ in range(RUNS)]
    readers = [Reader(run, servers) for run in runs for servers in readers_at]
    async with asyncio.TaskGroup() as group, asyncio.timeout(END_SECONDS_MAX):
        reading = [group.create_task(reader.read()) for reader in readers]
        for reader in readers:
            await reader.enough.wait()
        await fault()
        await asyncio.gather(*reading)
    return readers


async def uncut_text(server: Server) -> str:
    async with httpx.AsyncClient(base_url=server.url, timeout=60) as client:
        return text_of(await whole_run(client, await start_run(client, PROMPT)))


async def test_runs_of_a_killed_worker_go_on_before_the_eyes_of_another_one_s_readers(
    redis: RedisServer, tmp_path: Path
) -> None:
    async with servers_on(redis, tmp_path, "a", "b") as [a, b]:
        uncut = asyncio.create_task(uncut_text(b))

        readers = await read_through(a, [[b], [a, b]], a.kill)

        for reader in readers:
            reader.check(await uncut)
            assert reader.gap_seconds < GAP_SECONDS_MAX


@pytest.mark.long
async def test_a_worker_that_was_asleep_writes_nothing_when_it_wakes(
    redis: RedisServer, tmp_path: Path
) -> None:
    async with servers_on(redis, tmp_path, "a", "b", POTOK_DEMO_TOKENS_PER_SECOND="60") as [a, b]:
        uncut = asyncio.create_task(uncut_text(b))

        async def sleep_for_eight_seconds() -> None:
            a.send(signal.SIGSTOP)
            await asyncio.sleep(8)
            a.send(signal.SIGCONT)

        readers = await read_through(a, [[b], [a]], sleep_for_eight_seconds)

        for reader in readers:
            reader.check(await uncut)
        assert any("taken over by another writer" in line for line in a.lines)
        async with httpx.AsyncClient(base_url=a.url) as client:
            assert (await client.get("/healthz")).json()["live_runs"] == 0


async def test_a_rolling_restart_loses_no_word(redis: RedisServer, tmp_path: Path) -> None:
    async with servers_on(redis, tmp_path, "a", "b") as [a, b]:
        uncut = asyncio.create_task(uncut_elsewhere(redis, tmp_path))

        async def restart_both() -> None:
            for server in (a, b):
                assert await server.stop() == 0
                await server.start()

        readers = await read_through(a, [[a, b], [b, a]], restart_both)

        for reader in readers:
            reader.check(await uncut)
            assert reader.gap_seconds < GAP_SECONDS_MAX


async def uncut_elsewhere(redis: RedisServer, folder: Path) -> str:
    async with servers_on(redis, folder, "c") as [server]:
        return await uncut_text(server)


@pytest.mark.long
async def test_redis_killed_and_started_again_from_its_file_loses_no_word(
    redis: RedisServer, tmp_path: Path
) -> None:
    async with servers_on(redis, tmp_path, "a", "b") as [a, b]:

        async def kill_redis() -> None:
            redis.kill()
            await asyncio.sleep(1)
            await asyncio.to_thread(redis.start)

        readers = await read_through(a, [[b], [a]], kill_redis)

        uncut = await uncut_text(b)
        for reader in readers:
            reader.check(uncut)


async def test_a_redis_that_forgot_everything_is_said(tmp_path: Path) -> None:
    need_redis()
    redis = RedisServer(tmp_path / "redis")
    redis.start()
    try:
        async with servers_on(redis, tmp_path, "a", "b") as [a, b], AsyncExitStack() as stack:
            at_a, at_b = [
                await stack.enter_async_context(httpx.AsyncClient(base_url=one.url, timeout=30))
                for one in (a, b)
            ]
            run = await start_run(at_a, PROMPT)
            reading = asyncio.create_task(whole_run(at_b, run))
            async for event in events_of(at_a, run):
                if int(event.id) >= SHOWN_MIN:
                    break
            redis.kill()
            await asyncio.to_thread(redis.start)

            shown = await asyncio.wait_for(reading, GAP_SECONDS_MAX)
            state = await settled(at_b, run)
            late = await at_b.get(f"/api/runs/{run}/events?after=1")
    finally:
        redis.kill()
    assert shown, "the reader saw the beginning"
    assert shown[-1][1] != "run-end" or json.loads(shown[-1][2])["code"] == "log_lost"
    assert (state["status"], state["error"]["code"]) == ("failed", "log_lost")
    assert state["message"]["text"].startswith(text_of(shown))
    assert (late.status_code, late.json()["error"]["code"]) == (410, "log_lost")


async def settled(client: httpx.AsyncClient, run: str) -> dict[str, Any]:
    async with asyncio.timeout(GAP_SECONDS_MAX):
        while True:
            reply = await client.get(f"/api/runs/{run}")
            if reply.status_code == 200 and reply.json()["status"] not in ("queued", "running"):
                state: dict[str, Any] = reply.json()
                return state
            await asyncio.sleep(0.1)


@pytest.mark.parametrize("loses_messages", [False, True], ids=["told", "message lost"])
async def test_stop_on_one_worker_closes_the_upstream_of_another(
    redis: RedisServer, tmp_path: Path, loses_messages: bool
) -> None:
    script = Script(tokens=("a ", "b ", "c "), then="stall")
    async with (
        ScriptedUpstream(script, models=("scripted",)) as upstream,
        servers_on(redis, tmp_path, "a", "b", **upstream_of(upstream)) as [a, b],
        httpx.AsyncClient(base_url=a.url, timeout=30) as at_a,
        httpx.AsyncClient(base_url=b.url, timeout=30) as at_b,
    ):
        run = await start_run(at_a, "go on", model="openai/scripted")
        async for event in events_of(at_b, run):
            if json.loads(event.data).get("text", "").endswith("c "):
                break
        if loses_messages:
            # Nobody hears anything from now on: lines are cut, and nobody may listen again.
            redis.ask("ACL", "SETUSER", "default", "resetchannels")
            redis.ask("CLIENT", "KILL", "TYPE", "pubsub")

        reply = await at_b.post(f"/api/runs/{run}/cancel", json={})

        async with asyncio.timeout(3):
            await upstream.calls[0].closed_by_client.wait()
        again = await at_a.post(f"/api/runs/{run}/cancel", json={})
        whole = await whole_run(at_b, run)
    assert (reply.status_code, reply.json()["status"]) == (200, "cancelled")
    assert again.json()["status"] == "cancelled"
    assert text_of(whole) == "a b c "
    assert [kind for _, kind, _ in whole].count("run-end") == 1


async def test_one_key_at_two_workers_at_once_is_one_run(
    redis: RedisServer, tmp_path: Path
) -> None:
    dice = random.Random(7)
    body = {"model": "demo", "messages": [{"role": "user", "content": "Hi"}]}
    async with servers_on(redis, tmp_path, "a", "b") as servers, AsyncExitStack() as stack:
        clients = [
            await stack.enter_async_context(httpx.AsyncClient(base_url=one.url, timeout=30))
            for one in servers
        ]
        for number in range(20):
            headers = {"Idempotency-Key": f"key {number}"}
            asked = [dice.choice(clients) for _ in range(4)] + clients
            replies = await asyncio.gather(
                *(one.post("/api/runs", json=body, headers=headers) for one in asked)
            )
            assert len({reply.json()["id"] for reply in replies}) == 1
            assert sorted(reply.status_code for reply in replies) == [200] * 5 + [201]
        other = {"model": "demo", "messages": [{"role": "user", "content": "Bye"}]}
        conflict = await clients[1].post("/api/runs", json=other, headers=headers)
    assert conflict.status_code == 409


async def test_a_reader_that_comes_back_to_another_worker_keeps_its_run(
    redis: RedisServer, tmp_path: Path
) -> None:
    quick = {"POTOK_DISCONNECT_GRACE_SECONDS": "1", "POTOK_DEMO_TOKENS_PER_SECOND": "200"}
    async with (
        servers_on(redis, tmp_path, "a", "b", **quick) as [a, b],
        httpx.AsyncClient(base_url=a.url, timeout=30) as at_a,
        httpx.AsyncClient(base_url=b.url, timeout=30) as at_b,
    ):
        kept, left = [await start_run(at_a, PROMPT, on_disconnect="cancel") for _ in range(2)]
        whole = await whole_run(at_b, kept)
        alone = await settled(at_a, left)
    assert json.loads(whole[-1][2])["outcome"] == "finished"
    assert alone["status"] == "cancelled"
