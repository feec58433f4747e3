"""Stands between a Redis and its clients and changes what is said: for servers not at hand."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from types import TracebackType
from typing import Self

__all__ = ["RedisProxy", "in_info"]

Change = Callable[[bytes], bytes]
"""Takes Redis's reply as it came and returns what the client is told."""


def in_info(**fields: str) -> Change:
    """Return a change of a reply to `INFO`: these fields get other values."""

    def change(reply: bytes) -> bytes:
        _, body = reply.split(b"\r\n", 1)
        lines = [
            line for line in body.split(b"\r\n") if line.partition(b":")[0].decode() not in fields
        ]
        lines += [f"{name}:{value}".encode() for name, value in fields.items()]
        text = b"\r\n".join(lines)
        return b"$%d\r\n%s\r\n" % (len(text), text)

    return change


class RedisProxy:
    """Passes commands on, one at a time; `changes` are by command, `answers` replace Redis's.

    It does not imitate: answers out of turn, transactions, RESP 3.
    """

    def __init__(
        self,
        port: int,
        *,
        changes: Mapping[str, Change] | None = None,
        answers: Mapping[str, bytes] | None = None,
    ) -> None:
        self.changes = dict(changes or {})
        self.answers = dict(answers or {})
        self.seen: list[list[str]] = []
        self._port = port
        self._server: asyncio.Server | None = None
        self._links: set[asyncio.Task[None]] = set()
        self._is_cut = False

    @property
    def url(self) -> str:
        """Where clients connect."""
        assert self._server is not None
        return f"redis://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/0"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._server is not None
        self._server.close()
        for link in self._links:
            link.cancel()
        await asyncio.gather(*self._links, return_exceptions=True)

    def cut(self) -> None:
        """Break every connection, and every new one, until `mend`."""
        self._is_cut = True
        for link in self._links:
            link.cancel()

    def mend(self) -> None:
        """Let connections through again."""
        self._is_cut = False

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link = asyncio.current_task()
        assert link is not None
        if self._is_cut:
            writer.transport.abort()
            return
        self._links.add(link)
        back = None
        try:
            from_redis, back = await asyncio.open_connection("127.0.0.1", self._port)
            await self._serve(reader, writer, from_redis, back)
        except (asyncio.IncompleteReadError, asyncio.CancelledError, OSError):
            # Cancelled by nobody but this proxy itself.
            pass
        finally:
            self._links.discard(link)
            for end in (writer, back):
                if end is not None:
                    end.close()
                    with suppress(OSError):
                        await end.wait_closed()

    async def _serve(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        from_redis: asyncio.StreamReader,
        to_redis: asyncio.StreamWriter,
    ) -> None:
        while True:
            command = await _read_one(reader)
            words = [part.decode(errors="replace") for part in command.split(b"\r\n")[2::2]]
            self.seen.append(words)
            name = words[0].upper()
            if name in self.answers:
                writer.write(self.answers[name])
                continue
            to_redis.write(command)
            if name.endswith("SUBSCRIBE"):
                await asyncio.gather(_pour(reader, to_redis), _pour(from_redis, writer))
                return
            reply = await _read_one(from_redis)
            writer.write(self.changes[name](reply) if name in self.changes else reply)


async def _pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while chunk := await reader.read(65536):
        writer.write(chunk)
    writer.close()


async def _read_one(reader: asyncio.StreamReader) -> bytes:
    """Return the bytes of one value, whatever is nested in it."""
    line = await reader.readuntil(b"\r\n")
    kind, count = line[:1], line[1:-2]
    if kind == b"$" and int(count) >= 0:
        return line + await reader.readexactly(int(count) + 2)
    if kind == b"*":
        return line + b"".join([await _read_one(reader) for _ in range(max(int(count), 0))])
    return line
