"""A server that dies under its clients: none takes the cut for an end, and each gets the rest."""

import asyncio
import json
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.integration.harness import Server, running_server
from tests.peers.node import NodePeer

NUMBERS = ", ".join(map(str, range(1, 301))) + "."
# Far from its end when the last of the clients has begun to read.
TOKENS_PER_SECOND = "15"

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
Seen = dict[str, Any]
Reads = Callable[[Server], Coroutine[Any, Any, Seen]]


def python_of(client: str, program: str) -> Reads:
    async def read(server: Server) -> Seen:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", program, server.url, client), stdout=asyncio.subprocess.PIPE
        )
        printed, _ = await process.communicate()
        seen: Seen = json.loads(printed)
        return seen

    return read


def node_of(client: str, peer: NodePeer, version: str) -> Reads:
    async def read(server: Server) -> Seen:
        seen: Seen = await peer.run("cut.mjs", version, server.url, client)
        return seen

    return read


@pytest.fixture
def readers(openai_node: NodePeer, ai_sdk: NodePeer) -> list[Reads]:
    """Each reads one answer with one client, with the same key each time."""
    return [
        python_of("openai-python", OPENAI_PYTHON),
        python_of("langchain", LANGCHAIN),
        node_of("openai-node-6", openai_node, "openai6"),
        node_of("openai-node-7", openai_node, "openai7"),
        node_of("ai-6", ai_sdk, "6"),
        node_of("ai-7", ai_sdk, "7"),
    ]


async def until_begun(server: Server, count: int) -> None:
    """Wait until some of so many answers is stored."""
    begun: set[str] = set()
    async with httpx.AsyncClient(base_url=server.url) as client:
        while len(begun) < count:
            await asyncio.sleep(0.1)
            for run in (await client.get("/api/runs")).json()["items"]:
                state = (await client.get(f"/api/runs/{run['id']}")).json()
                if len(state["message"]["text"]) > 10:
                    begun.add(run["id"])


async def cut_short(server: Server, readers: list[Reads], end: Callable[[], Any]) -> list[Seen]:
    """Return what each client saw of an answer whose server went away in the middle."""
    reading = [asyncio.create_task(read(server)) for read in readers]
    await until_begun(server, len(readers))
    await end()
    return list(await asyncio.gather(*reading))


def check_cut(cut: list[Seen]) -> None:
    for seen in cut:
        assert seen["failed"], seen
        assert len(seen["text"]) < len(NUMBERS)
        assert NUMBERS.startswith(seen["text"])


async def test_after_a_kill_the_same_key_reads_the_same_answer_whole(
    tmp_path: Path, readers: list[Reads]
) -> None:
    async with running_server(tmp_path, POTOK_DEMO_TOKENS_PER_SECOND=TOKENS_PER_SECOND) as server:
        cut = await cut_short(server, readers, server.kill)
    async with running_server(tmp_path, POTOK_DEMO_TOKENS_PER_SECOND="0") as server:
        whole = await asyncio.gather(*(read(server) for read in readers))
        async with httpx.AsyncClient(base_url=server.url) as client:
            runs = (await client.get("/api/runs")).json()["items"]

    check_cut(cut)
    assert whole == [{"text": NUMBERS, "failed": None}] * len(readers)
    assert len(runs) == len(readers)


async def test_a_polite_stop_of_the_server_is_no_end_of_an_answer_either(
    tmp_path: Path, readers: list[Reads]
) -> None:
    async with running_server(tmp_path, POTOK_DEMO_TOKENS_PER_SECOND=TOKENS_PER_SECOND) as server:
        cut = await cut_short(server, readers, server.stop)

    check_cut(cut)
