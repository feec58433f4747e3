"""A client's end of a WebSocket, straight into an ASGI app: no network, no frames.

Does not imitate: a buffer between the two ends. What is sent while `pause` holds waits at once.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from starlette.types import ASGIApp, Message


class Refused(Exception):
    """The handshake was answered with an HTTP status."""

    def __init__(self, status: int, body: Any) -> None:
        super().__init__(status, body)
        self.status = status
        self.body = body


class Closed(Exception):
    """The server closed the socket."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(code, reason)
        self.code = code
        self.reason = reason


class SocketClient:
    """One socket. `subprotocol` is what the server chose."""

    def __init__(self, app: ASGIApp, scope: dict[str, Any]) -> None:
        self.subprotocol: str | None = None
        self._inbox: asyncio.Queue[Message] = asyncio.Queue()
        self._outbox: asyncio.Queue[Message] = asyncio.Queue()
        self._writable = asyncio.Event()
        self._writable.set()
        self._is_gone = False
        self._inbox.put_nowait({"type": "websocket.connect"})
        self.serving = asyncio.ensure_future(app(scope, self._inbox.get, self._take))

    async def _take(self, message: Any) -> None:
        await self._writable.wait()
        if self._is_gone:
            raise OSError("the client is gone")
        self._outbox.put_nowait(message)

    async def open(self) -> None:
        """Finish the handshake; raises `Refused`."""
        message = await self._outbox.get()
        if message["type"] == "websocket.http.response.start":
            body = b""
            while (part := await self._outbox.get()).get("more_body"):
                body += part["body"]
            body += part["body"]
            raise Refused(message["status"], json.loads(body))
        assert message["type"] == "websocket.accept", message
        self.subprotocol = message.get("subprotocol")

    def send(self, message: Any) -> None:
        """Send a JSON value."""
        self.send_text(json.dumps(message))

    def send_text(self, text: str) -> None:
        """Send a text message as it is."""
        self._inbox.put_nowait({"type": "websocket.receive", "text": text})

    def send_bytes(self, raw: bytes) -> None:
        """Send a binary message."""
        self._inbox.put_nowait({"type": "websocket.receive", "bytes": raw})

    async def receive(self) -> Any:
        """Return the next message, decoded; raises `Closed`."""
        message = await self._outbox.get()
        if message["type"] == "websocket.close":
            raise Closed(message["code"], message.get("reason", ""))
        return json.loads(message["text"])

    async def receive_until(self, field: str, value: Any) -> list[Any]:
        """Return the messages up to the first whose field has that value."""
        messages = [await self.receive()]
        while messages[-1].get(field) != value:
            messages.append(await self.receive())
        return messages

    def pause(self) -> None:
        """Take nothing more of what the server sends."""
        self._writable.clear()

    def resume(self) -> None:
        """Take what is sent again."""
        self._writable.set()

    @property
    def untaken(self) -> int:
        """How many messages the server has sent and nobody has received."""
        return self._outbox.qsize()

    async def leave(self, code: int = 1005) -> None:
        """Close the connection, and wait until the server has let go of it."""
        self._is_gone = True
        self._writable.set()
        self._inbox.put_nowait({"type": "websocket.disconnect", "code": code})
        await self.serving


@asynccontextmanager
async def open_socket(
    app: ASGIApp,
    path: str,
    *,
    query: str = "",
    headers: Mapping[str, str] | None = None,
    subprotocols: Iterable[str] = (),
) -> AsyncIterator[SocketClient]:
    """Open a socket for a test, and leave it at its end."""
    named = {"host": "127.0.0.1:8000", **(headers or {})}
    client = SocketClient(
        app,
        {
            "type": "websocket",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "scheme": "ws",
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in named.items()],
            "subprotocols": list(subprotocols),
            "extensions": {"websocket.http.response": {}},
            "state": {},
        },
    )
    try:
        await client.open()
        yield client
    finally:
        await client.leave()
