"""P7 and P3: readers that never read, or leave, cost the run and the other readers nothing."""

import asyncio
import json
from pathlib import Path

import httpx
import pytest

from potok.testing.upstream import ScriptedUpstream
from potok.testing.upstream_script import Script
from tests.integration.harness import (
    Server,
    events_of,
    running_server,
    start_run,
    upstream_of,
    whole_run,
)

pytestmark = [pytest.mark.integration, pytest.mark.timeout(60)]

LAZY_READERS = 30
TOKEN = "х" * 5_000
TOKENS = 2_500
# The run's own copies of its 25 MB, and a few MB a reader; readers that each held the answer
# would need 750 MB more.
GROWN_BYTES_MAX = 400_000_000


def resident_bytes(server: Server) -> int:
    """Return the server's resident memory."""
    status = Path(f"/proc/{server.process_id}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) * 1024


async def open_and_never_read(server: Server, run: str) -> asyncio.StreamWriter:
    """Ask for a run's events with a small window, and take nothing of the answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port, limit=1024)
    reader._transport.pause_reading()  # type: ignore[attr-defined]
    writer.write(
        f"GET /api/runs/{run}/events HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n\r\n".encode()
    )
    await writer.drain()
    return writer


async def test_thirty_readers_that_never_read_change_nothing_for_another(tmp_path: Path) -> None:
    async with (
        ScriptedUpstream(Script(tokens=(TOKEN,) * TOKENS), models=("scripted",)) as upstream,
        running_server(tmp_path, **upstream_of(upstream)) as server,
        httpx.AsyncClient(base_url=server.url, timeout=30) as client,
    ):
        alone = await start_run(client, "alone", model="openai/scripted")
        await whole_run(client, alone)
        before = resident_bytes(server)

        run = await start_run(client, "crowded", model="openai/scripted")
        lazy = [await open_and_never_read(server, run) for _ in range(LAZY_READERS)]
        characters = 0
        async for event in events_of(client, run):
            if event.event == "text-delta":
                characters += len(json.loads(event.data)["text"])
        grown = resident_bytes(server) - before
        for writer in lazy:
            writer.close()

    assert characters == len(TOKEN) * TOKENS
    assert grown < GROWN_BYTES_MAX


async def test_a_chat_completion_nobody_reads_is_stopped_after_its_grace(tmp_path: Path) -> None:
    body = {
        "model": "openai/scripted",
        "stream": True,
        "messages": [{"role": "user", "content": "x"}],
    }
    async with (
        ScriptedUpstream(Script(tokens=("a ",), then="stall"), models=("scripted",)) as upstream,
        running_server(
            tmp_path,
            **upstream_of(upstream),
            POTOK_DISCONNECT_GRACE_SECONDS="1",
        ) as server,
        httpx.AsyncClient(base_url=server.url, timeout=30) as client,
    ):
        async with client.stream("POST", "/v1/chat/completions", json=body) as reply:
            run = reply.headers["x-potok-run"]
            call = await upstream.until_call(1)

        async with asyncio.timeout(10):
            await call.closed_by_client.wait()
        whole = await whole_run(client, run)

    assert json.loads(whole[-1][2])["code"] == "disconnected"


async def test_a_chat_completion_with_a_key_goes_on_without_its_reader(tmp_path: Path) -> None:
    body = {
        "model": "demo",
        "stream": True,
        "messages": [{"role": "user", "content": "Tell me in detail what Potok is"}],
    }
    async with (
        running_server(
            tmp_path, POTOK_DISCONNECT_GRACE_SECONDS="0.1", POTOK_DEMO_TOKENS_PER_SECOND="300"
        ) as server,
        httpx.AsyncClient(base_url=server.url, timeout=30) as client,
    ):
        headers = {"Idempotency-Key": "kept"}
        async with client.stream(
            "POST", "/v1/chat/completions", json=body, headers=headers
        ) as reply:
            run = reply.headers["x-potok-run"]
            await anext(reply.aiter_raw())

        whole = await whole_run(client, run)

    assert json.loads(whole[-1][2])["outcome"] == "finished"
    assert any(run in line and "potok cancel" in line for line in server.lines)
