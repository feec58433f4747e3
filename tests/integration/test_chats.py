"""Requirement 001's scenarios against the real server, over SQLite and over PostgreSQL."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from potok.wire.ndjson import NdjsonDecoder
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
from tests.postgres import new_database

pytestmark = pytest.mark.integration

LONG = "Расскажи подробно, что такое Поток"
SHORT = "Repeat after me: gold rings"
MIB = 1024 * 1024


def memory_peak(server: Server) -> int:
    """Return the most bytes that the server process ever held."""
    lines = Path(f"/proc/{server.process_id}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


@pytest.fixture(params=["sqlite", "postgres"])
async def server(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Server]:
    more = {"POTOK_DATABASE_URL": await new_database()} if request.param == "postgres" else {}
    settings = {"POTOK_DEMO_TOKENS_PER_SECOND": "400", **more}
    async with running_server(tmp_path, **settings) as running:
        yield running


@pytest.fixture
async def client(server: Server) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=server.url, timeout=30) as client:
        yield client


async def named_by_model(client: httpx.AsyncClient, chat: int) -> None:
    """Wait until a model has named a chat."""
    while (await get(client, f"/chats/{chat}"))["title_source"] != "model":  # noqa: ASYNC110
        await asyncio.sleep(0.05)


async def begun(client: httpx.AsyncClient, chat: int, content: str) -> tuple[Answer, Any]:
    """Send a message and read its answer's first words; the reader stays."""
    answer = Answer()
    path = f"/chats/{chat}/messages/stream"
    frames = read_frames(client, "POST", path, answer, body={"content": content})
    async for frame in frames:
        if frame["type"] == "message_delta":
            break
    return answer, frames


async def test_scenario_1_existing_messages_are_loaded(client: httpx.AsyncClient) -> None:
    chat = await new_chat(client)
    await stream(client, "POST", f"/chats/{chat}/messages/stream", {"content": SHORT})

    user, answer = await messages_of(client, chat)

    assert {key: user[key] for key in ("chat_id", "role", "content")} == {
        "chat_id": chat,
        "role": "user",
        "content": SHORT,
    }
    assert answer["created_at"].endswith("Z")
    assert isinstance(answer["id"], int)
    assert set(answer["metadata"]) >= {
        "model",
        "tokens",
        "processingTime",
        "hasThinkingProcess",
        "thinkingExpanded",
    }


async def test_scenario_2_a_new_message_streams(client: httpx.AsyncClient) -> None:
    chat = await new_chat(client)

    answer = await stream(client, "POST", f"/chats/{chat}/messages/stream", {"content": LONG})

    kinds = [frame["type"] for frame in answer.frames]
    assert kinds[0] == "message_start"
    assert kinds[-1] == "message_end"
    assert set(kinds[1:-1]) == {"message_delta"}
    assert answer.message["content"] == answer.text
    assert len(answer.text) > 1_000
    # What is loaded afterwards is what the last frame said.
    assert (await messages_of(client, chat))[-1] == answer.message


async def test_the_same_as_bare_json_lines(client: httpx.AsyncClient) -> None:
    chat = await new_chat(client)
    reply = await client.post(
        f"{BASE}/chats/{chat}/messages/stream",
        json={"content": SHORT},
        headers={"accept": "application/x-ndjson"},
    )

    frames = [json.loads(line) for line in NdjsonDecoder().feed(reply.content)]

    assert reply.headers["content-type"] == "application/x-ndjson"
    assert [frame["type"] for frame in frames][:: len(frames) - 1] == [
        "message_start",
        "message_end",
    ]


async def test_scenario_3_errors_are_said_and_nothing_is_half_done(
    client: httpx.AsyncClient,
) -> None:
    chat = await new_chat(client)
    path = f"/chats/{chat}/messages/stream"

    gone = await stream(client, "POST", path, {"content": "?", "model": "nowhere/none"})
    empty = await stream(client, "POST", path, {"content": " "})
    parent = await stream(client, "POST", path, {"content": "?", "parent_id": 999_999})
    foreign = await stream(client, "POST", "/chats/999999/messages/stream", {"content": "?"})

    assert [(one.status, one.error["code"]) for one in (gone, empty, parent, foreign)] == [
        (404, "model_not_found"),
        (400, "invalid_request"),
        (400, "invalid_request"),
        (404, "chat_not_found"),
    ]
    assert parent.error["param"] == "parent_id"
    assert await messages_of(client, chat) == []
    chats = (await get(client, "/chats"))["items"]
    assert [(one["title"], one["draft"]) for one in chats] == [("", None)]


async def test_scenario_4_one_switches_between_chats_while_an_answer_is_made(
    client: httpx.AsyncClient,
) -> None:
    first, second = await new_chat(client), await new_chat(client)
    answer, frames = await begun(client, first, LONG)
    await frames.aclose()

    other = await stream(client, "POST", f"/chats/{second}/messages/stream", {"content": SHORT})
    back = await messages_of(client, first)
    rest = await stream(client, "GET", f"/chats/{first}/messages/stream")

    assert other.text.startswith("gold rings")
    assert back[-1]["metadata"]["status"] == "streaming"
    assert back[-1]["content"]
    assert rest.text.startswith(back[-1]["content"])
    assert rest.run == answer.run
    assert rest.message["metadata"]["status"] == "finished"
    none = await stream(client, "GET", f"/chats/{first}/messages/stream")
    assert none.status == 204


async def test_a_reader_that_comes_back_gets_exactly_what_it_lacks(
    client: httpx.AsyncClient,
) -> None:
    chat = await new_chat(client)
    answer, frames = await begun(client, chat, LONG)
    await frames.aclose()

    rest = await stream(
        client,
        "GET",
        f"/chats/{chat}/messages/stream",
        headers={"last-event-id": answer.ids[-1]},
    )

    whole = await stream(client, "GET", f"/chats/{chat}/messages/stream?after={answer.run}.0")
    assert answer.frames + rest.frames == whole.frames
    assert whole.text == whole.message["content"]


async def test_scenario_5_messages_are_deleted(client: httpx.AsyncClient) -> None:
    chat = await new_chat(client)
    await stream(client, "POST", f"/chats/{chat}/messages/stream", {"content": SHORT})
    user, answer = await messages_of(client, chat)

    gone = await client.delete(f"{BASE}/chats/{chat}/messages/{answer['id']}")
    again = await client.delete(f"{BASE}/chats/{chat}/messages/{answer['id']}")

    assert (gone.status_code, again.status_code) == (204, 404)
    assert [one["id"] for one in await messages_of(client, chat)] == [user["id"]]


async def test_two_tabs(client: httpx.AsyncClient) -> None:
    chat = await new_chat(client)
    path = f"/chats/{chat}/messages/stream"

    tabs = await asyncio.gather(*(stream(client, "POST", path, {"content": LONG}) for _ in "ab"))

    won, lost = sorted(tabs, key=lambda one: one.status)
    assert (won.status, lost.status, lost.error["code"]) == (200, 409, "chat_busy")
    assert lost.error["run"] == won.run
    assert len(await messages_of(client, chat)) == 2


async def test_a_stop_from_any_tab_keeps_the_text(client: httpx.AsyncClient) -> None:
    chat = await new_chat(client)
    answer, frames = await begun(client, chat, LONG)

    stopped = await client.post(f"{BASE}/chats/{chat}/cancel", json={})
    async for _ in frames:
        continue

    assert answer.frames[-1]["type"] == "message_end"
    assert answer.message["metadata"]["cancelled"] is True
    assert stopped.json()["message"] == answer.message
    assert stopped.json()["message"]["content"] == answer.text


async def test_a_resend_is_harmless(client: httpx.AsyncClient) -> None:
    chat = await new_chat(client)
    path, body = f"/chats/{chat}/messages/stream", {"content": SHORT, "client_id": "c-1"}

    first = await stream(client, "POST", path, body)
    again = await stream(client, "POST", path, body)
    other = await stream(client, "POST", path, {**body, "content": "else"})

    assert again.frames == first.frames
    assert (other.status, other.error["code"]) == (409, "idempotency_conflict")
    assert len(await messages_of(client, chat)) == 2


async def test_edit_regenerate_switch_and_continue(client: httpx.AsyncClient) -> None:
    chat = await new_chat(client)
    await stream(client, "POST", f"/chats/{chat}/messages/stream", {"content": SHORT})
    user, answer = await messages_of(client, chat)
    base = f"/chats/{chat}/messages"

    edited = (
        await client.patch(f"{BASE}{base}/{user['id']}", json={"content": "Repeat: silver"})
    ).json()
    again = await stream(client, "POST", f"{base}/{edited['id']}/regenerate", {})
    new_path = [one["content"] for one in await messages_of(client, chat)]
    await client.patch(f"{BASE}/chats/{chat}", json={"current_message_id": user["id"]})
    old_path = [one["content"] for one in await messages_of(client, chat)]
    longer = await stream(client, "POST", f"{base}/{answer['id']}/continue", {})

    assert edited["sibling_ids"] == [user["id"], edited["id"]]
    assert new_path == ["Repeat: silver", again.text]
    assert old_path == [SHORT, answer["content"]]
    assert longer.frames[0]["message"]["content"] == answer["content"]
    assert longer.message["content"] == answer["content"] + longer.text
    assert longer.message["id"] == answer["id"]
    assert (await messages_of(client, chat))[-1] == longer.message


async def test_the_queue_is_seen_by_every_tab_and_sends_by_itself(
    client: httpx.AsyncClient,
) -> None:
    chat = await new_chat(client)
    _, frames = await begun(client, chat, LONG)
    queue = f"{BASE}/chats/{chat}/queue"

    for text in ("Repeat: one", "Repeat: two"):
        added = await client.post(queue, json={"content": text})
        assert added.status_code == 201
    await client.patch(f"{queue}/{added.json()['id']}", json={"place": 0, "content": "Repeat: 2"})
    seen = [one["content"] for one in (await client.get(queue)).json()["items"]]
    async for _ in frames:
        continue
    while (await client.get(queue)).json()["items"]:
        await stream(client, "GET", f"/chats/{chat}/messages/stream")
    await stream(client, "GET", f"/chats/{chat}/messages/stream")

    assert seen == ["Repeat: 2", "Repeat: one"]
    texts = [one["content"] for one in await messages_of(client, chat)]
    assert texts[2::2] == ["Repeat: 2", "Repeat: one"]
    assert len(texts) == 6


async def test_chats_are_listed_found_named_exported_and_imported(
    client: httpx.AsyncClient,
) -> None:
    project = (await client.post(f"{BASE}/projects", json={"name": "Rings"})).json()
    chats = [await new_chat(client, project_id=project["id"]) for _ in range(3)]
    for chat in chats:
        await stream(
            client,
            "POST",
            f"/chats/{chat}/messages/stream",
            {"content": "Повтори: золотое кольцо и зелёная ёлка"},
        )
    async with asyncio.timeout(10):
        await named_by_model(client, chats[-1])

    first = await get(client, "/chats", limit=2, project_id=project["id"])
    rest = await get(
        client, "/chats", limit=2, project_id=project["id"], cursor=first["next_cursor"]
    )
    found = await get(client, "/chats", q="кольца елки")
    other_list = await client.get(f"{BASE}/projects", params={"cursor": first["next_cursor"]})
    exported = await client.get(f"{BASE}/chats/{chats[0]}/export", params={"format": "json"})
    done = (await client.post(f"{BASE}/chats/import", json=exported.json())).json()
    markdown = await client.get(f"{BASE}/chats/{chats[0]}/export")

    assert [one["id"] for one in first["items"] + rest["items"]] == chats[::-1]
    assert rest["next_cursor"] is None
    assert sorted(one["id"] for one in found["items"]) == chats
    assert all("кольцо" in one["match"]["snippet"] for one in found["items"])
    assert (other_list.status_code, other_list.json()["error"]["code"]) == (400, "cursor_invalid")
    copied = await messages_of(client, done["chat_ids"][0])
    assert [one["content"] for one in copied] == [
        one["content"] for one in await messages_of(client, chats[0])
    ]
    assert "золотое кольцо" in markdown.text
    assert markdown.text.startswith("# ")


@pytest.mark.parametrize("is_told", [True, False], ids=["told", "counted"])
async def test_an_import_of_200_mb_is_refused_early_in_bounded_memory(
    server: Server, client: httpx.AsyncClient, is_told: bool
) -> None:
    sent = 0

    async def pour() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(200):
            sent += 1
            yield b" " * MIB

    headers = {"content-type": "application/json"}
    if is_told:
        headers["content-length"] = str(200 * MIB)
    before = memory_peak(server)

    try:
        reply = await client.post(f"{BASE}/chats/import", content=pour(), headers=headers)
        assert (reply.status_code, reply.json()["error"]["code"]) == (413, "too_large")
    except (httpx.WriteError, httpx.RemoteProtocolError, httpx.ReadError):
        # The server read its share of it and closed the line.
        assert sent < 200

    assert memory_peak(server) - before < 100 * MIB
    assert (await get(client, "/chats"))["items"] == []


async def test_garbage_is_not_imported(client: httpx.AsyncClient) -> None:
    bad = [b"", b"[", b"{}", b"[1]", b'{"format":"potok-chats","version":9,"chats":[]}', b"\xff"]

    for body in bad:
        reply = await client.post(
            f"{BASE}/chats/import", content=body, headers={"content-type": "application/json"}
        )
        assert (reply.status_code, reply.json()["error"]["code"]) == (400, "invalid_request"), body

    assert (await get(client, "/chats"))["items"] == []


async def test_a_deleted_chat_stops_its_answer(client: httpx.AsyncClient) -> None:
    chat = await new_chat(client)
    answer, frames = await begun(client, chat, LONG)

    gone = await client.delete(f"{BASE}/chats/{chat}")
    async for _ in frames:
        continue
    state = (await client.get(f"/api/runs/{answer.run}")).json()

    assert gone.status_code == 204
    assert state["status"] == "cancelled"
    assert (await client.get(f"{BASE}/chats/{chat}")).status_code == 404


async def test_a_native_run_is_stored_in_its_chat(client: httpx.AsyncClient) -> None:
    chat = await new_chat(client)
    body = {"model": "demo", "messages": [{"role": "user", "content": SHORT}], "chat_id": str(chat)}

    started = await client.post("/api/runs", json=body)
    answer = await stream(client, "GET", f"/chats/{chat}/messages/stream")

    assert started.status_code == 201
    user, said = await messages_of(client, chat)
    assert (user["content"], said["metadata"]["run"]) == (SHORT, started.json()["id"])
    assert answer.status in (200, 204)
