"""`/ws` and the socket at `/`: simple chat, one answer after the other.

A message asks for an answer; one that comes meanwhile waits. The clients of this face cannot come
back to an answer, so it ends some seconds after they left, unless they asked to keep it.
"""

import asyncio
from collections import deque
from contextlib import aclosing

import msgspec

from potok import limits
from potok.dialects.simple_chat import SimpleChatSocket
from potok.dialects.simple_chat_request import parse_simple_chat
from potok.dialects.socket_messages import read_idempotency_key
from potok.errors import PotokError, ServerDraining, TryAgain
from potok.events.envelope import START
from potok.events.run_request import JsonObject, RunRequest
from potok.server.headers import language_of
from potok.server.reader import reading_of
from potok.server.safety_layer import principal_of
from potok.server.services import Services
from potok.server.websocket_session import Socket, known_error
from potok.streamlog.contract import RunRecord

__all__ = ["SimpleChatSession"]

_DIALECT = SimpleChatSocket()


class _Asked(msgspec.Struct):
    """One message that asks for an answer; `run` once it was started."""

    request: RunRequest
    idempotency_key: str | None
    size_bytes: int
    run: str | None = None
    is_cancelled: bool = False


class SimpleChatSession:
    """Answers messages in their order."""

    def __init__(self, services: Services, socket: Socket) -> None:
        self._runs = services.runs
        self._socket = socket
        self._principal = principal_of(socket.scope)
        self._language = language_of(socket.scope, default="ru")
        self._queue: deque[_Asked] = deque()
        self._answering: _Asked | None = None
        self._grew = asyncio.Event()

    async def take(self, message: JsonObject, *, size_bytes: int) -> None:
        if message.get("type") == "cancel":
            await self._cancel()
            return
        key = read_idempotency_key(message)
        body = {name: message[name] for name in message if name != "idempotency_key"}
        asked = _Asked(parse_simple_chat(body, language=self._language), key, size_bytes)
        self._check_room(asked)
        self._queue.append(asked)
        self._grew.set()

    async def work(self) -> None:
        while True:
            while not self._queue:
                self._grew.clear()
                await self._grew.wait()
            self._answering = self._queue.popleft()
            await self._answer(self._answering)
            self._answering = None

    def encode_error(self, error: PotokError, message: JsonObject | None) -> bytes:
        return _DIALECT.encode_error(error)

    async def close(self) -> None:
        self._queue.clear()

    def _check_room(self, asked: _Asked) -> None:
        waiting = sum(other.size_bytes for other in self._queue)
        if (
            len(self._queue) >= limits.SOCKET_QUEUE_MESSAGES_MAX
            or waiting + asked.size_bytes > limits.SOCKET_QUEUE_BYTES_MAX
        ):
            raise TryAgain(
                f"{len(self._queue)} messages wait for their answers on this socket already; this"
                " one was not taken. Send it again after the next answer."
            )

    async def _cancel(self) -> None:
        asked = self._answering
        if asked is None:
            return
        asked.is_cancelled = True
        if asked.run is not None:
            # Its end comes with the stream; nothing is waited for here.
            await self._runs.cancel(asked.run, principal=self._principal, wait_seconds=0)

    async def _answer(self, asked: _Asked) -> None:
        try:
            record, _ = await self._runs.start(
                asked.request, principal=self._principal, idempotency_key=asked.idempotency_key
            )
            asked.run = record.run
            if asked.is_cancelled:
                await self._cancel()
            # It waits as long as its client: it keeps no whole answer meanwhile.
            record = msgspec.structs.replace(record, snapshot=None)
            await self._deliver(record)
        except (ServerDraining, OSError):
            raise
        except Exception as error:
            known = known_error(error, doing="an answer on a socket")
            await self._socket.send(_DIALECT.encode_error(known))

    async def _deliver(self, record: RunRecord) -> None:
        encoder = _DIALECT.encoder(reading_of(record))
        pages = self._runs.follow(record, after=START)
        async with aclosing(pages):
            async for page in pages:
                await self._socket.send_in_turns(encoder.encode(page or ()))
                if encoder.is_ended:
                    return
