"""A real model names a chat: by one call, counted by its provider, that nobody waits for."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest

from potok.testing.upstream import ScriptedUpstream
from potok.testing.upstream_script import Script
from tests.integration.chat_client import BASE, get, new_chat, stream
from tests.integration.harness import Server, running_server, upstream_of

pytestmark = pytest.mark.integration

ANSWER = Script(tokens=("Gold ", "suits ", "you."))
TITLE = Script(tokens=("Choosing ", "a ring\n", "Because ", "..."), then="stall")


async def say(client: httpx.AsyncClient, chat: int, content: str) -> None:
    body = {"content": content, "model": "openai/m"}
    answer = await stream(client, "POST", f"/chats/{chat}/messages/stream", body)
    assert answer.text == "Gold suits you."


async def until_named(client: httpx.AsyncClient, chat: int) -> Any:
    async with asyncio.timeout(10):
        while True:
            found = await get(client, f"/chats/{chat}")
            if found["title_source"] == "model":
                return found
            await asyncio.sleep(0.02)


async def test_a_chat_costs_one_short_call_beside_its_answers(tmp_path: Path) -> None:
    async with (
        ScriptedUpstream(ANSWER, TITLE, ANSWER, models=("m",)) as upstream,
        running_server(tmp_path, **upstream_of(upstream)) as server,
        httpx.AsyncClient(base_url=server.url, timeout=30) as client,
    ):
        chat = await new_chat(client)
        await say(client, chat, "Which ring shall I buy for my wife?")
        first = await get(client, f"/chats/{chat}")
        named = await until_named(client, chat)
        await say(client, chat, "And why?")
        await upstream.calls[1].closed_by_client.wait()
        renamed = await client.patch(f"{BASE}/chats/{chat}", json={"title": "Mine"})
        asked = upstream.calls[1].body["messages"]

    assert first["title"] == "Which ring shall I buy for my wife?"
    assert (named["title"], renamed.json()["title"]) == ("Choosing a ring", "Mine")
    assert len(upstream.calls) == 3
    assert [one["role"] for one in asked] == ["system", "user"]
    assert "my wife" in asked[1]["content"]


async def test_a_kill_while_a_chat_is_named_costs_no_second_call(tmp_path: Path) -> None:
    stalled = Script(tokens=("Choosing ",), then="stall")
    async with ScriptedUpstream(ANSWER, stalled, ANSWER, models=("m",)) as upstream:
        server = Server(tmp_path, **upstream_of(upstream))
        await server.start()
        try:
            async with httpx.AsyncClient(base_url=server.url, timeout=30) as client:
                chat = await new_chat(client)
                await say(client, chat, "Which ring?")
                await upstream.until_call(2)
                await server.kill()
            await server.start()
            async with httpx.AsyncClient(base_url=server.url, timeout=30) as client:
                await say(client, chat, "And why?")
                live = True
                while live:
                    live = (await client.get("/api/runs?status=running")).json()["items"]
                    await asyncio.sleep(0.05)
        finally:
            if server.is_running:
                await server.kill()

    assert len(upstream.calls) == 3
