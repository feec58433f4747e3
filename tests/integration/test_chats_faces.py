"""Chats that other faces talk in: the AI SDK's and native runs, over both databases."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from potok.testing.upstream import ScriptedUpstream
from potok.testing.upstream_script import Script
from potok.wire.sse import SseDecoder
from tests.integration.chat_client import Answer as ChatAnswer
from tests.integration.chat_client import get, messages_of, new_chat, read_frames, stream
from tests.integration.harness import Server, running_server, upstream_of
from tests.integration.test_ai_sdk import CALL, chunks_of
from tests.integration.test_chats_kill_nine import settled
from tests.postgres import new_database

pytestmark = pytest.mark.integration

LONG = "Tell me in detail what Potok is"
ONE = "Repeat after me: gold rings"
TWO = "Repeat after me: silver rings"
UI = "/api/ui/chat"
Json = dict[str, Any]


@pytest.fixture(params=["sqlite", "postgres"])
async def server(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Server]:
    more = {"POTOK_DATABASE_URL": await new_database()} if request.param == "postgres" else {}
    async with running_server(tmp_path, POTOK_DEMO_TOKENS_PER_SECOND="800", **more) as running:
        yield running


@pytest.fixture
async def client(server: Server) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=server.url, timeout=30) as client:
        yield client


@dataclass
class UiAnswer:
    """What a page of the AI SDK was shown of one answer."""

    status: int = 0
    run: str = ""
    chunks: list[Json] = field(default_factory=list)
    error: Json = field(default_factory=dict)

    @property
    def text(self) -> str:
        return "".join(one["delta"] for one in self.chunks if one["type"] == "text-delta")

    @property
    def id(self) -> str:
        id: str = self.chunks[0]["messageId"]
        return id


def said(role: str, text: str, name: str) -> Json:
    return {"id": name, "role": role, "parts": [{"type": "text", "text": text}]}


async def read_chunks(
    client: httpx.AsyncClient, method: str, path: str, answer: UiAnswer, body: Json | None = None
) -> AsyncIterator[Json]:
    decoder = SseDecoder()
    try:
        async with client.stream(method, path, json=body) as reply:
            answer.status = reply.status_code
            answer.run = reply.headers.get("x-potok-run", "")
            if reply.status_code != 200:
                content = await reply.aread()
                answer.error = json.loads(content)["error"] if content else {}
                return
            async for chunk in reply.aiter_raw():
                for event in decoder.feed(chunk):
                    if event.data != "[DONE]":
                        answer.chunks.append(json.loads(event.data))
                        yield answer.chunks[-1]
    except (httpx.RemoteProtocolError, httpx.ReadError, httpx.ConnectError):
        return


async def tell(client: httpx.AsyncClient, chat: str, *messages: Json, **more: Any) -> UiAnswer:
    """Send what a page shows, as `useChat` does, and read the answer."""
    answer = UiAnswer()
    body = {"id": chat, "trigger": "submit-message", "messages": list(messages), **more}
    async for _ in read_chunks(client, "POST", UI, answer, body):
        continue
    return answer


async def begun(client: httpx.AsyncClient, chat: str, *messages: Json) -> tuple[UiAnswer, Any]:
    """Send it and read the first words; the reader stays."""
    answer = UiAnswer()
    body = {"id": chat, "messages": list(messages)}
    chunks = read_chunks(client, "POST", UI, answer, body)
    async for chunk in chunks:
        if chunk["type"] == "text-delta":
            break
    return answer, chunks


async def chat_named(client: httpx.AsyncClient, name: str) -> Json:
    items = (await get(client, "/chats"))["items"]
    return next(one for one in items if one["external_id"] == name)


async def test_a_talk_of_the_ai_sdk_is_listed_loaded_and_goes_on_in_the_other_face(
    client: httpx.AsyncClient,
) -> None:
    one = await tell(client, "chat-1", said("user", ONE, "u1"))
    path = said("user", ONE, "u1"), said("assistant", one.text, one.id)
    two = await tell(client, "chat-1", *path, said("user", TWO, "u2"))

    chat = await chat_named(client, "chat-1")
    shown = await messages_of(client, chat["id"])
    three = await stream(client, "POST", f"/chats/{chat['id']}/messages/stream", {"content": ONE})
    live = await client.get(f"{UI}/chat-1/stream")

    assert [each["content"] for each in shown] == [ONE, one.text, TWO, two.text]
    assert [each["metadata"].get("run") for each in shown][1::2] == [one.run, two.run]
    assert (chat["title"], chat["title_source"]) == (ONE, "text")
    assert three.message["parent_id"] > shown[-1]["id"]
    assert live.status_code == 204
    assert one.id == f"msg_{one.run}"


async def test_regenerating_editing_and_resending(client: httpx.AsyncClient) -> None:
    asked = said("user", ONE, "u1")
    one = await tell(client, "c", asked)
    resent = await tell(client, "c", asked)
    again = await tell(client, "c", asked, trigger="regenerate-message", messageId=one.id)
    edited = await tell(client, "c", said("user", TWO, "u1"), messageId="u1")

    chat = await chat_named(client, "c")
    user, answer = await messages_of(client, chat["id"])
    old_user = await get(client, f"/chats/{chat['id']}/messages/{user['sibling_ids'][0]}")
    await client.patch(
        f"/api/web/v1/chats/{chat['id']}", json={"current_message_id": old_user["id"]}
    )
    old = await messages_of(client, chat["id"])

    assert resent.chunks == one.chunks
    assert len({one.run, again.run, edited.run}) == 3
    assert (user["content"], answer["content"]) == (TWO, edited.text)
    assert len(user["sibling_ids"]) == 2
    assert old[0]["content"] == ONE
    assert old[1]["metadata"]["run"] == again.run
    assert len(old[1]["sibling_ids"]) == 2


async def test_a_chat_of_the_other_face_goes_on_from_the_ai_sdk(
    client: httpx.AsyncClient,
) -> None:
    number = await new_chat(client)
    live = ChatAnswer()
    path = f"/chats/{number}/messages/stream"
    frames = read_frames(client, "POST", path, live, body={"content": LONG})
    async for frame in frames:
        if frame["type"] == "message_delta":
            break
    await frames.aclose()  # type: ignore[attr-defined]

    resumed = [UiAnswer(), UiAnswer()]
    for answer in resumed:
        async for _ in read_chunks(client, "GET", f"{UI}/{number}/stream", answer):
            continue
        if answer is resumed[0]:
            shown = await messages_of(client, number)
            page = [said(one["role"], one["content"], str(one["id"])) for one in shown]
    more = await tell(client, str(number), *page, said("user", ONE, "u9"))

    assert [answer.status for answer in resumed] == [200, 204]
    assert (resumed[0].run, resumed[0].id) == (live.run, str(shown[-1]["id"]))
    assert resumed[0].text == shown[-1]["content"]
    texts = [one["content"] for one in await messages_of(client, number)]
    assert texts == [LONG, resumed[0].text, ONE, more.text]
    assert len((await get(client, "/chats"))["items"]) == 1


async def test_two_tabs_and_a_tab_that_does_not_wait(client: httpx.AsyncClient) -> None:
    tabs = await asyncio.gather(
        *(tell(client, "c", said("user", LONG, f"u{number}")) for number in range(2))
    )
    won, lost = sorted(tabs, key=lambda one: one.status)
    first, chunks = await begun(client, "d", said("user", LONG, "u1"))
    second = await tell(
        client,
        "d",
        said("user", LONG, "u1"),
        said("assistant", first.text, first.id),
        said("user", ONE, "u2"),
    )
    async for _ in chunks:
        continue

    assert (won.status, lost.status, lost.error["code"]) == (200, 409, "chat_busy")
    assert len(await messages_of(client, (await chat_named(client, "c"))["id"])) == 2
    assert first.chunks[-1]["type"] == "abort"
    shown = await messages_of(client, (await chat_named(client, "d"))["id"])
    assert [one["content"] for one in shown[2:]] == [ONE, second.text]
    assert shown[1]["content"].startswith(first.text[:20])
    assert shown[1]["metadata"]["status"] == "cancelled"


async def test_native_runs_in_one_chat_wait_for_each_other_and_foreign_numbers_are_refused(
    client: httpx.AsyncClient,
) -> None:
    body = {"model": "demo", "messages": [{"role": "user", "content": LONG}], "chat_id": "native"}
    first = await client.post("/api/runs", json=body, headers={"idempotency-key": "k"})
    busy = await client.post("/api/runs", json=body)
    resent = await client.post("/api/runs", json=body, headers={"idempotency-key": "k"})
    gone = await client.post("/api/runs", json={**body, "chat_id": "987654"})
    chat = await chat_named(client, "native")
    shown = await settled(client, chat["id"])
    state = (await client.get(f"/api/runs/{first.json()['id']}")).json()

    assert [one.status_code for one in (first, busy, resent, gone)] == [201, 409, 200, 404]
    assert (busy.json()["error"]["code"], gone.json()["error"]["code"]) == (
        "chat_busy",
        "chat_not_found",
    )
    assert resent.json()["id"] == first.json()["id"]
    assert [one["content"] for one in shown] == [LONG, state["message"]["text"]]


@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgres", marks=pytest.mark.long)])
async def test_an_answer_of_the_ai_sdk_survives_a_kill_at_any_moment(
    tmp_path: Path, database: str
) -> None:
    more = {"POTOK_DATABASE_URL": await new_database()} if database == "postgres" else {}
    server = Server(tmp_path, POTOK_DEMO_TOKENS_PER_SECOND="2000", **more)
    await server.start()
    try:
        asked = said("user", LONG, "u1")
        async with httpx.AsyncClient(base_url=server.url, timeout=30) as client:
            whole = await tell(client, "uncut", asked)
        for number, seconds in enumerate((0.0, 0.01, 0.03, 0.2)):
            name = f"chat {number}"
            async with httpx.AsyncClient(base_url=server.url, timeout=30) as client:
                telling = asyncio.create_task(tell(client, name, asked))
                await asyncio.sleep(seconds)
                await server.kill()
                await telling
            await server.start()
            async with httpx.AsyncClient(base_url=server.url, timeout=30) as client:
                # The page comes back and sends what it has no answer to.
                resent = await tell(client, name, asked)
                shown = await settled(client, (await chat_named(client, name))["id"])
                assert [one["content"] for one in shown] == [LONG, whole.text], number
                assert resent.text == whole.text
    finally:
        if server.is_running:
            await server.kill()


async def test_an_answer_that_goes_on_after_a_tool_is_one_message(tmp_path: Path) -> None:
    calling = Script(pieces=chunks_of(CALL, finish="tool_calls"))
    saying = Script(pieces=chunks_of({"content": "It is sunny."}, finish="stop"))
    async with (
        ScriptedUpstream(calling, saying, models=("m",)) as upstream,
        running_server(tmp_path, **upstream_of(upstream)) as server,
        httpx.AsyncClient(base_url=server.url, timeout=30) as client,
    ):
        asked = said("user", "Weather?", "u1")
        first = await tell(client, "c", asked, model="openai/m")
        output = {
            "type": "tool-weather",
            "toolCallId": "call_1",
            "state": "output-available",
            "input": {"city": "Пермь"},
            "output": {"sunny": True},
        }
        answer = {"id": first.id, "role": "assistant", "parts": [output]}
        second = await tell(client, "c", asked, answer, model="openai/m")
        resent = await tell(client, "c", asked, answer, model="openai/m")
        shown = await messages_of(client, (await chat_named(client, "c"))["id"])

    assert second.id == first.id == f"msg_{first.run}"
    assert [one["content"] for one in shown[:1]] == ["Weather?"]
    assert len(shown) == 2
    assert shown[1]["content"] == "It is sunny."
    parts = shown[1]["metadata"]["parts"]
    assert [part["type"] for part in parts][:2] == ["tool", "text"]
    assert parts[0]["result"] == {"sunny": True}
    assert resent.chunks == second.chunks
    assert len(upstream.calls) == 2
