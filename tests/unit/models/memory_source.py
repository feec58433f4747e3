"""A byte source in memory: a test says what comes, and sees what was asked and closed."""

import asyncio
from collections import deque
from collections.abc import Mapping

from potok.errors import PeerError, UpstreamLost
from potok.models.byte_source import UpstreamCall, UpstreamReply

__all__ = ["MemoryReply", "MemorySource", "frame"]


def frame(delta: str = "{}", *, more: str = "") -> bytes:
    """Return one chunk of choice 0 as a frame; `more` are further fields of the choice."""
    return b'data: {"choices":[{"index":0,"delta":%s%s}]}\n\n' % (delta.encode(), more.encode())


class MemoryReply:
    """A reply whose bytes come when the test gives them.

    Does not imitate: bytes that are joined on their way, or a buffer that fills up.
    """

    def __init__(self, *chunks: bytes | PeerError, status: int = 200, **headers: str) -> None:
        self.is_closed = False
        self._status = status
        self._headers = {name.replace("_", "-"): value for name, value in headers.items()}
        self._coming: deque[bytes | PeerError] = deque(chunks)
        self._changed = asyncio.Event()
        self._idle = asyncio.Event()

    @property
    def status(self) -> int:
        return self._status

    @property
    def headers(self) -> Mapping[str, str]:
        return self._headers

    def give(self, chunk: bytes | PeerError) -> None:
        """Let `chunk` come next; empty is the end, an error a broken connection."""
        self._coming.append(chunk)
        self._idle.clear()
        self._changed.set()

    async def until_read_again(self) -> None:
        """Return once all that was given was read and more is waited for."""
        await self._idle.wait()

    async def read(self) -> bytes:
        while not self.is_closed:
            if self._coming:
                # The end stays where it is: whoever reads on finds it again.
                chunk = self._coming[0] if self._coming[0] == b"" else self._coming.popleft()
                if isinstance(chunk, PeerError):
                    raise chunk
                return chunk
            self._idle.set()
            self._changed.clear()
            await self._changed.wait()
        raise UpstreamLost("closed here")

    async def close(self) -> None:
        self.is_closed = True
        self._changed.set()


class MemorySource:
    """Gives its replies one after the other; an error in their place is raised."""

    def __init__(self, *replies: UpstreamReply | Exception | asyncio.Event) -> None:
        self.calls: list[UpstreamCall] = []
        self.is_closed = False
        self._replies = list(replies)

    async def open(self, call: UpstreamCall) -> UpstreamReply:
        self.calls.append(call)
        reply = self._replies.pop(0)
        if isinstance(reply, asyncio.Event):
            await reply.wait()
            raise UpstreamLost("nobody came")
        if isinstance(reply, Exception):
            raise reply
        return reply

    async def close(self) -> None:
        self.is_closed = True
