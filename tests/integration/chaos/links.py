"""TCP links that can be cut, silenced and mended, in a process of their own.

Started with targets by name as JSON, it answers with the ports of the links, then obeys one JSON
command per line of its input: `cut` (each connection of now breaks), `close` (also new ones are
refused), `silence` (nothing passes, and nobody is told), `mend`.

It does not imitate packets: nothing is lost, doubled or reordered within a connection.
"""

import asyncio
import json
import socket
import struct
import sys
from typing import Any, Literal, cast

import uvloop

__all__ = ["Order"]

Order = Literal["cut", "close", "silence", "mend"]
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER with no time: closing sends a reset


class Half(asyncio.Protocol):
    """One end of a carried connection; what it hears, the other end says."""

    def __init__(self, link: "Link") -> None:
        self.link = link
        self.transport: asyncio.Transport | None = None
        self.other: Half | None = None
        self._held: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.link.halves.add(self)
        if self.link.state == "close":
            self.reset()
        elif self.other is None:
            self.link.loop.create_task(self._reach())
        if self.link.state == "silence":
            self.transport.pause_reading()

    async def _reach(self) -> None:
        try:
            _, half = await self.link.loop.create_connection(
                lambda: self._far_half(), "127.0.0.1", self.link.target
            )
        except OSError:
            self.reset()
            return
        if self.transport is None or self.transport.is_closing():
            half.reset()
            return
        self.other = half
        for piece in self._held:
            half.write(piece)
        self._held.clear()

    def _far_half(self) -> "Half":
        half = Half(self.link)
        half.other = self
        return half

    def data_received(self, data: bytes) -> None:
        if self.other is None:
            self._held.append(data)
        else:
            self.other.write(data)

    def write(self, data: bytes) -> None:
        """Say what the other end heard."""
        if self.transport is not None and not self.transport.is_closing():
            self.transport.write(data)

    def pause_writing(self) -> None:
        if self.other is not None and self.other.transport is not None:
            self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        is_ours = self.link.state != "silence"
        if is_ours and self.other is not None and self.other.transport is not None:
            self.other.transport.resume_reading()

    def connection_lost(self, error: Exception | None) -> None:
        self.link.halves.discard(self)
        other = self.other
        if other is not None and other.transport is not None:
            other.transport.close()

    def reset(self) -> None:
        """Break it, as a line does that is cut on the other side."""
        if self.transport is None or self.transport.is_closing():
            return
        sock = self.transport.get_extra_info("socket")
        if sock is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self.transport.abort()


class Link:
    """A port that leads to another one."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.state: Order = "mend"
        self.halves: set[Half] = set()
        self.loop = asyncio.get_running_loop()
        self._server: asyncio.Server | None = None

    async def open(self) -> int:
        """Listen; return the port."""
        self._server = await self.loop.create_server(lambda: Half(self), "127.0.0.1", 0)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    def shut(self) -> None:
        """Listen no longer, and break what is carried."""
        assert self._server is not None
        self._server.close()
        self.obey("close")

    def obey(self, order: Order) -> None:
        """Do what a command says."""
        was_silent = self.state == "silence"
        if order in ("cut", "close"):
            for half in list(self.halves):
                half.reset()
        elif order == "silence":
            for half in self.halves:
                if half.transport is not None:
                    half.transport.pause_reading()
        if order != "cut":
            self.state = order
        if was_silent and order == "mend":
            for half in self.halves:
                if half.transport is not None:
                    half.transport.resume_reading()


async def _serve(targets: dict[str, int]) -> None:
    links = {name: Link(target) for name, target in targets.items()}
    _say({name: await link.open() for name, link in links.items()})
    loop = asyncio.get_running_loop()
    orders = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    while line := await orders.readline():
        said = json.loads(line)
        links[said["link"]].obey(said["order"])
        _say({"obeyed": said["order"]})


def _say(words: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(words) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    uvloop.run(_serve(json.loads(sys.argv[1])))
