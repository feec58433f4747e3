"""One reader: reads a run to its end in one protocol, over as many lines as that takes."""

import asyncio
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import aiohttp

from tests.integration.chaos.faces import (
    Asked,
    Place,
    frame_of_message,
    is_end,
    speaker_of,
)
from tests.integration.chaos.judge import Frame
from tests.integration.chaos.plan import PlannedReader
from tests.integration.chaos.world import Worker

if TYPE_CHECKING:
    from tests.integration.chaos.streams import Stream

__all__ = ["LINE_FAULTS", "RUN_HEADER", "Reader", "Refused", "Silence"]

RUN_HEADER = "X-Potok-Run"
LINE_FAULTS = (aiohttp.ClientError, ConnectionError, TimeoutError)
# As our clients: a line that is silent for three heartbeats is dead.
_SILENCE = aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=45)
_WAIT_SECONDS_MIN = 0.2
_WAIT_SECONDS_MAX = 2.0
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
_NO_CONTENT = 204
SILENCE_SECONDS = 2.0
"""A silence that is looked at; pieces come several times a second."""
_SOCKET_STATUS = 4000


class Refused(Exception):
    """A reader was told that it will never get what it asks for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """A time in which a reader was shown nothing; whom it asked in it, over how many new lines."""

    since: float
    until: float
    asked: frozenset[str]
    lines: int


class Reader:
    """One reader of one stream.

    Attributes:
        frames: What it was shown, in this order.
        replays: What it was shown before it began to read from the start again, time after time.
        worker: Whom it reads from now; None without a line.
        is_over: It saw the end, or was told that nothing follows.
        refused: Why it was refused for good.
        silences: Long times between two frames.
    """

    def __init__(self, stream: "Stream", plan: PlannedReader, *, is_starter: bool) -> None:
        self.plan = plan
        self.frames: list[Frame] = []
        self.replays: list[list[Frame]] = []
        self.worker: Worker | None = None
        self.is_over = False
        self.refused: str | None = None
        self.lines = 0
        self.silences: list[Silence] = []
        self._stream = stream
        self._is_starter = is_starter
        self._dice = random.Random(plan.dice)
        self._heard_at: float | None = None
        self._asked: set[str] = set()
        self._tries = 0
        self._has_news = False

    async def read(self, session: aiohttp.ClientSession, workers: Sequence[Worker]) -> None:
        """Read to the end."""
        if not self._is_starter:
            await asyncio.sleep(self.plan.at_share * self._stream.plan.seconds)
            await self._stream.has_run.wait()
        tries = 0
        while not self.is_over:
            self._has_news = False
            worker = self._dice.choice(workers)
            try:
                await self._read_line(session, worker)
            except LINE_FAULTS:
                pass
            except Refused as refusal:
                self.refused = str(refusal)
                return
            finally:
                self.worker = None
            if self.is_over:
                return
            tries = 0 if self._has_news else tries + 1
            longest = min(_WAIT_SECONDS_MIN * 2.0 ** min(tries, 8), _WAIT_SECONDS_MAX)
            await asyncio.sleep(longest * self._dice.random())

    async def _read_line(self, session: aiohttp.ClientSession, worker: Worker) -> None:
        asked = self._next_request()
        self.lines += 1
        self._asked.add(worker.name)
        self._tries += 1
        if asked.method == "WS":
            await self._read_socket(session, worker, asked)
            return
        async with session.request(
            asked.method,
            worker.url + asked.path,
            headers=asked.headers,
            json=asked.body,
            timeout=_SILENCE,
        ) as reply:
            if not await self._is_stream(reply):
                return
            self.worker = worker
            decode = speaker_of(self.plan.face).decoder()
            async for chunk in reply.content.iter_any():
                self._take(decode(chunk))
                if self.is_over:
                    return

    def _next_request(self) -> Asked:
        speaker, stream = speaker_of(self.plan.face), self._stream
        if stream.run is not None and not self.plan.replays:
            last = self.frames[-1] if self.frames else None
            return speaker.resume(stream.plan, Place(run=stream.run, last=last))
        if self.frames:
            self.replays.append(self.frames)
            self.frames = []
        return speaker.start(stream.plan, stream.key)

    @property
    def _reads_what_it_posts(self) -> bool:
        return self.plan.face in ("simple", "completions", "responses")

    async def _is_stream(self, reply: aiohttp.ClientResponse) -> bool:
        if reply.status == _NO_CONTENT:
            self.is_over = True
            return False
        if reply.status in _PASSING:
            self._stream.count_refusal(reply.status)
            return False
        if reply.status not in (200, 201):
            said = (await reply.text())[:300]
            raise Refused(f"{self.plan.face}: {reply.method} {reply.url}: {reply.status} {said}")
        self._stream.is_run(reply.headers[RUN_HEADER])
        return reply.method == "GET" or self._reads_what_it_posts

    async def _read_socket(
        self, session: aiohttp.ClientSession, worker: Worker, asked: Asked
    ) -> None:
        try:
            async with session.ws_connect(
                worker.url + asked.path, timeout=aiohttp.ClientWSTimeout(ws_close=2.0)
            ) as socket:
                self.worker = worker
                async with asyncio.timeout(None) as patience:
                    await self._read_messages(socket, patience)
                self._check_close(socket.close_code)
        except aiohttp.WSServerHandshakeError as error:
            if error.status not in _PASSING:
                raise Refused(f"socket: handshake {error.status}") from error

    async def _read_messages(
        self, socket: aiohttp.ClientWebSocketResponse, patience: asyncio.Timeout
    ) -> None:
        loop = asyncio.get_running_loop()
        patience.reschedule(loop.time() + 45)
        async for message in socket:
            patience.reschedule(loop.time() + 45)
            if message.type is aiohttp.WSMsgType.TEXT:
                frame = frame_of_message(message.data)
                self._take([frame] if frame is not None else [])
                if self.is_over:
                    return

    def _check_close(self, code: int | None) -> None:
        if code == 1000:
            self.is_over = True
        if code is not None and code > _SOCKET_STATUS:
            status = code - _SOCKET_STATUS
            if status not in _PASSING:
                raise Refused(f"socket: closed with {code}")
            self._stream.count_refusal(status)

    def _take(self, frames: list[Frame]) -> None:
        if not frames:
            return
        now = time.monotonic()
        if self._heard_at is not None and now - self._heard_at > SILENCE_SECONDS:
            silence = Silence(
                since=self._heard_at, until=now, asked=frozenset(self._asked), lines=self._tries
            )
            self.silences.append(silence)
        self._heard_at = now
        self._asked = {self.worker.name} if self.worker is not None else set()
        self._tries = 0
        self._has_news = True
        self.frames += frames
        if is_end(self.plan.face, frames[-1]):
            self.is_over = True
            self._stream.end_seen()
