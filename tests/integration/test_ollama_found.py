"""An Ollama on its usual port is found by a real server, and not missed while it is not there."""

import asyncio
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from potok.assembly.settings.ollama import OLLAMA_URL
from potok.limits import MODELS_FAILURE_KEPT_SECONDS
from potok.models.knocking import somebody_listens
from potok.testing.upstream import Script, ScriptedUpstream
from tests.integration.harness import running_server

PORT = int(OLLAMA_URL.rpartition(":")[2])
READY_SECONDS_MAX = 5.0  # the promise is one second; a loaded machine is slower


async def usual_port_is_free() -> None:
    if await somebody_listens(OLLAMA_URL, seconds=1.0):
        pytest.skip("somebody listens on Ollama's usual port of this machine")


def usual_ollama() -> ScriptedUpstream:
    return ScriptedUpstream(Script(), models=("llama3.2:latest",), port=PORT)


async def names(client: httpx.AsyncClient) -> list[str]:
    listed: list[dict[str, Any]] = (await client.get("/v1/models")).json()["data"]
    return [f"{model['owned_by']}/{model['id']}" for model in listed]


async def ask(client: httpx.AsyncClient, model: str) -> httpx.Response:
    messages = [{"role": "user", "content": "Hi!"}]
    return await client.post(
        "/v1/chat/completions", json={"model": model, "messages": messages}, timeout=30
    )


async def test_one_that_is_there_answers_under_its_own_names(tmp_path: Path) -> None:
    await usual_port_is_free()
    async with (
        usual_ollama() as upstream,
        running_server(tmp_path, POTOK_UPSTREAM_DISCOVERY="on") as server,
        httpx.AsyncClient(base_url=server.url) as client,
    ):
        listed = await names(client)
        answer = (await ask(client, "llama3.2:latest")).json()
        by_default = (await ask(client, "default")).json()
        unknown = await ask(client, "gpt-4o")

    assert listed[0] == "ollama/llama3.2:latest"
    assert len(listed) == 2
    assert answer["choices"][0]["message"]["content"] == "Hello, world!"
    assert by_default["choices"][0]["message"]["content"] == "Hello, world!"
    assert unknown.status_code == 404
    assert [call.path for call in upstream.calls] == ["/api/chat", "/api/chat"]
    assert f"Found at {OLLAMA_URL}: ollama serves llama3.2:latest." in server.lines


@pytest.mark.long
async def test_one_that_comes_later_is_found_and_was_not_missed_before(tmp_path: Path) -> None:
    await usual_port_is_free()
    began = time.monotonic()
    async with (
        running_server(tmp_path, POTOK_UPSTREAM_DISCOVERY="on") as server,
        httpx.AsyncClient(base_url=server.url) as client,
    ):
        ready_seconds = time.monotonic() - began
        before = await names(client)
        demo = (await ask(client, "gpt-4o")).json()
        async with usual_ollama():
            await asyncio.sleep(MODELS_FAILURE_KEPT_SECONDS + 0.5)
            after = await names(client)
            default = (await ask(client, "default")).json()

    said = "\n".join(server.lines)
    assert ready_seconds < READY_SECONDS_MAX
    assert len(before) == 1
    assert "demo model" in demo["choices"][0]["message"]["content"]
    assert after[0] == "ollama/llama3.2:latest"
    assert default["choices"][0]["message"]["content"] == "Hello, world!"
    assert "cannot be reached" not in said
    assert OLLAMA_URL not in said
