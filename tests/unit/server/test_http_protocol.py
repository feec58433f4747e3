import asyncio

import pytest

from potok import limits
from tests.unit.server.house import serve_house

SOON_SECONDS = 5.0
HEAD = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n"


async def rest_of(reader: asyncio.StreamReader) -> bytes:
    """Read until the server closes the connection."""
    async with asyncio.timeout(SOON_SECONDS):
        try:
            return await reader.read()
        except ConnectionResetError:
            return b""


@pytest.mark.parametrize("sent", [b"", b"GET /heal", HEAD], ids=["nothing", "a line", "headers"])
async def test_a_head_that_does_not_come_is_not_waited_for(
    sent: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "REQUEST_HEAD_SECONDS_MAX", 0.05)
    async with serve_house() as live:
        reader, writer = await asyncio.open_connection("127.0.0.1", live.port)
        writer.write(sent)

        assert await rest_of(reader) == b""
        writer.close()


async def test_a_head_that_does_not_end_is_refused() -> None:
    async with serve_house() as live:
        reader, writer = await asyncio.open_connection("127.0.0.1", live.port)
        writer.write(HEAD)
        for _ in range(limits.REQUEST_HEAD_BYTES_MAX // 1_024 + 2):
            writer.write(b"X-Long: " + b"x" * 1_024 + b"\r\n")

        answer = await rest_of(reader)
        writer.close()

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"headers are too long" in answer


async def test_a_request_may_take_longer_than_its_head(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serve_house() as live:
        monkeypatch.setattr(limits, "REQUEST_HEAD_SECONDS_MAX", 0.05)
        reader, writer = await asyncio.open_connection("127.0.0.1", live.port)
        for _ in range(2):
            writer.write(HEAD + b"\r\n")
            answer = await reader.readuntil(b"}")
            assert answer.startswith(b"HTTP/1.1 200 ")
            # Between two requests a connection is kept by another, longer time.
            await asyncio.sleep(0.1)
        writer.close()


async def test_connections_beyond_the_limit_are_told_to_come_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "CONNECTIONS_MAX", 2)
    async with serve_house() as live:
        ends = [await asyncio.open_connection("127.0.0.1", live.port) for _ in range(3)]
        for _, writer in ends:
            writer.write(HEAD + b"\r\n")
        answers = [await reader.readuntil(b"\r\n") for reader, _ in ends]
        for _, writer in ends:
            writer.close()

    assert any(answer.startswith(b"HTTP/1.1 503 ") for answer in answers)
