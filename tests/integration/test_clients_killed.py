"""A server that dies under its clients: none takes the cut for an end, and each gets the rest."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.integration.harness import Server, running_server
from tests.peers.node import NodePeer

NUMBERS = ", ".join(map(str, range(1, 301))) + "."
# Some two seconds of an answer.
TOKENS_PER_SECOND = "300"
KEY = "question-17"

OPENAI_PYTHON = """
import json, sys, openai

client = openai.OpenAI(base_url=sys.argv[1] + "/v1", api_key="none", max_retries=0)
seen = {"text": "", "failed": None}
try:
    for chunk in client.chat.completions.create(
        model="demo",
        messages=[{"role": "user", "content": "Count to 300"}],
        stream=True,
        extra_headers={"Idempotency-Key": sys.argv[2]},
    ):
        seen["text"] += chunk.choices[0].delta.content or ""
except Exception as error:
    seen["failed"] = type(error).__name__
print(json.dumps(seen))
"""
LANGCHAIN = """
import json, sys
from langchain_openai import ChatOpenAI

model = ChatOpenAI(model="demo", base_url=sys.argv[1] + "/v1", api_key="none", max_retries=0)
seen = {"text": "", "failed": None}
try:
    headers = {"Idempotency-Key": sys.argv[2]}
    for chunk in model.stream("Count to 300", extra_headers=headers):
        seen["text"] += chunk.text
except Exception as error:
    seen["failed"] = type(error).__name__
print(json.dumps(seen))
"""
Reads = Callable[[Server], Awaitable[dict[str, Any]]]


def python_of(program: str) -> Reads:
    async def read(server: Server) -> dict[str, Any]:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", program, server.url, KEY), stdout=asyncio.subprocess.PIPE
        )
        printed, _ = await process.communicate()
        seen: dict[str, Any] = json.loads(printed)
        return seen

    return read


def node_of(peer: NodePeer, version: str) -> Reads:
    async def read(server: Server) -> dict[str, Any]:
        seen: dict[str, Any] = await peer.run("cut.mjs", version, server.url, KEY)
        return seen

    return read


@pytest.fixture(
    params=["openai-python", "langchain", "openai6", "openai7", "ai6", "ai7"],
)
def read(request: pytest.FixtureRequest) -> Reads:
    """Read one answer with one client, with the same key each time."""
    client: str = request.param
    if client in ("openai-python", "langchain"):
        return python_of(OPENAI_PYTHON if client == "openai-python" else LANGCHAIN)
    if client.startswith("openai"):
        return node_of(request.getfixturevalue("openai_node"), client)
    return node_of(request.getfixturevalue("ai_sdk"), client.removeprefix("ai"))


async def until_begun(server: Server) -> None:
    """Wait until some of an answer is stored."""
    async with httpx.AsyncClient(base_url=server.url) as client:
        while True:
            runs = (await client.get("/api/runs")).json()["items"]
            if runs:
                state = (await client.get(f"/api/runs/{runs[0]['id']}")).json()
                if len(state["message"]["text"]) > 40:
                    return
            await asyncio.sleep(0.05)


async def test_a_killed_server_is_an_error_and_the_same_key_reads_the_whole(
    tmp_path: Path, read: Reads
) -> None:
    async with running_server(tmp_path, POTOK_DEMO_TOKENS_PER_SECOND=TOKENS_PER_SECOND) as server:
        reading = asyncio.create_task(read(server))
        await until_begun(server)
        await server.kill()
        cut = await reading
        await server.start()
        whole = await read(server)

    assert cut["failed"], cut
    assert NUMBERS.startswith(cut["text"])
    assert cut["text"] != NUMBERS
    assert whole == {"text": NUMBERS, "failed": None}


async def test_a_polite_stop_is_no_end_either(tmp_path: Path, read: Reads) -> None:
    async with running_server(tmp_path, POTOK_DEMO_TOKENS_PER_SECOND=TOKENS_PER_SECOND) as server:
        reading = asyncio.create_task(read(server))
        await until_begun(server)
        await server.stop()
        cut = await reading

    assert cut["failed"], cut
    assert NUMBERS.startswith(cut["text"])
