"""The wire rules that only a real server shows: what a socket sees, chunk by chunk."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
import openai
import pytest

from potok import limits
from potok.errors import SettingInvalid
from potok.events.kinds import Event, TextDelta, TextStart
from potok.runs.service import RunService
from potok.runs.settings import RunSettings
from potok.testing.gates import Gate
from tests.unit.server.house import BEGIN, HELLO, REST, LiveHouse, serve_house, until_ended

STREAM = {**HELLO, "stream": True}


@dataclass
class Wire:
    """One raw connection: what is written to it, and what comes back chunk by chunk."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def ask(self, method: str, path: str, body: bytes = b"", *more: str) -> None:
        lines = [f"{method} {path} HTTP/1.1", "Host: localhost", *more]
        if body:
            lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
        self.writer.write("\r\n".join([*lines, "", ""]).encode() + body)
        await self.writer.drain()

    async def head(self) -> tuple[int, dict[str, str]]:
        """Read the status and the headers."""
        raw = (await self.reader.readuntil(b"\r\n\r\n")).decode()
        status, *lines = raw.strip().split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines)
        return int(status.split()[1]), headers

    async def chunk(self) -> bytes | None:
        """Read one chunk: b"" is the last one, None a connection that was closed without it."""
        try:
            size = int(await self.reader.readuntil(b"\r\n"), 16)
            return (await self.reader.readexactly(size + 2))[:-2]
        except asyncio.IncompleteReadError:
            return None

    async def rest(self) -> list[bytes | None]:
        """Read all chunks, the last one too."""
        chunks = [await self.chunk()]
        while chunks[-1]:
            chunks.append(await self.chunk())
        return chunks


@asynccontextmanager
async def wire_to(live: LiveHouse) -> AsyncIterator[Wire]:
    reader, writer = await asyncio.open_connection("127.0.0.1", live.port)
    try:
        yield Wire(reader, writer)
    finally:
        writer.close()


async def start_chat(wire: Wire, *more: str) -> str:
    """Ask for a streamed answer; return its run once the headers are there."""
    await wire.ask("POST", "/v1/chat/completions", json.dumps(STREAM).encode(), *more)
    status, headers = await wire.head()
    assert status == 200
    return headers["x-potok-run"]


async def test_headers_are_out_before_the_first_token() -> None:
    gate = Gate()
    async with serve_house((gate, BEGIN, REST)) as live, wire_to(live) as wire:
        await start_chat(wire)
        first = await wire.chunk()
        await gate.until_waited_for()
        gate.open()
        chunks = await wire.rest()

        assert first is not None
        assert b'"delta":{"role":"assistant"}' in first or first == b": hb\n"
        assert chunks[-1] == b""


async def test_a_stream_is_chunked_and_nobody_may_hold_or_change_it() -> None:
    async with serve_house() as live, wire_to(live) as wire:
        await wire.ask("POST", "/v1/chat/completions", json.dumps(STREAM).encode())
        _, headers = await wire.head()
        await wire.rest()

        assert headers["transfer-encoding"] == "chunked"
        assert headers["cache-control"] == "no-cache, no-transform"
        assert headers["x-accel-buffering"] == "no"
        assert headers["content-type"] == "text/event-stream; charset=utf-8"
        assert "content-encoding" not in headers
        assert "server" not in headers


async def test_every_write_holds_whole_frames() -> None:
    deltas: list[Event] = [TextDelta(part="t1", text="x" * 1_900) for _ in range(60)]
    script = ([TextStart(part="t1"), *deltas], REST[1:])
    async with serve_house(script) as live, wire_to(live) as wire:
        await start_chat(wire)
        chunks = [chunk for chunk in await wire.rest() if chunk]

        assert all(chunk.endswith(b"\n\n") for chunk in chunks)
        assert all(chunk.startswith(b"data: ") for chunk in chunks)
        assert all(len(chunk) <= limits.WRITE_BYTES_MAX for chunk in chunks)
        assert len(chunks) > 1


async def test_draining_cuts_the_body_so_that_no_half_is_taken_for_the_whole() -> None:
    gate = Gate()
    async with serve_house((BEGIN, gate, REST)) as live, wire_to(live) as wire:
        await start_chat(wire)
        await gate.until_waited_for()
        while b"\xd0" not in (await wire.chunk() or b""):
            continue
        live.house.services.runs.drain()
        chunks = await wire.rest()

        assert chunks[-1] is None


async def test_a_cut_body_is_an_error_in_the_real_openai_client() -> None:
    gate = Gate()
    async with (
        serve_house((BEGIN, gate, REST)) as live,
        openai.AsyncOpenAI(base_url=f"{live.url}/v1", api_key="any", max_retries=0) as client,
    ):
        stream = await client.chat.completions.create(
            model="scripted", messages=[{"role": "user", "content": "Hello!"}], stream=True
        )
        texts = []

        async def read_until_cut() -> None:
            async for chunk in stream:
                texts.append(chunk.choices[0].delta.content)
                if texts[-1]:
                    live.house.services.runs.drain()

        with pytest.raises((openai.APIError, httpx.RemoteProtocolError)):
            await read_until_cut()

        assert texts == [None, "Привет"]


async def test_heartbeats_are_sent_and_the_real_openai_client_does_not_mind() -> None:
    gate = Gate()
    settings = RunSettings(heartbeat_seconds=0.01)
    async with (
        serve_house((BEGIN, gate, REST), settings=settings) as live,
        wire_to(live) as wire,
        openai.AsyncOpenAI(base_url=f"{live.url}/v1", api_key="any") as client,
    ):
        await start_chat(wire)
        stream = await client.chat.completions.create(
            model="scripted", messages=[{"role": "user", "content": "Hello!"}], stream=True
        )
        while await wire.chunk() != b": hb\n":
            continue
        gate.open()
        text = "".join([chunk.choices[0].delta.content or "" async for chunk in stream])

        assert text == "Привет, мир!"


async def test_a_client_that_leaves_gives_its_reader_up() -> None:
    gate = Gate()
    settings = RunSettings(disconnect_grace_seconds=0.01)
    async with serve_house((BEGIN, gate, REST), settings=settings) as live:
        async with wire_to(live) as wire:
            run = await start_chat(wire)
            await gate.until_waited_for()
        ended = await until_ended(live.house, run)

        assert ended.status != "finished", "a run of this face ends once nobody reads it"
        assert live.house.model.closed == 1


async def test_a_client_that_leaves_a_kept_run_finds_it_whole() -> None:
    gate = Gate()
    settings = RunSettings(disconnect_grace_seconds=0.01)
    async with serve_house((BEGIN, gate, REST), settings=settings) as live:
        async with wire_to(live) as wire:
            run = await start_chat(wire, "X-Potok-On-Disconnect: keep")
            await gate.until_waited_for()
        gate.open()
        async with wire_to(live) as wire:
            await wire.ask("GET", f"/api/runs/{run}/events?after=1")
            await wire.head()
            chunks = await wire.rest()

        assert b"run-end" in b"".join(chunk or b"" for chunk in chunks)
        assert chunks[-1] == b""


async def test_a_connection_serves_the_next_request_after_a_stream() -> None:
    async with serve_house() as live, wire_to(live) as wire:
        run = await start_chat(wire)
        await wire.rest()
        await wire.ask("GET", f"/api/runs/{run}/events?after=6")
        ended, _ = await wire.head()
        await wire.ask("GET", "/healthz")
        alive, _ = await wire.head()

        assert (ended, alive) == (204, 200)


async def test_a_body_over_the_limit_gets_its_answer_though_it_was_being_sent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "BODY_BYTES_MAX", 1_000_000)
    async with (
        serve_house() as live,
        httpx.AsyncClient(base_url=live.url, trust_env=False) as client,
    ):

        async def chunks() -> AsyncIterator[bytes]:
            for _ in range(40):
                yield b"x" * 100_000

        by_length = await client.post(
            "/api/runs", content=b"x" * 4_000_000, headers={"content-type": "application/json"}
        )
        by_count = await client.post(
            "/api/runs", content=chunks(), headers={"content-type": "application/json"}
        )

        assert [by_length.status_code, by_count.status_code] == [413, 413]
        assert by_length.json()["error"]["code"] == "too_large"


async def test_a_caller_who_waits_for_a_hundred_is_told_before_it_sends() -> None:
    async with serve_house() as live, wire_to(live) as wire:
        await wire.ask(
            "POST",
            "/api/runs",
            b"",
            "Content-Type: application/json",
            f"Content-Length: {limits.BODY_BYTES_MAX + 1}",
            "Expect: 100-continue",
        )
        status, _ = await wire.head()

        assert status == 413


async def test_a_server_that_stops_leaves_no_reader_behind() -> None:
    gate = Gate()
    async with serve_house((BEGIN, gate, REST)) as live, wire_to(live) as wire:
        await start_chat(wire)
        await gate.until_waited_for()
        await live.stop()
        chunks = await wire.rest()

        assert chunks[-1] is None
        assert live.house.model.live == 0
        records = await live.house.log.list_runs(principal="local", items_max=1)
        assert records[0].status == "running", "the next start goes on with it"


async def test_a_failure_to_open_is_raised_to_whoever_started_the_server(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(_: RunService) -> None:
        raise SettingInvalid("The setting is wrong.")

    monkeypatch.setattr(RunService, "open", fail)
    with pytest.raises(SettingInvalid):
        async with serve_house():
            pass

    assert "Traceback" not in caplog.text
