"""The example of an own agent works as it stands, and survives what all runs survive."""

import asyncio
import json
import random
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from tests.integration.custom_apps import EXAMPLES, app_on_path
from tests.integration.harness import Server, events_of, running_server, text_in, whole_run
from tests.postgres import new_database

pytestmark = pytest.mark.integration

TOPIC = {"topic": "что такое Поток и как он хранит ответы"}
END_SECONDS_MAX = 30.0


def environment(folder: Path) -> dict[str, str]:
    source = EXAMPLES / "custom_agent"
    return {
        "PYTHONPATH": app_on_path(folder, source=source, entry="tutor = custom_agent:app"),
        "POTOK_DEMO_TOKENS_PER_SECOND": "300",
    }


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with running_server(tmp_path / "data", **environment(tmp_path / "apps")) as running:
        yield running


async def start_tutor(client: httpx.AsyncClient) -> str:
    reply = await client.post("/api/runs", json={"agent": "tutor", "input": TOPIC})
    assert reply.status_code == 201, reply.text
    return str(reply.json()["id"])


def test_the_example_is_under_sixty_lines() -> None:
    source = (EXAMPLES / "custom_agent" / "custom_agent.py").read_text()

    assert len(source.splitlines()) < 60


async def test_it_streams_over_its_own_route(server: Server) -> None:
    async with httpx.AsyncClient(base_url=server.url, timeout=30) as client:
        reply = await client.post("/api/tutor/stream", json=TOPIC)
        run = reply.headers["x-potok-run"]
        events = await whole_run(client, run)

    frames = [line[6:] for line in reply.text.split("\n") if line.startswith("data: ")]
    assert frames[-1] == "[DONE]"
    assert "".join(json.loads(frame)["content"] for frame in frames[:-1]) == text_in(events)
    agents = [json.loads(fields).get("agent") for _, kind, fields in events if kind == "text-start"]
    assert agents == ["teacher"]


async def test_its_errors_have_its_dialects_shape(server: Server) -> None:
    async with httpx.AsyncClient(base_url=server.url, timeout=30) as client:
        reply = await client.post("/api/tutor/stream", json={})

    assert reply.status_code == 400
    assert reply.json()["error"] == "`topic` must be a text."


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
async def test_kill_nine_at_any_token_loses_and_doubles_none(tmp_path: Path, database: str) -> None:
    dice = random.Random(20261121)
    more = {"POTOK_DATABASE_URL": await new_database()} if database == "postgres" else {}
    server = Server(tmp_path / "data", **environment(tmp_path / "apps"), **more)
    await server.start()
    try:
        async with httpx.AsyncClient(base_url=server.url, timeout=30) as client:
            uncut = text_in(await whole_run(client, await start_tutor(client)))
        assert len(uncut) > 200
        for _ in range(4):
            await kill_and_compare(server, dice.randint(1, 150), uncut)
    finally:
        if server.is_running:
            await server.kill()


async def kill_and_compare(server: Server, shown_min: int, uncut: str) -> None:
    shown: list[tuple[str, str, str]] = []
    async with httpx.AsyncClient(base_url=server.url, timeout=30) as client:
        run = await start_tutor(client)
        async for event in events_of(client, run):
            shown.append((event.id, event.event, event.data))
            if len(shown) == shown_min:
                break
    await server.kill()
    await server.start()
    async with (
        httpx.AsyncClient(base_url=server.url, timeout=30) as client,
        asyncio.timeout(END_SECONDS_MAX),
    ):
        whole = await whole_run(client, run)

    assert whole[: len(shown)] == shown
    assert json.loads(whole[-1][2])["outcome"] == "finished", whole[-1]
    assert text_in(whole) == uncut
    plans = [fields for _, kind, fields in whole if kind == "data" and '"plan"' in fields]
    assert len(plans) == 1
