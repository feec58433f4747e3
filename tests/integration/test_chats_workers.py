"""Chats of several workers: one Redis for the runs, and PostgreSQL or one host's SQLite file."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.integration.chat_client import (
    BASE,
    Answer,
    get,
    messages_of,
    new_chat,
    read_frames,
    stream,
)
from tests.integration.harness import Server, running_server
from tests.integration.test_chats_kill_nine import send, settled
from tests.integration.test_worker_processes import children_of
from tests.postgres import new_database
from tests.redis_server import RedisServer, need_redis

pytestmark = [pytest.mark.integration, pytest.mark.timeout(90)]

LONG = "Tell me in detail what Potok is"
SHORT = "Repeat after me: gold rings"
CHATS = 6


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    need_redis()
    server = RedisServer(tmp_path / "redis")
    server.start()
    yield server
    server.kill()


# A test that waits for a lease has one database in every run, and both in the long one.
mostly_sqlite = pytest.mark.parametrize(
    "settings", ["sqlite", pytest.param("postgres", marks=pytest.mark.long)], indirect=True
)
mostly_postgres = pytest.mark.parametrize(
    "settings", [pytest.param("sqlite", marks=pytest.mark.long), "postgres"], indirect=True
)


@pytest.fixture(params=["sqlite", "postgres"])
async def settings(request: pytest.FixtureRequest, redis: RedisServer) -> dict[str, str]:
    more = {"POTOK_DATABASE_URL": await new_database()} if request.param == "postgres" else {}
    return {
        "POTOK_REDIS_URL": redis.url,
        "POTOK_DEMO_TOKENS_PER_SECOND": "300",
        "POTOK_CHAT_TITLES": "text",
        **more,
    }


class Workers:
    """Two servers over the same chats, each with an address of its own, and a client for each."""

    def __init__(self, servers: list[Server], clients: list[httpx.AsyncClient]) -> None:
        self.a, self.b = clients
        self.servers = servers


@pytest.fixture
async def two(settings: dict[str, str], tmp_path: Path) -> AsyncIterator[Workers]:
    async with AsyncExitStack() as stack:
        servers = [Server(tmp_path / "data", **settings) for _ in "ab"]
        try:
            # At once: each finds that the schema is missing, and one of them makes it.
            await asyncio.gather(*(server.start() for server in servers))
            clients = [
                await stack.enter_async_context(httpx.AsyncClient(base_url=server.url, timeout=30))
                for server in servers
            ]
            yield Workers(servers, clients)
        finally:
            for server in servers:
                if server.is_running:
                    await server.kill()


async def begun(client: httpx.AsyncClient, chat: int) -> tuple[Answer, Any]:
    """Send a message and read its answer's first words; the reader stays."""
    answer = Answer()
    path = f"/chats/{chat}/messages/stream"
    frames = read_frames(client, "POST", path, answer, body={"content": LONG})
    async for frame in frames:
        if frame["type"] == "message_delta":
            break
    return answer, frames


async def test_an_answer_is_read_and_refused_and_stopped_on_another_worker(two: Workers) -> None:
    chat = await new_chat(two.a)
    answer, frames = await begun(two.a, chat)

    there = Answer()
    path = f"/chats/{chat}/messages/stream"
    other = read_frames(two.b, "GET", path, there)
    async for frame in other:
        if frame["type"] == "message_delta":
            break
    busy = await stream(two.b, "POST", path, {"content": SHORT})
    stopped = await two.b.post(f"{BASE}/chats/{chat}/cancel", json={})
    for reader in (frames, other):
        async for _ in reader:
            continue

    assert (busy.status, busy.error["code"], busy.error["run"]) == (409, "chat_busy", answer.run)
    assert stopped.status_code == 200
    assert there.run == answer.run
    assert there.frames == answer.frames
    assert answer.message["metadata"]["cancelled"] is True
    assert [(await messages_of(client, chat))[-1] for client in (two.a, two.b)] == [
        answer.message
    ] * 2


async def test_a_queue_is_sent_once_whichever_worker_it_was_put_to(two: Workers) -> None:
    chat = await new_chat(two.a)
    _, frames = await begun(two.a, chat)
    texts = [f"Repeat after me: {word}" for word in ("one", "two", "three", "four")]

    for number, text in enumerate(texts):
        client = (two.a, two.b)[number % 2]
        added = await client.post(f"{BASE}/chats/{chat}/queue", json={"content": text})
        assert added.status_code == 201
    await two.b.post(f"{BASE}/chats/{chat}/cancel", json={})
    async for _ in frames:
        continue
    # Stopping paused the queue; both workers are asked to go on with it at once.
    for client in (two.a, two.b):
        added = await client.post(f"{BASE}/chats/{chat}/queue", json={"content": texts[0] + "!"})
    first = (await get(two.a, f"/chats/{chat}/queue"))["items"][0]["id"]
    sent = await asyncio.gather(
        *(
            stream(client, "POST", f"/chats/{chat}/queue/{first}/send", {})
            for client in (two.a, two.b)
        )
    )
    shown = await settled(two.b, chat)

    assert sorted(one.status for one in sent) in ([200, 404], [200, 409])
    asked = [one["content"] for one in shown if one["role"] == "user"]
    assert asked == [LONG, *texts, texts[0] + "!", texts[0] + "!"]
    assert len(shown) == 2 * len(asked)


@mostly_postgres
async def test_a_worker_that_is_killed_leaves_its_answers_to_the_other_one(two: Workers) -> None:
    whole = (await send(two.b, await new_chat(two.b), LONG, "uncut")).text
    chats = [await new_chat(two.a) for _ in range(3)]
    readers = [await begun(two.a, chat) for chat in chats]
    await two.b.post(f"{BASE}/chats/{chats[0]}/queue", json={"content": SHORT})

    await two.servers[0].kill()
    for _, frames in readers:
        async for _ in frames:
            continue
    shown = [await settled(two.b, chat) for chat in chats]

    for place, (messages, (answer, _)) in enumerate(zip(shown, readers, strict=True)):
        texts = [one["content"] for one in messages]
        assert texts[:2] == [LONG, whole]
        assert whole.startswith(answer.text)
        assert len(messages) == (4 if place == 0 else 2)


@mostly_sqlite
async def test_a_killed_worker_s_continuation_goes_on_too(two: Workers) -> None:
    whole = (await send(two.b, await new_chat(two.b), LONG, "uncut")).text
    chat = await new_chat(two.a)
    answer, frames = await begun(two.a, chat)
    await two.b.post(f"{BASE}/chats/{chat}/cancel", json={})
    async for _ in frames:
        continue
    more = Answer()
    path = f"/chats/{chat}/messages/{answer.message['id']}/continue"
    async for _ in read_frames(two.a, "POST", path, more, body={}):
        if more.text:
            await two.servers[0].kill()

    shown = await settled(two.b, chat)

    assert [one["content"] for one in shown] == [LONG, whole]


@mostly_sqlite
async def test_workers_of_one_address_answer_every_chat_once(
    settings: dict[str, str], tmp_path: Path
) -> None:
    settings = {**settings, "POTOK_WORKERS": "2", "POTOK_DEMO_TOKENS_PER_SECOND": "2000"}
    async with running_server(tmp_path / "data", **settings) as server:
        async with httpx.AsyncClient(base_url=server.url, timeout=30) as client:
            chats = [await new_chat(client) for _ in range(CHATS)]

        async def talk(chat: int) -> Answer:
            # A connection each, so that every worker has its turn.
            async with httpx.AsyncClient(base_url=server.url, timeout=30) as client:
                return await send(client, chat, LONG, "k")

        sending = [asyncio.create_task(talk(chat)) for chat in chats]
        await asyncio.sleep(0.1)
        os.kill(min(children_of(server.process_id)), signal.SIGKILL)
        await asyncio.gather(*sending)
        async with httpx.AsyncClient(base_url=server.url, timeout=30) as client:
            answers = [await send(client, chat, LONG, "k") for chat in chats]
            shown = [await settled(client, chat) for chat in chats]

    texts = {answer.text for answer in answers}
    assert len(texts) == 1
    assert [[one["content"] for one in messages] for messages in shown] == [
        [LONG, *texts] for _ in chats
    ]
