"""A server of one file that misbehaves as it is told: cuts, lies, ignores, redirects.

Does not imitate: TLS, HTTP/2, several connections to one download.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

__all__ = ["FileServer", "Manners", "running_file_server"]


@dataclass(kw_only=True)
class Manners:
    """How the server behaves; may be changed between its replies.

    Args:
        cuts: After how many bytes of the body each reply breaks off; replies beyond the list do
            not.
        length_lie: Is added to every length that is told.
        paths: Bodies by path, besides the file's own.
    """

    etag: str | None = '"v1"'
    knows_ranges: bool = True
    obeys_if_range: bool = True
    tells_length: bool = True
    cuts: list[int] = field(default_factory=list)
    length_lie: int = 0
    statuses: list[int] = field(default_factory=list)
    redirect: str | None = None
    linked_etag: str | None = None
    needs_token: str | None = None
    paths: dict[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One request."""

    path: str
    headers: dict[str, str]


class FileServer:
    """Where it is, what it serves, and what it was asked."""

    def __init__(self, body: bytes, manners: Manners, port: int) -> None:
        self.body = body
        self.manners = manners
        self.base = f"http://127.0.0.1:{port}"
        self.seen: list[Seen] = []

    @property
    def ranges(self) -> list[str | None]:
        """The ranges that were asked for, in turn."""
        return [seen.headers.get("range") for seen in self.seen]

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            request, *lines = head.strip().split("\r\n")
            pairs = [line.partition(":")[::2] for line in lines]
            headers = {name.lower(): value.strip() for name, value in pairs}
            seen = Seen(path=request.split(" ")[1], headers=headers)
            self.seen.append(seen)
            self._write(seen, writer)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    def _write(self, seen: Seen, writer: asyncio.StreamWriter) -> None:
        manners = self.manners
        if seen.path in manners.paths:
            self._reply(writer, 200, manners.paths[seen.path], [])
        elif manners.needs_token not in (None, seen.headers.get("authorization")):
            self._reply(writer, 401, b"", [])
        elif manners.redirect is not None and not seen.path.startswith("/cdn"):
            linked = [f'X-Linked-Etag: "{manners.linked_etag}"'] if manners.linked_etag else []
            self._reply(writer, 302, b"", [f"Location: {manners.redirect}", *linked])
        elif manners.statuses and (status := manners.statuses.pop(0)) != 200:
            self._reply(writer, status, b"no", [])
        else:
            self._write_file(seen, writer)

    def _write_file(self, seen: Seen, writer: asyncio.StreamWriter) -> None:
        manners, whole = self.manners, len(self.body)
        named = [f"ETag: {manners.etag}"] if manners.etag else []
        wanted = re.fullmatch(r"bytes=(\d+)-", seen.headers.get("range", ""))
        is_same = seen.headers.get("if-range", manners.etag) == manners.etag
        is_same = is_same or not manners.obeys_if_range
        begin, status = 0, 200
        if wanted and manners.knows_ranges and is_same:
            begin, status = int(wanted[1]), 206
            if begin >= whole:
                self._reply(writer, 416, b"", [f"Content-Range: bytes */{whole}"])
                return
            named.append(f"Content-Range: bytes {begin}-{whole - 1}/{whole + manners.length_lie}")
        cut = manners.cuts.pop(0) if manners.cuts else None
        self._reply(writer, status, self.body[begin:], named, cut=cut)

    def _reply(
        self,
        writer: asyncio.StreamWriter,
        status: int,
        body: bytes,
        headers: list[str],
        *,
        cut: int | None = None,
    ) -> None:
        lines = [f"HTTP/1.1 {status} Told", "Connection: close", *headers]
        if self.manners.tells_length or status >= 300:
            lie = self.manners.length_lie if status in (200, 206) else 0
            lines.append(f"Content-Length: {len(body) + lie}")
        writer.write("\r\n".join([*lines, "\r\n"]).encode() + body[:cut])


@asynccontextmanager
async def running_file_server(body: bytes, manners: Manners) -> AsyncIterator[FileServer]:
    """Serve a file for the body of the block."""
    answered: list[FileServer] = []
    listener = await asyncio.start_server(
        lambda reader, writer: answered[0].answer(reader, writer), "127.0.0.1", 0
    )
    answered.append(FileServer(body, manners, listener.sockets[0].getsockname()[1]))
    try:
        yield answered[0]
    finally:
        listener.close()
        await listener.wait_closed()
