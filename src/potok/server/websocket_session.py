"""Serves one WebSocket: the only module that speaks WebSocket to ASGI.

JSON objects in, JSON objects out. What they mean is a `Session`'s business; this module keeps the
bounds: one message is read at a time, a client that takes nothing is put off, and several runs on
one socket are sent in turns. A socket that ends before its time is closed with 1012, and no run
ends with it.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from starlette.types import Receive, Scope, Send

from potok import limits
from potok.errors import OurBug, PotokError, ServerDraining, TryAgain
from potok.events.run_request import JsonObject
from potok.server.body import settle_tasks
from potok.server.problems import report
from potok.server.services import Services
from potok.server.socket_keys import subprotocol_of
from potok.server.socket_refusal import refuse_socket
from potok.wire.json_messages import parse_message

__all__ = [
    "Closing",
    "Session",
    "Socket",
    "SocketEndpoint",
    "Sockets",
    "known_error",
]

_logger = logging.getLogger("potok.server")

# RFC 6455 7.4.1 and the registry behind it.
_NORMAL, _NO_TEXT, _BROKEN, _COME_BACK = 1000, 1003, 1011, 1012


class Closing(Exception):
    """The session is over: the socket is closed with this code (RFC 6455 7.4)."""

    def __init__(self, code: int, reason: str = "") -> None:
        super().__init__(code, reason)
        self.code = code
        self.reason = reason


class _Gone(Exception):
    """The client closed the socket, or its connection ended."""


class Session(Protocol):
    """What one socket talks about; made when it was accepted."""

    async def take(self, message: JsonObject, *, size_bytes: int) -> None:
        """Take the client's next message; a `PotokError` becomes the answer to it."""
        ...

    async def work(self) -> None:
        """Do what follows from the messages; returning closes the socket as done.

        Raises:
            Closing: the socket is to be closed with another code.
            ServerDraining: the client is sent to come back.
        """
        ...

    def encode_error(self, error: PotokError, message: JsonObject | None) -> bytes:
        """Return the answer to a message that was refused; None for one that is no JSON object."""
        ...

    async def close(self) -> None:
        """Stop what is still under way; runs go on."""
        ...


@dataclass(slots=True)
class Sockets:
    """How many sockets are open in this process, and how many may be."""

    count_max: int = limits.SOCKETS_MAX
    count: int = 0


class Socket:
    """One accepted socket: sends whole messages, and knows for how long none was taken."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scope = scope
        self._receive = receive
        self._send = send
        self._loop = asyncio.get_running_loop()
        self._turn = asyncio.Lock()
        self._writes = 0
        self._writing_since = 0.0
        self._sent_at = self._loop.time()

    @property
    def quiet_seconds(self) -> float:
        """Seconds since the last message was sent."""
        return self._loop.time() - self._sent_at

    @property
    def stuck_seconds(self) -> float:
        """Seconds for which the client has taken nothing of what is to be sent; 0 if all is."""
        return self._loop.time() - self._writing_since if self._writes else 0.0

    async def send(self, message: bytes) -> None:
        """Send one message as soon as the client takes some of what was sent before.

        Raises:
            OSError: the connection has ended.
        """
        if not self._writes:
            self._writing_since = self._loop.time()
        self._writes += 1
        try:
            await self._send({"type": "websocket.send", "text": message.decode()})
        finally:
            self._writes -= 1
            self._sent_at = self._writing_since = self._loop.time()

    async def send_in_turns(self, messages: Iterable[bytes]) -> None:
        """Send messages in their order; other callers' come between, some KiB at a time."""
        waiting = iter(messages)
        while True:
            # First come, first served: a run with much to say waits for all others in between.
            async with self._turn:
                size = 0
                for message in waiting:
                    await self.send(message)
                    size += len(message)
                    if size >= limits.WRITE_BYTES_MAX:
                        break
                else:
                    return
            await asyncio.sleep(0)

    async def accept(self) -> None:
        """Finish the handshake."""
        await self._send(
            {"type": "websocket.accept", "subprotocol": subprotocol_of(self.scope), "headers": []}
        )

    async def receive(self) -> str:
        """Return the client's next text.

        Raises:
            Closing: it is no text.
        """
        message = await self._receive()
        if message["type"] == "websocket.disconnect":
            raise _Gone
        text: str | None = message.get("text")
        if text is None:
            raise Closing(_NO_TEXT, "send text messages")
        return text

    async def close(self, closing: Closing) -> None:
        """Send the close, if the client takes it within `limits.SOCKET_CLOSE_SECONDS`."""
        try:
            async with asyncio.timeout(limits.SOCKET_CLOSE_SECONDS):
                await self._send(
                    {"type": "websocket.close", "code": closing.code, "reason": closing.reason}
                )
        except (TimeoutError, OSError):
            return


class SocketEndpoint:
    """The ASGI app of one path: accepts sockets and serves each with a session of its own.

    Args:
        open_session: Called once per socket, after its handshake.
        write_seconds_max: A client that takes nothing for this long is put off; its runs go on.
    """

    def __init__(
        self,
        services: Services,
        sockets: Sockets,
        open_session: Callable[[Services, Socket], Session],
        *,
        write_seconds_max: float = limits.WRITE_SECONDS_MAX,
    ) -> None:
        self._services = services
        self._sockets = sockets
        self._open_session = open_session
        self._write_seconds_max = write_seconds_max

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._sockets.count >= self._sockets.count_max:
            busy = TryAgain(
                f"{self._sockets.count_max} sockets are open, which is this server's limit. Try"
                " again in a few seconds, or read over HTTP."
            )
            await refuse_socket(busy, scope, receive, send)
            return
        self._sockets.count += 1
        try:
            await receive()
            socket = Socket(scope, receive, send)
            await socket.accept()
            await self._serve(socket, self._open_session(self._services, socket))
        except OSError:
            # The client left during the handshake.
            return
        finally:
            self._sockets.count -= 1

    async def _serve(self, socket: Socket, session: Session) -> None:
        reading = asyncio.create_task(_read(socket, session), name="socket-reads")
        working = asyncio.create_task(session.work(), name="socket-works")
        try:
            closing = await self._until_over(socket, reading, working)
        finally:
            await settle_tasks(reading, working)
            await session.close()
        if closing is not None:
            await socket.close(closing)

    async def _until_over(
        self, socket: Socket, reading: asyncio.Task[None], working: asyncio.Task[None]
    ) -> Closing | None:
        """Return how to close the socket; None if nobody would hear of it."""
        while True:
            await asyncio.wait(
                (reading, working),
                timeout=self._write_seconds_max / 4,
                return_when=asyncio.FIRST_COMPLETED,
            )
            for task in (working, reading):
                if task.done():
                    return _closing_of(task)
            if socket.stuck_seconds >= self._write_seconds_max:
                _logger.info("a socket's client took nothing and was put off")
                self._services.observer.counted("server.readers_stalled")
                return None


async def _read(socket: Socket, session: Session) -> None:
    """Give the session one message after the other; the client waits while it takes one."""
    while True:
        text = await socket.receive()
        message: JsonObject | None = None
        try:
            message = parse_message(text, bytes_max=limits.SOCKET_MESSAGE_BYTES_MAX)
            await session.take(message, size_bytes=len(text))
        except PotokError as error:
            known = known_error(error, doing="a socket's message")
            await socket.send(session.encode_error(known, message))


def _closing_of(task: asyncio.Task[None]) -> Closing | None:
    try:
        task.result()
    except Closing as closing:
        return closing
    except ServerDraining:
        return Closing(_COME_BACK, "the server restarts")
    except (_Gone, OSError):
        return None
    except Exception as error:
        report(error, doing="a socket")
        return Closing(_BROKEN, "Potok failed; its log says where")
    return Closing(_NORMAL)


def known_error(error: Exception, *, doing: str) -> PotokError:
    """Return what to tell a client of an exception; an unexpected one is logged."""
    if isinstance(error, PotokError) and not isinstance(error, OurBug):
        return error
    report(error, doing=doing)
    return OurBug("Potok failed on this message; its log says where. Please report it.")
