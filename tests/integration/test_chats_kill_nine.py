"""The server is killed at random moments while chats are answered: no answer lost, none doubled."""

import asyncio
import random
from pathlib import Path

import httpx
import pytest

from tests.integration.chat_client import BASE, Answer, get, messages_of, new_chat, read_frames
from tests.integration.harness import Server
from tests.postgres import new_database

pytestmark = [pytest.mark.integration, pytest.mark.timeout(150)]

ROUNDS = 12
CHATS = 4
PROMPT = "Расскажи подробно, что такое Поток и как он хранит ответы"
SHORT = "Repeat after me: gold"
KILL_SECONDS_MAX = 0.5
SETTLE_SECONDS_MAX = 30.0


async def send(client: httpx.AsyncClient, chat: int, content: str, key: str) -> Answer:
    """Send a message and read what comes, until the end or the kill."""
    answer = Answer()
    body = {"content": content, "client_id": key}
    path = f"/chats/{chat}/messages/stream"
    async for _ in read_frames(client, "POST", path, answer, body=body):
        continue
    return answer


async def settled(client: httpx.AsyncClient, chat: int) -> list[dict[str, object]]:
    """Return a chat's messages once none of them streams and none waits."""
    async with asyncio.timeout(SETTLE_SECONDS_MAX):
        while True:
            # The queue first: what leaves it is a message by then.
            waiting = (await get(client, f"/chats/{chat}/queue"))["items"]
            messages = await messages_of(client, chat)
            states = [one["metadata"].get("status") for one in messages]
            if "streaming" not in states and not waiting:
                return messages
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
async def test_no_answer_is_lost_or_doubled_by_kills(tmp_path: Path, database: str) -> None:
    dice = random.Random(20261121)
    more = {"POTOK_DATABASE_URL": await new_database()} if database == "postgres" else {}
    server = Server(tmp_path, POTOK_DEMO_TOKENS_PER_SECOND="2000", POTOK_CHAT_TITLES="text", **more)
    await server.start()
    try:
        async with httpx.AsyncClient(base_url=server.url, timeout=30) as client:
            uncut = (await send(client, await new_chat(client), PROMPT, "first")).text
        assert len(uncut) > 1_000
        for number in range(ROUNDS):
            async with httpx.AsyncClient(base_url=server.url, timeout=30) as client:
                chats = [await new_chat(client) for _ in range(CHATS)]
                await client.post(f"{BASE}/chats/{chats[0]}/queue", json={"content": PROMPT})
                sending = [
                    asyncio.create_task(send(client, chat, PROMPT, f"k{chat}"))
                    for chat in chats[1:]
                ]
                await asyncio.sleep(dice.random() * KILL_SECONDS_MAX)
                await server.kill()
                shown = await asyncio.gather(*sending)
            await server.start()
            async with httpx.AsyncClient(base_url=server.url, timeout=30) as client:
                # Whoever got no answer sends again, as a front end does.
                for chat, answer in zip(chats[1:], shown, strict=True):
                    if not answer.frames or answer.frames[-1]["type"] != "message_end":
                        again = await send(client, chat, PROMPT, f"k{chat}")
                        assert again.text == uncut, (number, again.status, again.error)
                for chat, seen in zip(chats, ["", *(one.text for one in shown)], strict=True):
                    messages = await settled(client, chat)
                    assert [(one["role"], one["content"]) for one in messages] == [
                        ("user", PROMPT),
                        ("assistant", uncut),
                    ], (number, chat)
                    assert uncut.startswith(seen)
    finally:
        if server.is_running:
            await server.kill()


async def test_kills_in_the_first_moments_of_a_message(tmp_path: Path) -> None:
    dice = random.Random(7)
    server = Server(tmp_path, POTOK_CHAT_TITLES="text", POTOK_DEMO_TOKENS_PER_SECOND="2000")
    await server.start()
    try:
        async with httpx.AsyncClient(base_url=server.url, timeout=30) as client:
            whole = (await send(client, await new_chat(client), SHORT, "first")).text
        for number in range(ROUNDS):
            async with httpx.AsyncClient(base_url=server.url, timeout=30) as client:
                chat = await new_chat(client)
                sending = asyncio.create_task(send(client, chat, SHORT, "k"))
                # The messages are stored within some ten milliseconds, and the run is begun.
                await asyncio.sleep(dice.random() * 0.03)
                await server.kill()
                await sending
            await server.start()
            async with httpx.AsyncClient(base_url=server.url, timeout=30) as client:
                found = await settled(client, chat)
                assert [one["content"] for one in found] in ([], [SHORT, whole]), number
                await send(client, chat, SHORT, "k")
                found = await settled(client, chat)
                assert [one["content"] for one in found] == [SHORT, whole], number
    finally:
        if server.is_running:
            await server.kill()
