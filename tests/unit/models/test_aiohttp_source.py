import asyncio
import importlib
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from potok.errors import UpstreamLost, UpstreamUnreachable
from potok.models import aiohttp_source
from potok.models.aiohttp_source import AiohttpSource
from potok.models.byte_source import UpstreamCall, UpstreamReply
from potok.testing.gates import Gate
from potok.testing.upstream import Script, ScriptedUpstream


def call(base_url: str, *, body: bytes = b"{}") -> UpstreamCall:
    return UpstreamCall(
        provider="test",
        method="POST",
        url=f"{base_url}/chat/completions",
        headers={"Authorization": "Bearer sk-secret-1"},
        body=body,
        connect_seconds=5.0,
    )


@asynccontextmanager
async def opened(*scripts: Script) -> AsyncIterator[tuple[AiohttpSource, ScriptedUpstream]]:
    async with ScriptedUpstream(*scripts) as upstream:
        source = AiohttpSource()
        try:
            yield source, upstream
        finally:
            await source.close()


async def read_all(reply: UpstreamReply) -> bytes:
    body = b""
    while chunk := await reply.read():
        body += chunk
    return body


async def test_a_reply_has_its_status_headers_and_bytes() -> None:
    script = Script(status=404, headers={"X-Some": "Thing"}, body="нет".encode())
    async with opened(script) as (source, upstream):
        reply = await source.open(call(upstream.base_url))

        assert (reply.status, reply.headers["x-some"]) == (404, "Thing")
        assert await read_all(reply) == "нет".encode()
        assert await reply.read() == b""


async def test_bytes_come_when_they_come() -> None:
    gate = Gate(passes=1)
    async with opened(Script(tokens=("a", "b"), gate=gate)) as (source, upstream):
        reply = await source.open(call(upstream.base_url))
        body = b""
        while b'"a"' not in body:
            body += await reply.read()

        assert b'"b"' not in body
        gate.open()
        assert b'"b"' in await read_all(reply)


async def test_a_redirect_is_not_followed() -> None:
    async with ScriptedUpstream() as other:
        elsewhere = Script(status=307, headers={"Location": f"{other.base_url}/chat/completions"})
        async with opened(elsewhere) as (source, upstream):
            reply = await source.open(call(upstream.base_url))

            assert reply.status == 307
            assert other.connections == 0


async def test_a_reply_read_to_its_end_gives_its_connection_back() -> None:
    async with opened(Script()) as (source, upstream):
        for _ in range(2):
            reply = await source.open(call(upstream.base_url))
            await read_all(reply)
            await reply.close()

        assert upstream.connections == 1


async def test_a_half_read_connection_never_serves_another_call() -> None:
    gate = Gate(passes=1)
    scripts = (Script(tokens=("a", "b"), gate=gate), Script(tokens=("c",)))
    async with opened(*scripts) as (source, upstream):
        reply = await source.open(call(upstream.base_url))
        await reply.read()
        await reply.close()
        second = await source.open(call(upstream.base_url))

        assert b'"c"' in await read_all(second)
        assert upstream.connections == 2
        await upstream.calls[0].closed_by_client.wait()


async def test_closing_while_a_large_body_is_still_being_sent_does_not_wait_for_it() -> None:
    async def answer_early(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n")
        await gone.wait()
        writer.transport.abort()

    gone = asyncio.Event()
    server = await asyncio.start_server(answer_early, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    source = AiohttpSource()
    reply = await source.open(call(f"http://127.0.0.1:{port}", body=b"x" * 20_000_000))

    assert await reply.read() == b"x"
    await reply.close()

    with pytest.raises(UpstreamLost):
        await reply.read()
    gone.set()
    await source.close()
    server.close()


async def test_a_broken_connection_is_lost() -> None:
    async with opened(Script(tokens=("a",), then="drop")) as (source, upstream):
        reply = await source.open(call(upstream.base_url))

        with pytest.raises(UpstreamLost, match="The connection to the provider test broke"):
            await read_all(reply)


async def test_nobody_there_is_told_from_a_broken_connection() -> None:
    async with ScriptedUpstream() as upstream:
        gone = upstream.base_url
    source = AiohttpSource()

    with pytest.raises(UpstreamUnreachable, match="test cannot be reached"):
        await source.open(call(gone))
    await source.close()


async def test_what_is_no_http_is_lost_and_shows_no_header() -> None:
    async def speak_nonsense(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-nonsense\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(speak_nonsense, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    source = AiohttpSource()

    with pytest.raises(UpstreamLost) as caught:
        await source.open(call(f"http://127.0.0.1:{port}"))

    chain: list[Any] = [caught.value, caught.value.__cause__, caught.value.__context__]
    assert "sk-secret-1" not in " ".join(map(repr, chain))
    await source.close()
    server.close()


async def test_closing_the_source_ends_reads_under_way_and_further_calls() -> None:
    async with opened(Script(gate=Gate())) as (source, upstream):
        reply = await source.open(call(upstream.base_url))
        await reply.read()
        reading = asyncio.create_task(reply.read())
        await asyncio.sleep(0)

        await source.close()

        with pytest.raises(UpstreamLost):
            await reading
        with pytest.raises(UpstreamLost):
            await source.open(call(upstream.base_url))


def test_a_call_shows_neither_key_nor_prompt() -> None:
    shown = repr(call("http://me:pass@test/v1", body=b"prompt"))

    for secret in ("sk-secret-1", "pass", "prompt"):
        assert secret not in shown


async def test_aiohttp_is_imported_beside_the_loop_for_all_who_come_meanwhile(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    threads: list[str] = []
    monkeypatch.setattr(aiohttp_source, "_is_loaded", False)
    monkeypatch.setattr(
        importlib,
        "import_module",
        lambda name: threads.append(threading.current_thread().name),
    )

    await asyncio.gather(aiohttp_source.load_aiohttp(), aiohttp_source.load_aiohttp())
    await aiohttp_source.load_aiohttp()

    assert len(threads) == 2
    assert threading.main_thread().name not in threads
