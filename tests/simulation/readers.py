"""Readers as clients are: they obey `protocol.reconnection` and come back to whatever worker."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import Protocol

import msgspec

from potok.clock import RunId
from potok.errors import OffsetExpired, PotokError
from potok.events.envelope import Offset, StoredEvent
from potok.events.fold import Message
from potok.events.kinds import RunEnd
from potok.protocol.reconnection import Reconnection, Rules, State
from potok.protocol.reconnection_words import (
    Abort,
    Begun,
    Closed,
    Command,
    Connect,
    Deliver,
    Failed,
    Finished,
    GapSaid,
    GiveUp,
    HeartbeatSeen,
    Input,
    Opened,
    Received,
    Refused,
    SnapshotTaken,
    TimePassed,
    WaitUntil,
)
from potok.testing.chance import Chance
from potok.testing.faults import LinkDropped

__all__ = ["Doors", "Reader"]

PATIENT = Rules(tries_max=100_000, outage_seconds_max=1e9, max_seconds=5.0)
_STATUSES = {"run_not_found": 404, "offset_invalid": 400, "offset_expired": 410, "log_lost": 410}

Pages = AsyncGenerator[list[StoredEvent] | None, None]


class Doors(Protocol):
    """The world as a reader sees it: some worker answers, or none does."""

    def follow(self, run: RunId, *, after: Offset, returning: bool) -> Pages:
        """Read a run at some worker; raises what a line to it would show."""
        ...

    async def snapshot(self, run: RunId) -> tuple[Offset, Message]:
        """Return the whole message of a run and the offset it holds."""
        ...


class Reader:
    """One client that reads one run until its end.

    Attributes:
        events: All that it was given, in order.
        snapshot: What it got where events were gone, else None; `skipped_to` is the offset it held.
        over: How it ended, None while it reads.
        is_undisturbed: Whether it is quick, and its line never breaks.
    """

    def __init__(self, run: RunId, doors: Doors, *, chance: Chance, name: str) -> None:
        self.run = run
        self.name = name
        self.events: list[StoredEvent] = []
        self.snapshot: Message | None = None
        self.skipped_to: Offset | None = None
        self.over: Finished | GiveUp | None = None
        self.is_undisturbed = True
        self._doors = doors
        self._chance = chance
        self._rules = Reconnection(after="0", rules=PATIENT)
        self._heard: asyncio.Queue[tuple[int, Input, StoredEvent | Message | None]] = (
            asyncio.Queue()
        )
        self._line: asyncio.Task[None] | None = None
        self._line_number = 0
        self._deadline: float | None = None

    @property
    def is_open(self) -> bool:
        """Whether its line carries the stream now."""
        return self._rules.state is State.OPEN

    async def read(self) -> None:
        """Read to the end, over as many lines as that takes."""
        said = deque(self._tell(Begun()))
        while self.over is None:
            if said:
                self._obey(said.popleft(), None)
                continue
            heard, thing = await self._next()
            told = self._tell(heard)
            for command in told:
                self._obey(command, thing)
        self._hang_up()

    def _tell(self, heard: Input) -> tuple[Command, ...]:
        now = asyncio.get_running_loop().time()
        return self._rules.receive(heard, now=now, fraction=self._chance.fraction())

    async def _next(self) -> tuple[Input, StoredEvent | Message | None]:
        loop = asyncio.get_running_loop()
        while True:
            try:
                async with asyncio.timeout_at(self._deadline):
                    number, heard, thing = await self._heard.get()
            except TimeoutError:
                self._deadline = None
                return TimePassed(), None
            assert self._deadline is None or loop.time() <= self._deadline + 1
            if number == self._line_number:
                return heard, thing

    def _obey(self, command: Command, thing: StoredEvent | Message | None) -> None:
        if isinstance(command, Connect):
            self._hang_up()
            self._call(lambda number: self._follow(number, command.after))
        elif isinstance(command, WaitUntil):
            self._deadline = command.at
        elif isinstance(command, Abort):
            self._hang_up()
        elif isinstance(command, GapSaid):
            self._hang_up()
            self._call(self._fetch)
        elif isinstance(command, Deliver):
            self._take(thing)
        else:
            self.over = command

    def _take(self, thing: StoredEvent | Message | None) -> None:
        if isinstance(thing, Message):
            assert self._rules.after is not None
            self.snapshot, self.skipped_to = thing, Offset(int(self._rules.after))
            return
        assert isinstance(thing, StoredEvent)
        self.events.append(thing)

    def _hang_up(self) -> None:
        self._line_number += 1
        if self._line is not None:
            self._line.cancel()
            self._line = None

    def _call(self, do: Callable[[int], Awaitable[None]]) -> None:
        number = self._line_number

        async def line() -> None:
            await do(number)

        self._line = asyncio.create_task(line(), name=f"line of {self.name}")

    async def _follow(self, number: int, after: str | None) -> None:
        def say(heard: Input, thing: StoredEvent | None = None) -> None:
            self._heard.put_nowait((number, heard, thing))

        is_open = False
        try:
            offset = Offset(int(after or 0))
            pages = self._doors.follow(self.run, after=offset, returning=bool(self.events))
            async with aclosing(pages):
                async for page in pages:
                    if not is_open:
                        say(Opened())
                        is_open = True
                    for stored in page or []:
                        is_end = isinstance(stored.event, RunEnd)
                        say(Received(id=str(stored.offset), is_end=is_end), stored)
                    if not page:
                        say(HeartbeatSeen())
        except (PotokError, LinkDropped) as error:
            say(_refused(error, is_open=is_open))
            return
        say(Closed(is_clean=True))

    async def _fetch(self, number: int) -> None:
        try:
            offset, message = await self._doors.snapshot(self.run)
        except (PotokError, LinkDropped) as error:
            self._heard.put_nowait((number, _refused(error, is_open=False), None))
            return
        is_ended = message.outcome is not None
        taken = SnapshotTaken(offset=str(offset), is_ended=is_ended)
        copy = msgspec.json.decode(msgspec.json.encode(message), type=Message)
        self._heard.put_nowait((number, taken, copy))


def _refused(error: Exception, *, is_open: bool) -> Input:
    if not isinstance(error, PotokError):
        return Failed(kind="network")
    if is_open and error.retryable:
        return Closed()
    first = str(error.first) if isinstance(error, OffsetExpired) else None
    return Refused(status=_STATUSES.get(error.code, 503), code=error.code, first=first)
