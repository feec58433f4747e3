"""A line between a browser and a server that a test can cut, mend, or make to hold bytes back."""

import asyncio
from types import TracebackType
from typing import Self

_PIECE_BYTES = 64 * 1024


class CuttingProxy:
    """Carries TCP bytes to a port of this machine; use it as an async context manager.

    While `hold_seconds` is set, what comes from the server waits so long and then comes at once.
    It does not imitate packets: nothing is lost, delayed or doubled unless a test asks for it.
    """

    def __init__(self, port: int) -> None:
        self._target = port
        self.hold_seconds = 0.0
        self._server: asyncio.Server | None = None
        self._links: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._is_cut = False
        self.refused = 0
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def cut(self) -> None:
        """Break every connection, and each new one until `mend`."""
        self._is_cut = True
        for writer in list(self._writers):
            writer.transport.abort()

    def mend(self) -> None:
        self._is_cut = False

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._server is not None
        self._server.close()
        self.cut()
        await asyncio.gather(*self._links, return_exceptions=True)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._links.add(task)
        task.add_done_callback(self._links.discard)
        if self._is_cut:
            self.refused += 1
            writer.transport.abort()
            return
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, far_writer}
        try:
            await asyncio.gather(
                self._pump(reader, far_writer, holds=False),
                self._pump(far_reader, writer, holds=True),
            )
        finally:
            self._writers -= {writer, far_writer}
            for end in (writer, far_writer):
                end.transport.abort()

    async def _waiting(self, reader: asyncio.StreamReader) -> bytes:
        try:
            async with asyncio.timeout(0.02):
                return await reader.read(_PIECE_BYTES)
        except TimeoutError:
            return b""

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, holds: bool
    ) -> None:
        try:
            while piece := await reader.read(_PIECE_BYTES):
                if holds and self.hold_seconds:
                    # What comes meanwhile goes with it, as from a buffer that is full.
                    await asyncio.sleep(self.hold_seconds)
                    piece += await self._waiting(reader)
                writer.write(piece)
                await writer.drain()
        except OSError:
            return
        finally:
            writer.transport.abort()
