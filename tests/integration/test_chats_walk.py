"""One person's way through requirement 001 and all that may go wrong on it, over both databases.

Each step is written down as it is done; `pytest -s` shows the transcript.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.integration.chat_client import BASE, Answer, read_frames, stream
from tests.integration.harness import Server, running_server
from tests.integration.test_chats_kill_nine import settled
from tests.postgres import new_database

pytestmark = pytest.mark.integration

LONG = "Расскажи подробно, что такое Поток"
SHORT = "Repeat after me: gold rings"
Json = dict[str, Any]


@pytest.fixture(params=["sqlite", "postgres"])
async def server(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Server]:
    more = {"POTOK_DATABASE_URL": await new_database()} if request.param == "postgres" else {}
    async with running_server(tmp_path, POTOK_DEMO_TOKENS_PER_SECOND="600", **more) as running:
        yield running


class Walk:
    """Asks, writes down what was asked and answered, and checks the status."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client
        self.lines: list[str] = []

    async def ask(self, method: str, path: str, body: object = None, *, gives: int = 200) -> Json:
        """Send a request of one answer; return its JSON."""
        reply = await self.client.request(
            method, path if path.startswith("/api") else BASE + path, json=body
        )
        found: Json = reply.json() if reply.content else {}
        told = found.get("error", {}).get("code") or _brief(found)
        self._note(method, path, body, f"{reply.status_code} {told}")
        assert reply.status_code == gives, (path, reply.text)
        return found

    async def refused(self, method: str, path: str, body: object, status: int, code: str) -> None:
        """Send what is refused, with this status and code."""
        found = await self.ask(method, path, body, gives=status)
        assert found["error"]["code"] == code, found

    async def read(self, method: str, path: str, body: Json | None = None) -> Answer:
        """Read an answer to its end."""
        answer = await stream(self.client, method, path, body)
        self._note_answer(method, path, body, answer)
        return answer

    async def begin(self, path: str, body: Json) -> tuple[Answer, Any]:
        """Read an answer's first words; the reader stays."""
        answer = Answer()
        frames = read_frames(self.client, "POST", path, answer, body=body)
        async for frame in frames:
            if frame["type"] == "message_delta":
                break
        self._note("POST", path, body, f"{answer.status} message_start, message_delta ...")
        return answer, frames

    async def rest(self, frames: Any, answer: Answer) -> None:
        """Read the rest of an answer."""
        async for _ in frames:
            continue
        self.lines.append(f"     ... {_end_of(answer)}")

    def _note_answer(self, method: str, path: str, body: object, answer: Answer) -> None:
        told = _end_of(answer) if answer.frames else answer.error.get("code", "")
        self._note(method, path, body, f"{answer.status} {told}")

    def _note(self, method: str, path: str, body: object, told: str) -> None:
        said = "" if body is None else f" {json.dumps(body, ensure_ascii=False)}"
        self.lines.append(f"{method:6} {path}{said[:90]}\n    -> {told[:150]}")


def _brief(found: Json) -> str:
    if "items" in found:
        return f"{len(found['items'])} items, next_cursor {bool(found['next_cursor'])}"
    kept = ("id", "title", "content", "role", "queue_paused", "chat_ids", "known", "message")
    return json.dumps({key: found[key] for key in kept if key in found}, ensure_ascii=False)


def _end_of(answer: Answer) -> str:
    last = answer.frames[-1]
    if last["type"] == "error":
        return f"error {last['code']}"
    message = last["message"]
    return (
        f"{last['type']} id {message['id']}, {message['metadata']['status']},"
        f" {len(message['content'])} characters"
    )


@pytest.fixture
async def walk(server: Server) -> AsyncIterator[Walk]:
    async with httpx.AsyncClient(base_url=server.url, timeout=30) as client:
        walk = Walk(client)
        yield walk
    sys.stdout.write("\n".join(["", server.url, *walk.lines, ""]))


async def test_the_scenarios_of_the_document_and_the_tree(walk: Walk) -> None:
    chat = (await walk.ask("POST", "/chats", {}, gives=201))["id"]
    path = f"/chats/{chat}/messages"

    # 1 and 2: existing messages are loaded, a new one streams.
    await walk.ask("GET", path)
    first = await walk.read("POST", f"{path}/stream", {"content": SHORT})
    user, answer = (await walk.ask("GET", path))["items"]
    assert (answer, user["content"]) == (first.message, SHORT)

    # 4: another chat, while an answer is made in the first; back, and to its end.
    live, frames = await walk.begin(f"{path}/stream", {"content": LONG})
    await frames.aclose()
    other = (await walk.ask("POST", "/chats", {}, gives=201))["id"]
    await walk.read("POST", f"/chats/{other}/messages/stream", {"content": SHORT})
    back = await walk.read("GET", f"{path}/stream")
    assert back.run == live.run
    await walk.ask("GET", f"{path}/stream", gives=204)

    # 5: messages are deleted; then edited, made again, and shown as they were.
    shown = (await walk.ask("GET", path))["items"]
    await walk.ask("DELETE", f"{path}/{shown[-1]['id']}", gives=204)
    edited = await walk.ask("PATCH", f"{path}/{shown[2]['id']}", {"content": "Repeat: silver"})
    again = await walk.read("POST", f"{path}/{edited['id']}/regenerate", {})
    twice = await walk.read("POST", f"{path}/{again.message['id']}/regenerate", {})
    assert twice.message["sibling_ids"] == [again.message["id"], twice.message["id"]]
    await walk.ask("PATCH", f"/chats/{chat}", {"current_message_id": again.message["id"]})
    shown = (await walk.ask("GET", path))["items"]
    assert [one["id"] for one in shown[2:]] == [edited["id"], again.message["id"]]

    # Stop, and go on.
    stopped, frames = await walk.begin(f"{path}/stream", {"content": LONG})
    await walk.ask("POST", f"/chats/{chat}/cancel", {})
    await walk.rest(frames, stopped)
    more = await walk.read("POST", f"{path}/{stopped.message['id']}/continue", {})
    assert more.message["content"] == stopped.message["content"] + more.text == back.text

    # The queue waits for the answer, is sent in its order, and one of it is sent at once.
    live, frames = await walk.begin(f"{path}/stream", {"content": LONG})
    one = await walk.ask("POST", f"/chats/{chat}/queue", {"content": "Repeat: one"}, gives=201)
    await walk.ask("POST", f"/chats/{chat}/queue", {"content": "Repeat: two"}, gives=201)
    await walk.ask("PATCH", f"/chats/{chat}/queue/{one['id']}", {"place": 1})
    await walk.ask("GET", f"/chats/{chat}/queue")
    await walk.read("POST", f"/chats/{chat}/queue/{one['id']}/send", {})
    await walk.rest(frames, live)
    asked = [one["content"] for one in await settled(walk.client, chat)][::2]
    assert asked[-2:] == ["Repeat: one", "Repeat: two"]


async def test_lists_search_transfer_and_projects(walk: Walk) -> None:
    project = (await walk.ask("POST", "/projects", {"name": "Кольца"}, gives=201))["id"]
    chats = []
    for text in ("Повтори: золотое кольцо", "Повтори: зелёная ёлка", SHORT):
        new = {"project_id": project}
        chats.append((await walk.ask("POST", "/chats", new, gives=201))["id"])
        await walk.read("POST", f"/chats/{chats[-1]}/messages/stream", {"content": text})

    page = await walk.ask("GET", f"/chats?project_id={project}&limit=2")
    rest = await walk.ask(
        "GET", f"/chats?project_id={project}&limit=2&cursor={page['next_cursor']}"
    )
    assert [one["id"] for one in page["items"] + rest["items"]] == chats[::-1]
    for query, place in (("кольца", 0), ("елки", 1), ("ring", 2)):
        found = (await walk.ask("GET", f"/chats?q={query}"))["items"]
        assert [one["id"] for one in found] == [chats[place]]
    exported = await walk.ask("GET", f"/chats/{chats[0]}/export?format=json")
    done = await walk.ask("POST", "/chats/import", exported, gives=201)
    assert len(done["chat_ids"]) == 1
    await walk.ask("DELETE", f"/projects/{project}", gives=204)
    assert (await walk.ask("GET", f"/chats/{chats[0]}"))["project_id"] is None
    await walk.ask("DELETE", f"/chats/{chats[0]}", gives=204)
    await walk.refused("GET", f"/chats/{chats[0]}", None, 404, "chat_not_found")


async def test_what_may_be_wrong_is_said_and_nothing_is_half_done(walk: Walk) -> None:
    chat = (await walk.ask("POST", "/chats", {}, gives=201))["id"]
    other = (await walk.ask("POST", "/chats", {}, gives=201))["id"]
    path = f"/chats/{chat}/messages"
    await walk.read("POST", f"{path}/stream", {"content": SHORT})
    before = (await walk.ask("GET", path))["items"]
    user, answer = (one["id"] for one in before)
    page = await walk.ask("GET", "/chats?limit=1")
    cursor = page["next_cursor"]

    for method, where, body, status, code in (
        # 3: errors of the interface, and of those that use it.
        ("POST", f"{path}/stream", {"content": "?", "model": "gone/none"}, 404, "model_not_found"),
        ("POST", f"{path}/{answer}/regenerate", {"model": "gone"}, 404, "model_not_found"),
        ("POST", f"{path}/{answer}/continue", {"model": "gone"}, 404, "model_not_found"),
        ("POST", f"{path}/stream", {"content": " "}, 400, "invalid_request"),
        ("POST", f"{path}/stream", {"content": "?", "parent_id": 987_654}, 400, "invalid_request"),
        ("POST", f"/chats/{other}/messages/stream", {"content": "?", "parent_id": answer}, 400,
         "invalid_request"),
        ("PATCH", f"/chats/{other}", {"current_message_id": answer}, 404, "chat_not_found"),
        ("POST", f"/chats/{other}/messages/{answer}/regenerate", {}, 404, "chat_not_found"),
        ("PATCH", f"{path}/{answer}", {"content": "?"}, 400, "invalid_request"),
        ("POST", f"{path}/{user}/continue", {}, 400, "invalid_request"),
        ("GET", "/chats/987654/messages", None, 404, "chat_not_found"),
        ("POST", "/chats/987654/messages/stream", {"content": "?"}, 404, "chat_not_found"),
        ("GET", f"/projects?cursor={cursor}", None, 400, "cursor_invalid"),
        ("GET", f"/chats?q=gold&cursor={cursor}", None, 400, "cursor_invalid"),
        ("GET", f"{path}?cursor={cursor}", None, 400, "cursor_invalid"),
        ("GET", "/chats?cursor=garbage", None, 400, "cursor_invalid"),
        ("POST", "/chats/import", {"chats": "?"}, 400, "invalid_request"),
        ("POST", "/chats", {"project_id": 987_654}, 404, "chat_not_found"),
        ("POST", "/chats", {"external_id": "a\0"}, 400, "invalid_request"),
    ):  # fmt: skip
        await walk.refused(method, where, body, status, code)

    ui = {"id": str(chat), "messages": [{"role": "user", "parts": [{"type": "text", "text": "?"}]}]}
    await walk.refused("POST", "/api/ui/chat", {**ui, "model": "gone"}, 404, "model_not_found")
    await walk.refused(
        "POST", "/api/ui/chat", {**ui, "id": "new", "model": "gone"}, 404, "model_not_found"
    )
    tabs = await asyncio.gather(
        *(walk.read("POST", f"/chats/{other}/messages/stream", {"content": LONG}) for _ in "ab")
    )
    won, lost = sorted(tabs, key=lambda one: one.status)
    assert (won.status, lost.status, lost.error["code"]) == (200, 409, "chat_busy")

    assert (await walk.ask("GET", path))["items"] == before
    assert len((await walk.ask("GET", f"/chats/{other}/messages"))["items"]) == 2
    assert len((await walk.ask("GET", "/chats"))["items"]) == 2
    assert (await walk.ask("GET", "/projects"))["items"] == []
