"""Seeded faults: a log that answers late, wrongly late or never; readers and clocks likewise.

All that is drawn comes from one `Chance`, so that a failure can be had again from its seed alone.
Time is the event loop's: give tests a loop whose time is their own.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Literal, TypeVar

from msgspec.structs import replace

from potok.clock import Clock, RunId, WorkerId
from potok.errors import LogUnavailable, PotokError, RunNotFound, StaleEpoch
from potok.events.envelope import Offset
from potok.streamlog.contract import (
    Appended,
    Attempt,
    Batch,
    Ending,
    NewRun,
    Page,
    RunRecord,
    RunStatus,
    StreamLog,
    Trimmed,
)
from potok.testing.chance import Chance

__all__ = [
    "CALM",
    "NOBODY",
    "FaultRates",
    "FaultyLog",
    "JumpingClock",
    "LinkDropped",
    "dropped_link",
    "slow_reader",
]

T = TypeVar("T")

NOBODY = WorkerId("nobody")
"""A worker that never has a lease: who gets a run whose start was not heard of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultRates:
    """How often each fault comes, 0 (never) to 1 (always), and how long the slow ones last.

    `unstored`: a write that is not done, `unheard`: one that is done, though its caller is told
    that it failed. `unread`: a read that fails. `late`: calls and answers that take up to
    `late_seconds`. `wakeup_lost`: a waiting reader hears nothing until its own time is over.
    `cancel_lost`: a cancel's message that never comes, so that only the next look finds it.
    """

    unstored: float = 0.0
    unheard: float = 0.0
    unread: float = 0.0
    late: float = 0.0
    late_seconds: float = 0.0
    wakeup_lost: float = 0.0
    cancel_lost: float = 0.0


CALM = FaultRates()
"""Nothing goes wrong."""


class JumpingClock:
    """A clock whose wall time can be set wrong; its monotonic time stays that of `inner`.

    Does not imitate: a clock that runs too fast or too slow.
    """

    def __init__(self, inner: Clock) -> None:
        self._inner = inner
        self.ahead = 0.0
        """Seconds by which the wall time is wrong."""

    def now(self) -> float:
        return self._inner.now() + self.ahead

    def monotonic(self) -> float:
        return self._inner.monotonic()

    def jump(self, seconds: float) -> None:
        """Set the wall clock forward, or back if negative."""
        self.ahead += seconds


class FaultyLog:
    """One worker's line to a log, with faults; several such lines may lead to one log.

    `rates` may be changed at any time. `pause` holds every call, and every answer that is on its
    way, until `resume`: a lease runs out meanwhile, and the worker comes back as a zombie. `cut`
    makes every call fail until `mend`. After `kill` nothing is ever answered.

    It keeps the promises of the contract: a batch that was stored unheard is stored once if given
    again, and a run whose start was not heard of is left to others.

    Does not imitate: writes that the store forgets (`torn_copy` does), half a batch, an answer to
    another question, writes of one worker that overtake each other, or a worker whose own thoughts
    stand still while it is paused.

    Attributes:
        told: What went wrong so far, by name, for messages.
        on_stored: Called with each batch that the log took, heard of or not.
    """

    def __init__(
        self, inner: StreamLog, *, chance: Chance, rates: FaultRates = CALM, name: str = ""
    ) -> None:
        self.rates = rates
        self.told: list[str] = []
        self.on_stored: Callable[[Batch, Appended], None] = lambda batch, appended: None
        self._inner = inner
        self._chance = chance
        self._name = name
        self._line: Literal["well", "cut", "dead"] = "well"
        self._running = asyncio.Event()
        self._running.set()
        self._unheard: dict[RunId, tuple[Batch, Appended]] = {}

    # what a test does to it

    @property
    def is_well(self) -> bool:
        """Whether it is neither paused, cut nor dead; faults may come all the same."""
        return self._line == "well" and self._running.is_set()

    def pause(self) -> None:
        """Hold all calls and answers."""
        self._running.clear()

    def resume(self) -> None:
        """Let them through, in whatever state the log is now."""
        self._running.set()

    def cut(self) -> None:
        """Make every call fail, as without a network."""
        self._line = "cut"

    def mend(self) -> None:
        """Let calls through again."""
        self._line = "well"

    def kill(self) -> None:
        """Never answer again; whoever waits has to be cancelled."""
        self._line = "dead"
        self._running.set()

    async def until_running(self) -> None:
        """Wait while it is paused."""
        await self._running.wait()

    # the way there and back

    async def _pass(self) -> None:
        if self._chance.happens(self.rates.late):
            await asyncio.sleep(self._chance.fraction() * self.rates.late_seconds)
        await self._running.wait()
        if self._line == "dead":
            await asyncio.get_running_loop().create_future()
        if self._line == "cut":
            raise self._fail("cut")

    def _fail(self, what: str) -> LogUnavailable:
        self.told.append(f"{self._name} {what}".strip())
        return LogUnavailable(f"A seeded fault: {what}.")

    async def _read(self, what: str, do: Callable[[], Awaitable[T]]) -> T:
        await self._pass()
        if self._chance.happens(self.rates.unread):
            raise self._fail(f"unread {what}")
        answer = await do()
        await self._pass()
        return answer

    async def _write(self, what: str, do: Callable[[], Awaitable[T]]) -> T:
        await self._pass()
        if self._chance.happens(self.rates.unstored):
            raise self._fail(f"unstored {what}")
        answer = await do()
        await self._pass()
        if self._chance.happens(self.rates.unheard):
            raise self._fail(f"unheard {what}")
        return answer

    # opening and closing

    async def open(self) -> None:
        await self._inner.open()

    async def close(self) -> None:
        await self._inner.close()

    async def now(self) -> float:
        return await self._read("now", self._inner.now)

    # runs

    async def find_started(
        self, principal: str, key: str, *, request_hash: str
    ) -> RunRecord | None:
        return await self._read(
            "find_started",
            lambda: self._inner.find_started(principal, key, request_hash=request_hash),
        )

    async def create_run(self, new: NewRun) -> tuple[RunRecord, bool]:
        await self._pass()
        if self._chance.happens(self.rates.unstored):
            raise self._fail("unstored create_run")
        is_unheard = self._chance.happens(self.rates.unheard)
        answer = await self._inner.create_run(replace(new, worker=NOBODY) if is_unheard else new)
        await self._pass()
        if is_unheard:
            raise self._fail("unheard create_run")
        return answer

    async def read_run(self, run: str) -> RunRecord:
        return await self._read("read_run", lambda: self._inner.read_run(run))

    async def list_runs(
        self,
        *,
        principal: str,
        before: RunId | None = None,
        status: RunStatus | None = None,
        items_max: int,
    ) -> list[RunRecord]:
        return await self._read(
            "list_runs",
            lambda: self._inner.list_runs(
                principal=principal, before=before, status=status, items_max=items_max
            ),
        )

    async def put_attempt(self, run: RunId, *, epoch: int, attempt: Attempt) -> None:
        await self._write(
            "put_attempt", lambda: self._inner.put_attempt(run, epoch=epoch, attempt=attempt)
        )

    async def request_cancel(self, run: RunId) -> RunRecord:
        return await self._write("request_cancel", lambda: self._inner.request_cancel(run))

    async def wait_cancels(self, worker: WorkerId, *, seconds: float) -> list[RunId]:
        await self._pass()
        if self._chance.happens(self.rates.cancel_lost):
            self.told.append(f"{self._name} cancel_lost".strip())
            await asyncio.sleep(seconds)
            seconds = 0.0
        runs = await self._inner.wait_cancels(worker, seconds=seconds)
        await self._pass()
        return runs

    async def keep_run(self, run: RunId) -> None:
        await self._write("keep_run", lambda: self._inner.keep_run(run))

    async def end_lost(self, run: RunId, *, epoch: int, ending: Ending) -> None:
        await self._write("end_lost", lambda: self._inner.end_lost(run, epoch=epoch, ending=ending))

    async def forget_run(self, run: RunId) -> bool:
        return await self._write("forget_run", lambda: self._inner.forget_run(run))

    # events

    async def append(self, batches: Sequence[Batch]) -> list[Appended | PotokError]:
        await self._pass()
        if self._chance.happens(self.rates.unstored):
            raise self._fail("unstored append")
        before = [await self._stored_before(batch) for batch in batches]
        fresh = [batch for batch, known in zip(batches, before, strict=True) if known is None]
        taken = iter(await self._inner.append(fresh) if fresh else [])
        answers = [next(taken) if known is None else known for known in before]
        for batch, known, answer in zip(batches, before, answers, strict=True):
            self._unheard.pop(batch.run, None)
            if isinstance(answer, Appended):
                self._unheard[batch.run] = (batch, answer)
                if known is None:
                    self.on_stored(batch, answer)
        await self._pass()
        if self._chance.happens(self.rates.unheard):
            raise self._fail("unheard append")
        for batch in batches:
            self._unheard.pop(batch.run, None)
        return answers

    async def _stored_before(self, batch: Batch) -> Appended | PotokError | None:
        """Return the answer to a batch that was stored unheard; None for any other."""
        known = self._unheard.get(batch.run)
        if known is None or known[0] != batch:
            return None
        try:
            epoch = (await self._inner.read_run(batch.run)).epoch
        except RunNotFound as forgotten:
            return forgotten
        if epoch != batch.epoch:
            return StaleEpoch(run=batch.run, epoch=batch.epoch, current=epoch)
        return known[1]

    async def read(self, run: str, *, after: Offset, events_max: int) -> Page:
        return await self._read(
            "read", lambda: self._inner.read(run, after=after, events_max=events_max)
        )

    async def wait_beyond(self, run: RunId, after: Offset, *, seconds: float) -> bool:
        await self._pass()
        if self._chance.happens(self.rates.wakeup_lost):
            self.told.append(f"{self._name} wakeup_lost".strip())
            await asyncio.sleep(seconds)
            grew = False
        else:
            grew = await self._inner.wait_beyond(run, after, seconds=seconds)
        await self._pass()
        return grew

    # leases and retention

    async def renew_lease(self, worker: WorkerId, *, seconds: float) -> None:
        await self._write("renew_lease", lambda: self._inner.renew_lease(worker, seconds=seconds))

    async def release_lease(self, worker: WorkerId) -> None:
        await self._write("release_lease", lambda: self._inner.release_lease(worker))

    async def list_abandoned(self, *, items_max: int) -> list[RunRecord]:
        return await self._read(
            "list_abandoned", lambda: self._inner.list_abandoned(items_max=items_max)
        )

    async def take_over(self, run: RunId, *, worker: WorkerId, epoch: int) -> RunRecord:
        return await self._write(
            "take_over", lambda: self._inner.take_over(run, worker=worker, epoch=epoch)
        )

    async def trim(self, *, events_before: float, records_before: float) -> Trimmed:
        return await self._write(
            "trim",
            lambda: self._inner.trim(events_before=events_before, records_before=records_before),
        )


class LinkDropped(ConnectionError):
    """A reader's line broke."""


async def slow_reader(
    pages: AsyncGenerator[T, None], *, chance: Chance, rate: float, seconds: float
) -> AsyncGenerator[T, None]:
    """Pass pages on, and take up to `seconds` for some of them.

    Does not imitate: bytes that fill a socket's buffer, or half a page.
    """
    async with aclosing(pages):
        async for page in pages:
            if chance.happens(rate):
                await asyncio.sleep(chance.fraction() * seconds)
            yield page


async def dropped_link(
    pages: AsyncGenerator[T, None], *, chance: Chance, rate: float
) -> AsyncGenerator[T, None]:
    """Pass pages on until the line breaks: before a page, or after it was read.

    Does not imitate: half a page, or a line that is silent instead of broken.

    Raises:
        LinkDropped: it broke.
    """
    async with aclosing(pages):
        async for page in pages:
            if chance.happens(rate):
                raise LinkDropped
            yield page
            if chance.happens(rate):
                raise LinkDropped
