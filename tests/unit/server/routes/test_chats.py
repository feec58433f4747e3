"""The chat routes through ASGI, with two principals: what one has, the other cannot see."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from potok.chats.contract import ChatStore
from potok.chats.database import sqlite_url
from potok.chats.store import SqlChatStore
from potok.runs.chat_keeping import ChatSettings
from potok.runs.conversations import Conversations
from potok.server.access import Access
from potok.server.app import build_app
from potok.server.principals import KeyedPrincipals
from tests.unit.server.house import build_house

BASE = "/api/web/v1"
KEYS = KeyedPrincipals({"ann-key": "ann", "ben-key": "ben"})
NOBODYS = "987654321"


@asynccontextmanager
async def open_server(path: Path) -> AsyncIterator[tuple[httpx.AsyncClient, httpx.AsyncClient]]:
    """Yield Ann's client and Ben's, of one server that keeps chats."""
    house = build_house(access=Access(principals=KEYS))
    services = house.services
    store = SqlChatStore(sqlite_url(path), clock=services.clock)

    async def open_store() -> ChatStore:
        await store.open()
        return store

    chats = Conversations(
        open_store,
        services.runs,
        clock=services.clock,
        ids=services.ids,
        settings=ChatSettings(has_model_titles=False),
    )
    app = build_app(replace(services, chats=chats))
    await services.runs.open()
    await chats.open()
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    clients = [
        httpx.AsyncClient(
            transport=transport,
            base_url="http://127.0.0.1:8000",
            headers={"authorization": f"Bearer {key}"},
        )
        for key in KEYS.keys
    ]
    try:
        yield clients[0], clients[1]
    finally:
        for client in clients:
            await client.aclose()
        await services.runs.close()
        await chats.close()


@pytest.fixture
async def people(tmp_path: Path) -> AsyncIterator[tuple[httpx.AsyncClient, httpx.AsyncClient]]:
    async with open_server(tmp_path / "chats.sqlite3") as clients:
        yield clients


async def make_chat(client: httpx.AsyncClient) -> dict[str, str]:
    """Make one of everything; return the ids by the names in the paths."""
    project = (await client.post(f"{BASE}/projects", json={"name": "p"})).json()
    chat = (await client.post(f"{BASE}/chats", json={"project_id": project["id"]})).json()
    path = f"{BASE}/chats/{chat['id']}"
    reply = await client.post(f"{path}/messages/stream", json={"content": "Hi"})
    assert reply.status_code == 200, reply.text
    items = (await client.get(f"{path}/messages")).json()["items"]
    # Waits, because nothing goes on by itself after a pause.
    await client.post(f"{path}/cancel", json={})
    return {"project": str(project["id"]), "chat": str(chat["id"]), "message": str(items[1]["id"])}


CALLS: list[tuple[str, str, dict[str, Any] | None]] = [
    ("GET", "/projects/{project}", None),
    ("PATCH", "/projects/{project}", {"name": "x"}),
    ("DELETE", "/projects/{project}", None),
    ("GET", "/chats/{chat}", None),
    ("PATCH", "/chats/{chat}", {"title": "x"}),
    ("DELETE", "/chats/{chat}", None),
    ("POST", "/chats/{chat}/cancel", {}),
    ("GET", "/chats/{chat}/messages", None),
    ("GET", "/chats/{chat}/messages/{message}", None),
    ("PATCH", "/chats/{chat}/messages/{message}", {"content": "x"}),
    ("PATCH", "/chats/{chat}/messages/{message}", {"thinkingExpanded": True}),
    ("DELETE", "/chats/{chat}/messages/{message}", None),
    ("POST", "/chats/{chat}/messages/stream", {"content": "x"}),
    ("GET", "/chats/{chat}/messages/stream", None),
    ("POST", "/chats/{chat}/messages/{message}/regenerate", {}),
    ("POST", "/chats/{chat}/messages/{message}/continue", {}),
    ("GET", "/chats/{chat}/queue", None),
    ("POST", "/chats/{chat}/queue", {"content": "x"}),
    ("PATCH", "/chats/{chat}/queue/1", {"place": 0}),
    ("DELETE", "/chats/{chat}/queue/1", None),
    ("POST", "/chats/{chat}/queue/1/send", {}),
    ("GET", "/chats/{chat}/export", None),
    ("GET", "/chats/{chat}/export?format=json", None),
    ("GET", "/chats?project_id={project}", None),
]


@pytest.mark.parametrize(("method", "path", "body"), CALLS, ids=lambda one: str(one))
async def test_what_is_anothers_answers_as_if_it_were_not_there(
    people: tuple[httpx.AsyncClient, httpx.AsyncClient],
    method: str,
    path: str,
    body: dict[str, Any] | None,
) -> None:
    ann, ben = people
    hers = await make_chat(ann)
    none = dict.fromkeys(hers, NOBODYS)

    foreign = await ben.request(method, BASE + path.format(**hers), json=body)
    missing = await ben.request(method, BASE + path.format(**none), json=body)

    said = foreign.text
    for name in hers.values():
        said = said.replace(f"'{name}'", f"'{NOBODYS}'")
    assert (foreign.status_code, said) == (missing.status_code, missing.text)
    assert foreign.status_code == (404 if not path.startswith("/chats?") else 200)
    after = (await ann.get(f"{BASE}/chats/{hers['chat']}/messages")).json()["items"]
    assert [one["content"] for one in after] == ["Hi", "Привет, мир!"]


async def test_lists_hold_what_is_yours(
    people: tuple[httpx.AsyncClient, httpx.AsyncClient],
) -> None:
    ann, ben = people
    await make_chat(ann)

    for path in ("/projects", "/chats", "/chats?q=Hi", "/chats?archived=all"):
        assert len((await ann.get(BASE + path)).json()["items"]) == 1, path
        assert (await ben.get(BASE + path)).json() == {"items": [], "next_cursor": None}, path


async def test_another_run_of_a_stranger_is_no_place_to_attach_to(
    people: tuple[httpx.AsyncClient, httpx.AsyncClient],
) -> None:
    ann, ben = people
    hers, his = await make_chat(ann), await make_chat(ben)
    said = (await ann.get(f"{BASE}/chats/{hers['chat']}/messages")).json()["items"][1]
    run = said["metadata"]["run"]

    path = f"{BASE}/chats/{his['chat']}/messages/stream"
    foreign = await ben.get(path, headers={"last-event-id": f"{run}.1"})
    missing = await ben.get(path, headers={"last-event-id": f"{run[:-1]}9.1"})

    assert (foreign.status_code, missing.status_code) == (404, 404)
    assert foreign.json()["error"]["code"] == missing.json()["error"]["code"] == "run_not_found"


@pytest.mark.parametrize(
    "path",
    ["/projects", "/chats", "/chats?q=Hi", "/chats?archived=all", "/chats/{chat}/messages"],
)
async def test_a_cursor_is_good_for_its_own_list_only(
    people: tuple[httpx.AsyncClient, httpx.AsyncClient], path: str
) -> None:
    ann, _ = people
    hers, _ = await make_chat(ann), await make_chat(ann)
    lists = ["/projects", "/chats", "/chats?q=Hi", "/chats?archived=all", "/chats/{chat}/messages"]

    def paged(one: str) -> str:
        return f"{BASE}{one.format(**hers)}{'&' if '?' in one else '?'}limit=1"

    cursor = (await ann.get(paged(path))).json()["next_cursor"]
    assert cursor
    for other in lists:
        reply = await ann.get(f"{paged(other)}&cursor={cursor}")
        assert reply.status_code == (200 if other == path else 400), other


async def test_a_server_without_chats_has_none_of_their_paths() -> None:
    house = build_house()
    async with house.client() as client:
        reply = await client.get(f"{BASE}/chats")

    assert (reply.status_code, json.loads(reply.content)["error"]["code"]) == (404, "path_unknown")
