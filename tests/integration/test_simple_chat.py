"""Simple chat on the real server, read by clients as simple as those that people write by hand.

They look at each read by itself: no parser, no buffer between two reads. That works because every
write holds whole frames.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from potok.limits import WRITE_BYTES_MAX
from potok.testing.gates import Gate
from potok.testing.upstream import ScriptedUpstream
from potok.testing.upstream_script import Script
from tests.integration.harness import Server, running_server, upstream_of

pytestmark = [pytest.mark.integration, pytest.mark.timeout(60)]

LONG = {"messages": [{"role": "user", "content": "Расскажи подробно, что такое Поток"}]}


@asynccontextmanager
async def served(tmp_path: Path, script: Script | None = None, **more: str) -> AsyncIterator[Any]:
    """Serve the demo model, or one that plays a script; give the server and the upstream."""
    if script is None:
        async with running_server(tmp_path, **more) as server:
            yield server, None
        return
    async with (
        ScriptedUpstream(script, models=("scripted",)) as upstream,
        running_server(tmp_path, **upstream_of(upstream), **more) as server,
    ):
        yield server, upstream


class Naive:
    """Reads server-sent events without a parser: whole lines of one read, `data: ` in front."""

    def __init__(self) -> None:
        self.text = ""
        self.is_done = False
        self.lost: list[str] = []
        self.errors: list[str] = []

    def read(self, chunk: str) -> None:
        for line in chunk.split("\n"):
            if not line.startswith("data: "):
                continue
            if line[6:] == "[DONE]":
                self.is_done = True
                return
            try:
                said = json.loads(line[6:])
            except ValueError:
                self.lost.append(line)
                continue
            self.text += said.get("content", "")
            if said.get("error"):
                self.errors.append(said["error"])


async def chunks_of(
    server: Server, body: dict[str, Any], accept: str = "*/*"
) -> AsyncGenerator[bytes, None]:
    """Yield the HTTP chunks of an answer: what the server wrote at once, one by one."""
    asked = json.dumps(body).encode()
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(
        f"POST /api/chat/stream HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nAccept: {accept}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(asked)}\r\n\r\n".encode()
    )
    writer.write(asked)
    head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200"), head
    assert b"transfer-encoding: chunked" in head.lower()
    try:
        while size := int(await reader.readuntil(b"\r\n"), 16):
            yield (await reader.readexactly(size + 2))[:-2]
    finally:
        writer.close()


async def whole_answer(server: Server, body: dict[str, Any]) -> str:
    async with httpx.AsyncClient(base_url=server.url, timeout=30) as client:
        answer: str = (await client.post("/api/chat", json=body)).json()["message"]
        return answer


async def test_a_reader_without_a_parser_prints_the_whole_answer(tmp_path: Path) -> None:
    async with served(tmp_path, POTOK_DEMO_TOKENS_PER_SECOND="400") as (server, _):
        naive = Naive()
        async for chunk in chunks_of(server, LONG):
            assert len(chunk) <= WRITE_BYTES_MAX
            # Whole frames: what a decoder of one read finds needs no other read.
            naive.read(chunk.decode())
        expected = await whole_answer(server, LONG)

    assert naive.text == expected
    assert naive.is_done
    assert naive.lost == []


@pytest.mark.parametrize("accept", ["*/*", "text/plain"])
async def test_a_fast_model_with_large_pieces_still_comes_in_whole_frames(
    tmp_path: Path, accept: str
) -> None:
    tokens = tuple(f"{number} " + "я🎉\n" * 4_000 for number in range(60))
    async with served(tmp_path, Script(tokens=tokens)) as (server, _):
        naive, text, largest = Naive(), "", 0
        async for chunk in chunks_of(server, LONG, accept):
            largest = max(largest, len(chunk))
            naive.read(chunk.decode())
            text += chunk.decode()

    assert (text if accept == "text/plain" else naive.text) == "".join(tokens)
    assert naive.lost == []
    assert largest <= WRITE_BYTES_MAX


async def test_with_one_header_more_the_body_is_the_text_itself(tmp_path: Path) -> None:
    async with (
        served(tmp_path, POTOK_DEMO_TOKENS_PER_SECOND="400") as (server, _),
        httpx.AsyncClient(base_url=server.url, timeout=30) as client,
    ):
        whole, reads = b"", 0
        headers = {"accept": "text/plain"}
        async with client.stream("POST", "/api/chat/stream", json=LONG, headers=headers) as reply:
            async for chunk in reply.aiter_raw():
                whole += chunk
                reads += 1
        expected = await whole_answer(server, LONG)

    assert whole.decode() == expected
    assert reads > 10


async def test_each_token_is_there_as_soon_as_the_model_says_it(tmp_path: Path) -> None:
    gate = Gate(passes=1)
    tokens = tuple(f"слово{number} " for number in range(20))
    async with served(tmp_path, Script(tokens=tokens, gate=gate)) as (server, _):
        naive = Naive()
        async for chunk in chunks_of(server, LONG):
            before = naive.text
            naive.read(chunk.decode())
            if naive.text != before:
                gate.release()

    assert naive.text == "".join(tokens)


async def test_a_failed_run_is_said_in_a_frame_and_cuts_bare_text(tmp_path: Path) -> None:
    script = Script(tokens=("Half ",), then="drop")
    async with (
        served(tmp_path, script) as (server, _),
        httpx.AsyncClient(base_url=server.url, timeout=30) as client,
    ):
        naive = Naive()
        async for chunk in chunks_of(server, LONG):
            naive.read(chunk.decode())
        headers = {"accept": "text/plain"}
        text = b""
        async with client.stream("POST", "/api/chat/stream", json=LONG, headers=headers) as reply:
            with pytest.raises(httpx.RemoteProtocolError):
                text = await reply.aread()

    assert text == b""
    assert naive.text == "Half "
    assert not naive.is_done
    assert len(naive.errors) == 1


async def test_an_abort_closes_the_upstream_after_the_grace(tmp_path: Path) -> None:
    script = Script(tokens=("a ",), then="stall")
    async with served(tmp_path, script, POTOK_DISCONNECT_GRACE_SECONDS="0.1") as (
        server,
        upstream,
    ):
        chunks = chunks_of(server, LONG)
        await anext(chunks)
        await chunks.aclose()

        async with asyncio.timeout(5):
            await upstream.calls[0].closed_by_client.wait()
