"""The line before a provider that takes one call at a time: bounded, seen, and left at once."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from potok.testing.gates import Gate
from potok.testing.upstream import ScriptedUpstream
from potok.testing.upstream_script import Script
from tests.integration.harness import (
    Server,
    events_of,
    running_server,
    start_run,
    text_in,
    upstream_of,
    whole_run,
)

pytestmark = [pytest.mark.integration, pytest.mark.timeout(60)]

SOON_SECONDS = 15.0
ONE_AT_A_TIME = {"POTOK_UPSTREAM_CALLS_MAX": "1", "POTOK_UPSTREAM_WAITING_MAX": "3"}


@asynccontextmanager
async def served(
    folder: Path, gate: Gate, **settings: str
) -> AsyncIterator[tuple[ScriptedUpstream, Server, httpx.AsyncClient]]:
    script = Script(tokens=("a ", "b"), gate=gate)
    async with (
        ScriptedUpstream(script, models=("scripted",)) as upstream,
        running_server(folder, **upstream_of(upstream), **ONE_AT_A_TIME, **settings) as server,
        httpx.AsyncClient(base_url=server.url, timeout=30) as client,
    ):
        yield upstream, server, client


async def ask(client: httpx.AsyncClient, prompt: str, **more: Any) -> str:
    return await start_run(client, prompt, model="openai/scripted", **more)


async def until_state(client: httpx.AsyncClient, run: str, **wanted: Any) -> dict[str, Any]:
    """Return a run's state once it holds what is wanted."""
    async with asyncio.timeout(SOON_SECONDS):
        while True:
            state: dict[str, Any] = (await client.get(f"/api/runs/{run}")).json()
            if wanted.items() <= state.items():
                return state
            await asyncio.sleep(0.02)


async def test_those_who_wait_are_shown_their_place_until_their_turn_comes(tmp_path: Path) -> None:
    gate = Gate()
    async with served(tmp_path, gate) as (upstream, _, client):
        first = await ask(client, "1")
        await upstream.until_call(1)
        second = await ask(client, "2", language="ru")
        await until_state(client, second, status="queued", position=1)
        third = await ask(client, "3", language="en")
        await until_state(client, third, status="queued", position=2)
        queued = (await client.get("/api/runs?status=queued")).json()["items"]
        running = (await client.get("/api/runs?status=running")).json()["items"]
        whole = (await client.get("/api/runs")).json()["items"]

        gate.open()
        texts = [text_in(await whole_run(client, run)) for run in (first, second, third)]
        told = [
            json.loads(fields)
            for _, kind, fields in await whole_run(client, second)
            if kind == "status"
        ]
        state = await until_state(client, third, status="finished")

    assert [one["id"] for one in queued] == [third, second]
    assert [one["id"] for one in running] == [first]
    assert [one["status"] for one in whole] == ["queued", "queued", "running"]
    assert texts == ["a b"] * 3
    assert [(one["code"], one.get("extra"), one["text"]) for one in told] == [
        ("queued", {"position": 1}, "В очереди к модели, место 1..."),
        ("queue_left", None, "Очередь подошла, модель отвечает..."),
    ]
    assert "position" not in state


async def test_a_reader_sees_the_line_move(tmp_path: Path) -> None:
    gate = Gate()
    async with served(tmp_path, gate) as (upstream, _, client):
        await ask(client, "1")
        await upstream.until_call(1)
        await ask(client, "2")
        third = await ask(client, "3")
        places = []
        async with asyncio.timeout(SOON_SECONDS):
            async for event in events_of(client, third):
                if event.event == "status":
                    places.append((json.loads(event.data).get("extra") or {}).get("position"))
                    # The first call's two tokens; the second one then keeps its place.
                    gate.release(2 if len(places) == 1 else 0)
                if places == [2, 1]:
                    break
        gate.open()
    assert places == [2, 1]


async def test_a_line_that_is_full_refuses_a_start_and_says_when_to_come_back(
    tmp_path: Path,
) -> None:
    gate = Gate()
    async with served(tmp_path, gate) as (upstream, _, client):
        kept = {"model": "openai/scripted", "messages": [{"role": "user", "content": "1"}]}
        key = {"Idempotency-Key": "mine"}
        first = (await client.post("/api/runs", json=kept, headers=key)).json()["id"]
        await upstream.until_call(1)
        waiting = [await ask(client, str(number)) for number in range(3)]
        for run in waiting:
            await until_state(client, run, status="queued")
        body = {"model": "openai/scripted", "messages": [{"role": "user", "content": "5"}]}

        refusals = [
            await client.post("/api/runs", json=body),
            await client.post("/v1/chat/completions", json={**body, "stream": True}),
        ]
        again = await client.post("/api/runs", json=body, headers={"Idempotency-Key": "k"})
        retried = await client.post("/api/runs", json=kept, headers=key)
        gate.open()
        await whole_run(client, first)
        runs = (await client.get("/api/runs")).json()["items"]

    for refusal in (*refusals, again):
        assert refusal.status_code == 429
        assert int(refusal.headers["retry-after"]) > 0
        assert "all 1 calls under way" in refusal.json()["error"]["message"]
    assert again.json()["error"]["code"] == "upstream_busy"
    assert len(runs) == 4, "what is refused leaves no run"
    assert (retried.status_code, retried.json()["id"]) == (200, first)


async def test_a_run_that_is_stopped_while_it_waits_leaves_the_line_at_once(
    tmp_path: Path,
) -> None:
    gate = Gate()
    async with served(tmp_path, gate) as (upstream, _, client):
        await ask(client, "1")
        await upstream.until_call(1)
        second, third = await ask(client, "2"), await ask(client, "3")
        await until_state(client, third, status="queued", position=2)

        reply = await client.post(f"/api/runs/{second}/cancel", json={})

        moved = await until_state(client, third, status="queued", position=1)
        gate.open()
        whole = await whole_run(client, second)
        assert text_in(await whole_run(client, third)) == "a b"
        calls = [call.body["messages"][0]["content"] for call in upstream.calls]
    assert (reply.status_code, reply.json()["status"]) == (200, "cancelled")
    assert "position" not in reply.json()
    assert moved["message"]["status"]["code"] == "queued"
    assert json.loads(whole[-1][2])["outcome"] == "cancelled"
    assert calls == ["1", "3"], "nobody was called for the one that left"
