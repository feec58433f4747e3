"""WebSockets on the real server: a real client, and raw bytes that no client would send."""

import asyncio
import base64
import json
import os
import signal
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import websockets
from websockets.asyncio.client import ClientConnection, connect

from potok import limits
from potok.testing.gates import Gate
from potok.testing.upstream import ScriptedUpstream
from potok.testing.upstream_script import Script
from tests.integration.harness import Server, running_server, start_run, upstream_of, whole_run
from tests.integration.test_readers import resident_bytes

pytestmark = [pytest.mark.integration, pytest.mark.timeout(60)]

ASKED = {"messages": [{"role": "user", "content": "привет"}]}
LONG = {"messages": [{"role": "user", "content": "Tell me in detail what Potok is"}]}


@asynccontextmanager
async def socket_of(server: Server, path: str, **more: Any) -> AsyncIterator[ClientConnection]:
    address = f"ws://127.0.0.1:{server.port}{path}"
    async with connect(address, proxy=None, **more) as client:
        yield client


async def say(client: ClientConnection, message: Any) -> None:
    await client.send(json.dumps(message))


async def hear(client: ClientConnection) -> Any:
    return json.loads(await client.recv())


async def hear_until(client: ClientConnection, field: str, value: Any) -> list[Any]:
    messages = [await hear(client)]
    while messages[-1].get(field) != value:
        messages.append(await hear(client))
    return messages


def text_of(messages: list[Any]) -> str:
    return "".join(one.get("content") or "" for one in messages)


async def plain_answer(server: Server, body: dict[str, Any]) -> str:
    async with httpx.AsyncClient(base_url=server.url, timeout=30) as client:
        answer: str = (await client.post("/api/chat", json=body)).json()["message"]
        return answer


@pytest.mark.parametrize("path", ["/ws", "/"])
async def test_eight_tabs_with_a_socket_each_are_answered_beside_http(
    tmp_path: Path, path: str
) -> None:
    async with running_server(tmp_path, POTOK_DEMO_TOKENS_PER_SECOND="200") as server:

        async def tab() -> str:
            async with socket_of(server, path) as client:
                await say(client, LONG)
                return text_of(await hear_until(client, "type", "done"))

        answers = await asyncio.gather(*(tab() for _ in range(8)))
        expected = await plain_answer(server, LONG)

    assert answers == [expected] * 8
    assert len(expected) > 500


async def test_one_socket_carries_many_runs_and_comes_back_after_a_cut(tmp_path: Path) -> None:
    async with (
        running_server(tmp_path, POTOK_DEMO_TOKENS_PER_SECOND="200") as server,
        httpx.AsyncClient(base_url=server.url, timeout=30) as http,
    ):
        events: dict[str, list[Any]] = {}
        async with socket_of(server, "/api/ws") as client:
            for ref in range(4):
                await say(client, {"op": "start", "ref": ref, "run": {"model": "demo", **LONG}})
            while sum(map(len, events.values())) < 200:
                message = await hear(client)
                if "event" in message:
                    events.setdefault(message["run"], []).append(message)
            client.transport.abort()
        async with socket_of(server, "/api/ws") as client:
            for run, seen in events.items():
                after = seen[-1]["id"]
                await say(client, {"op": "subscribe", "run": run, "after": after})
            left = set(events)
            while left:
                message = await hear(client)
                events[message["run"]].append(message)
                left -= {message["run"]} if message["event"] == "run-end" else set()

        for run, seen in events.items():
            whole = await whole_run(http, run)
            assert [(one["id"], one["event"]) for one in seen] == [
                (offset, kind) for offset, kind, _ in whole
            ]
    assert len(events) == 4


async def test_a_run_is_read_on_its_own_socket_which_closes_after_its_end(tmp_path: Path) -> None:
    async with (
        running_server(tmp_path) as server,
        httpx.AsyncClient(base_url=server.url, timeout=30) as http,
    ):
        run = await start_run(http, "привет")
        async with socket_of(server, f"/api/runs/{run}/ws?after=1") as client:
            messages = [json.loads(message) async for message in client]
            code = client.close_code
        whole = await whole_run(http, run)

    assert [one["id"] for one in messages] == [offset for offset, _, _ in whole[1:]]
    assert code == 1000


@pytest.mark.parametrize("path", ["/ws", "/api/ws"])
async def test_cancel_from_a_socket_closes_the_upstream(tmp_path: Path, path: str) -> None:
    script = Script(tokens=("a ", "b "), then="stall")
    async with (
        ScriptedUpstream(script, models=("scripted",)) as upstream,
        running_server(tmp_path, **upstream_of(upstream)) as server,
        socket_of(server, path) as client,
    ):
        if path == "/ws":
            await say(client, ASKED)
            await hear(client)
            await say(client, {"type": "cancel"})
            end = (await hear_until(client, "type", "done"))[-1]
            assert end == {"type": "done", "cancelled": True}
        else:
            body = {"model": "openai/scripted", **ASKED}
            await say(client, {"op": "start", "run": body})
            run = (await hear(client))["run"]
            await hear_until(client, "event", "text-delta")
            await say(client, {"op": "cancel", "ref": 1, "run": run})
            said = (await hear_until(client, "op", "cancelled"))[-1]
            assert said == {"op": "cancelled", "ref": 1, "run": run, "status": "cancelled"}
        async with asyncio.timeout(5):
            await upstream.calls[0].closed_by_client.wait()


async def test_a_signal_closes_busy_and_idle_sockets_with_1012_and_runs_go_on(
    tmp_path: Path,
) -> None:
    async with running_server(tmp_path, POTOK_DEMO_TOKENS_PER_SECOND="20") as server:
        async with (
            socket_of(server, "/ws") as simple,
            socket_of(server, "/api/ws") as busy,
            socket_of(server, "/api/ws") as idle,
        ):
            await say(simple, LONG)
            await hear(simple)
            await say(busy, {"op": "start", "run": {"model": "demo", **LONG}})
            run = (await hear(busy))["run"]
            async with asyncio.timeout(5):
                assert await server.stop(signal.SIGTERM) == 0
                for client in (simple, busy, idle):
                    await client.wait_closed()
        assert [one.close_code for one in (simple, busy, idle)] == [1012] * 3

        await server.start()
        async with socket_of(server, "/api/ws") as client:
            await say(client, {"op": "subscribe", "run": run})
            changes = await hear_until(client, "event", "source-change")
        assert changes[-1]["how"] == "replay"


async def test_foreign_pages_get_no_socket(tmp_path: Path) -> None:
    async with running_server(tmp_path) as server:
        for path in ("/ws", "/", "/api/ws", "/api/runs/x/ws"):
            with pytest.raises(websockets.InvalidStatus) as refused:
                async with socket_of(server, path, origin="https://evil.example"):
                    pass
            assert refused.value.response.status_code == 403
            assert refused.value.response.body is not None
            assert b"origin_refused" in refused.value.response.body


async def test_a_key_comes_in_the_subprotocol_and_is_in_no_line_of_the_log(
    tmp_path: Path,
) -> None:
    spoken = base64.urlsafe_b64encode(b"secret-key-of-the-server").decode().rstrip("=")
    settings = {"POTOK_API_KEY": "secret-key-of-the-server", "POTOK_HOST": "0.0.0.0"}
    async with running_server(tmp_path, **settings) as server:
        with pytest.raises(websockets.InvalidStatus) as refused:
            async with socket_of(server, "/ws"):
                pass
        words: Any = ["potok", f"bearer.{spoken}"]
        async with socket_of(server, "/ws", subprotocols=words) as client:
            await say(client, ASKED)
            await hear_until(client, "type", "done")
            chosen = client.subprotocol

    assert refused.value.response.status_code == 401
    assert chosen == "potok"
    assert not any(spoken in line or "secret-key" in line for line in server.lines)


async def test_compression_is_not_agreed(tmp_path: Path) -> None:
    async with running_server(tmp_path) as server, socket_of(server, "/ws") as client:
        assert client.response is not None
        assert "sec-websocket-extensions" not in client.response.headers


async def test_a_message_over_the_limit_closes_with_1009_and_costs_no_other(
    tmp_path: Path,
) -> None:
    async with running_server(tmp_path) as server, socket_of(server, "/ws") as other:
        for size in (limits.SOCKET_MESSAGE_BYTES_MAX + 1, 1 << 40):
            reader, writer = await raw_socket(server, "/ws")
            writer.write(frame_head(0x81, size))
            assert await close_code_of(reader) == 1009
            writer.close()
        await say(other, ASKED)
        assert (await hear_until(other, "type", "done"))[-1] == {"type": "done"}


# Raw bytes.


async def raw_socket(
    server: Server, path: str
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Shake hands by hand, and give what is behind the handshake."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    key = base64.b64encode(os.urandom(16)).decode()
    writer.write(
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nUpgrade: websocket\r\n"
        f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\n"
        "Sec-WebSocket-Version: 13\r\n\r\n".encode()
    )
    head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 101"), head
    return reader, writer


def frame_head(first: int, size: int) -> bytes:
    """Return the head of a client's frame, masked with zeros so that the payload stays legible."""
    if size < 126:
        length = bytes([0x80 | size])
    elif size < 1 << 16:
        length = b"\xfe" + struct.pack("!H", size)
    else:
        length = b"\xff" + struct.pack("!Q", size)
    return bytes([first]) + length + b"\0\0\0\0"


def text_frame(payload: bytes, *, first: int = 0x81) -> bytes:
    return frame_head(first, len(payload)) + payload


async def read_frame(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Return the opcode and the payload of the server's next frame."""
    first, second = await reader.readexactly(2)
    size = second
    if second == 126:
        size = struct.unpack("!H", await reader.readexactly(2))[0]
    elif second == 127:
        size = struct.unpack("!Q", await reader.readexactly(8))[0]
    return first & 0x0F, await reader.readexactly(size)


async def close_code_of(reader: asyncio.StreamReader) -> int:
    async with asyncio.timeout(5):
        while True:
            opcode, payload = await read_frame(reader)
            if opcode == 8:
                code: int = struct.unpack("!H", payload[:2])[0]
                return code


async def test_a_frame_cut_at_every_byte_is_one_message(tmp_path: Path) -> None:
    # The cut falls also into the head, the mask and the letters of two and four bytes.
    payload = json.dumps({"op": "ping", "ref": "я🎉"}, ensure_ascii=False).encode()
    whole = text_frame(payload)
    async with running_server(tmp_path) as server:
        reader, writer = await raw_socket(server, "/api/ws")
        for cut in range(1, len(whole)):
            writer.write(whole[:cut])
            await writer.drain()
            # Another write, and so another read at the other end on most machines.
            await asyncio.sleep(0.002)
            writer.write(whole[cut:])
            opcode, answer = await read_frame(reader)
            assert (opcode, json.loads(answer)) == (1, {"op": "pong", "ref": "я🎉"})
        writer.close()


async def test_a_letter_cut_between_two_pieces_of_a_message_is_whole(tmp_path: Path) -> None:
    payload = json.dumps({"op": "ping", "ref": "я🎉"}, ensure_ascii=False).encode()
    async with running_server(tmp_path) as server:
        reader, writer = await raw_socket(server, "/api/ws")
        for cut in range(len(payload) + 1):
            writer.write(text_frame(payload[:cut], first=0x01))
            writer.write(text_frame(payload[cut:], first=0x80))
            _, answer = await read_frame(reader)
            assert json.loads(answer)["ref"] == "я🎉"
        writer.close()


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (text_frame(b'{"a":"\xd0'), 1007),
        (text_frame(b'{"a":"\xff"}'), 1007),
        (text_frame(b"{}", first=0x82), 1003),
        (text_frame(b"{}", first=0xC1), 1002),
        (text_frame(b"{}", first=0x80), 1002),
        (b"\x81\x02{}", 1002),
        (text_frame(b"", first=0x01) + text_frame(b"", first=0x00) * 5_000, 1009),
    ],
    ids=["half a letter", "no letter", "binary", "compressed", "no beginning", "no mask", "pieces"],
)
@pytest.mark.parametrize("path", ["/ws", "/api/ws"])
async def test_what_is_no_message_closes_the_socket_and_nothing_else(
    tmp_path: Path, path: str, sent: bytes, code: int
) -> None:
    async with running_server(tmp_path) as server:
        reader, writer = await raw_socket(server, path)
        writer.write(sent)
        assert await close_code_of(reader) == code
        writer.close()
        async with httpx.AsyncClient(base_url=server.url) as client:
            assert (await client.get("/healthz")).json()["status"] == "ok"
    assert not any("Traceback" in line for line in server.lines)


async def test_a_message_that_never_ends_is_closed_at_the_limit(tmp_path: Path) -> None:
    piece = b"x" * (1 << 20)
    async with running_server(tmp_path) as server:
        reader, writer = await raw_socket(server, "/ws")
        writer.write(text_frame(piece, first=0x01))
        for _ in range(limits.SOCKET_MESSAGE_BYTES_MAX // len(piece) + 1):
            writer.write(text_frame(piece, first=0x00))
        assert await close_code_of(reader) == 1009
        writer.close()


LAZY = 20
TOKEN = "х" * 5_000
TOKENS = 3_000
# What one run may hold for a client that never reads it: a page of the log, and room for the
# allocator. A whole answer would be 30 MB.
LAZY_BYTES_MAX = 6_000_000


async def test_clients_that_never_read_cost_bounded_memory_and_no_other_reader(
    tmp_path: Path,
) -> None:
    async with (
        ScriptedUpstream(Script(tokens=(TOKEN,) * TOKENS), models=("scripted",)) as upstream,
        running_server(tmp_path, **upstream_of(upstream)) as server,
        httpx.AsyncClient(base_url=server.url, timeout=30) as http,
    ):
        first = await start_run(http, "alone", model="openai/scripted")
        await whole_run(http, first)
        before = resident_bytes(server)
        run = await start_run(http, "crowded", model="openai/scripted")
        lazy = []
        for _ in range(LAZY):
            reader, writer = await raw_socket(server, "/api/ws")
            reader._transport.pause_reading()  # type: ignore[attr-defined]
            for one in (first, run):
                asked = json.dumps({"op": "subscribe", "run": one}).encode()
                writer.write(text_frame(asked))
            # Pings whose answers nobody takes, either.
            writer.write(text_frame(b'{"op":"ping"}') * 1_000)
            lazy.append(writer)
        async with socket_of(server, f"/api/runs/{run}/ws", max_size=None) as client:
            said = [json.loads(message) async for message in client]
        grown = resident_bytes(server) - before
        for writer in lazy:
            writer.transport.abort()

    text = "".join(one["text"] for one in said if one["event"] == "text-delta")
    assert len(text) == len(TOKEN) * TOKENS
    answer_bytes = len(text.encode())
    print(f"grown by {grown / 1e6:.0f} MB, an answer has {answer_bytes / 1e6:.0f} MB")
    # Some copies of the answer are the run's own; forty more would be the clients'.
    assert grown < 3 * answer_bytes + 2 * LAZY * LAZY_BYTES_MAX < 2 * LAZY * answer_bytes


async def test_a_stuck_socket_does_not_hold_up_the_servers_exit(tmp_path: Path) -> None:
    async with (
        ScriptedUpstream(Script(tokens=(TOKEN,) * TOKENS), models=("scripted",)) as upstream,
        running_server(tmp_path, **upstream_of(upstream)) as server,
        httpx.AsyncClient(base_url=server.url, timeout=30) as http,
    ):
        run = await start_run(http, "go", model="openai/scripted")
        await whole_run(http, run)
        reader, writer = await raw_socket(server, "/api/ws")
        reader._transport.pause_reading()  # type: ignore[attr-defined]
        asked = json.dumps({"op": "subscribe", "run": run}).encode()
        writer.write(text_frame(asked))
        await writer.drain()
        assert (await http.get("/healthz")).status_code == 200

        async with asyncio.timeout(5):
            assert await server.stop(signal.SIGTERM) == 0
        writer.transport.abort()


async def test_tokens_arrive_one_by_one_as_the_model_says_them(tmp_path: Path) -> None:
    gate = Gate(passes=1)
    tokens = tuple(f"слово{number} " for number in range(20))
    async with (
        ScriptedUpstream(Script(tokens=tokens, gate=gate), models=("scripted",)) as upstream,
        running_server(tmp_path, **upstream_of(upstream)) as server,
        socket_of(server, "/ws") as client,
    ):
        await say(client, ASKED)
        heard = []
        for _ in tokens:
            heard.append((await hear(client))["content"])
            gate.release()
        end = await hear(client)

    assert tuple(heard) == tokens
    assert end == {"type": "done"}
