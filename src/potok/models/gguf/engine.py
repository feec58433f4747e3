"""Keeps at most one child alive for one file: starts it when it is needed, ends it when it is not.

A call enters before it is sent and leaves after its answer; one that was stopped is abandoned, and
the child that does not let go of it is killed.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Protocol

from potok.clock import Clock
from potok.errors import ModelUnusable, UpstreamLost
from potok.limits import (
    GGUF_CANCEL_GRACE_SECONDS,
    GGUF_CANCEL_SHARED_GRACE_SECONDS,
    GGUF_CANCEL_WATCH_SECONDS,
    GGUF_DEATHS_MAX,
    GGUF_PROBE_EVERY_SECONDS,
    GGUF_PROBE_LATER_SECONDS,
)
from potok.models.gguf.mortality import Mortality
from potok.models.time_limits import Sleep

__all__ = ["Child", "Engine"]

_logger = logging.getLogger("potok.models.gguf")


class Child(Protocol):
    """A child process that is ready to answer."""

    pid: int
    ended: "asyncio.Future[None]"

    @property
    def is_alive(self) -> bool:
        """Whether it still runs, as far as anybody has heard."""
        ...

    async def busy_with(self) -> frozenset[int] | None:
        """Return the labels of the calls that it works on; None if it does not say so in time."""
        ...

    async def kill(self) -> None:
        """End it; it is gone when this returns."""
        ...


class _Abandoned:
    """A call that was stopped. `freed` is done once its slot is free, or the child is gone.

    One that had not begun to be answered may not have a slot yet: it is looked for until
    `settled_at`, and for a while afterwards.
    """

    def __init__(self, since: float, *, has_begun: bool) -> None:
        self.since = since
        self.has_begun = has_begun
        self.settled_at = since if has_begun else since + GGUF_CANCEL_GRACE_SECONDS
        self.freed: asyncio.Future[None] = asyncio.get_running_loop().create_future()


class Engine:
    """One file's child.

    Args:
        name: The model's full name, for errors.
        start: Starts a child; raises `ModelUnusable` or `UpstreamBusy`.
        idle_seconds: A child that nobody used for so long is ended; 0 never.

    Attributes:
        live: Calls under way.
        used_at: When the last call ended, on the clock's `monotonic`.
    """

    def __init__(
        self,
        name: str,
        *,
        start: Callable[[], Awaitable[Child]],
        idle_seconds: float,
        clock: Clock,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self.live = 0
        self.used_at = clock.monotonic()
        self._name = name
        self._start_child = start
        self._idle_seconds = idle_seconds
        self._clock = clock
        self._sleep = sleep
        self._mortality = Mortality()
        self._child: Child | None = None
        self._starting: asyncio.Task[Child] | None = None
        # Labels of the calls whose answers have begun: they would lose something by a kill.
        self._begun: set[int] = set()
        self._abandoned: dict[int, _Abandoned] = {}
        # What outlives the call that began it, by its purpose.
        self._watching: asyncio.Task[None] | None = None
        self._idling: asyncio.Task[None] | None = None
        self._mourning: set[asyncio.Task[None]] = set()
        self._is_closed = False

    @property
    def child(self) -> Child | None:
        """The child that runs now, if one does."""
        return self._child if self._child is not None and self._child.is_alive else None

    @property
    def is_loaded(self) -> bool:
        """Whether a child is there, or on its way."""
        return self.child is not None or self._starting is not None

    async def enter(self) -> Child:
        """Begin a call: return a child that is ready; `leave` or `abandon` must follow.

        Raises:
            ModelUnusable: the file cannot be loaded, or its children died too often.
            UpstreamBusy: no room for one more model in memory.
            UpstreamLost: the engine is closed.
        Cancelling leaves the start of the child under way, for whoever comes next.
        """
        # Counted at once, so that nobody takes the child away between its start and its call.
        self.live += 1
        try:
            if self._is_closed:
                raise UpstreamLost(f"The model {self._name} is being closed. Try again.")
            child = self.child
            if child is None:
                if self._starting is None:
                    self._starting = asyncio.create_task(self._start())
                    self._starting.add_done_callback(_look_at)
                # One caller who goes away must not take the others' child along.
                child = await asyncio.shield(self._starting)
        except BaseException:
            self._count_down()
            raise
        return child

    def note_begun(self, label: int) -> None:
        """Something of a call's answer has come: it surely has a slot."""
        self._begun.add(label)

    def leave(self, label: int) -> None:
        """End a call whose answer came to its end."""
        self._begun.discard(label)
        self._mortality.note_success()
        self._count_down()

    async def abandon(self, child: Child, label: int) -> None:
        """End a call that was stopped; returns when its slot is free, its child is dead, or soon.

        The child does not look up while it reads a prompt. If it does not let go within a grace, it
        is killed: at once if nobody else is being answered, later if others would be hurt. Their
        calls break with `UpstreamLost`, and can be made again.
        Cancelling leaves the watch over the child as it is.
        """
        has_begun = label in self._begun
        self._begun.discard(label)
        self._count_down()
        if self._is_closed or child is not self.child:
            return
        given_up = _Abandoned(self._clock.monotonic(), has_begun=has_begun)
        self._abandoned[label] = given_up
        if self._watching is None:
            self._watching = asyncio.create_task(self._watch())
            self._watching.add_done_callback(_look_at)
        with suppress(TimeoutError):
            async with asyncio.timeout(2 * GGUF_CANCEL_GRACE_SECONDS):
                await asyncio.shield(given_up.freed)

    async def unload(self) -> None:
        """Take the model out of memory; calls under way break with `UpstreamLost`."""
        child, self._child = self._child, None
        if child is not None and child.is_alive:
            await child.kill()

    async def close(self) -> None:
        """End everything; nothing of it is left when this returns."""
        self._is_closed = True
        tasks = [task for task in (self._starting, self._watching, self._idling) if task]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.unload()
        await asyncio.gather(*self._mourning, return_exceptions=True)
        self._free_all()

    def _count_down(self) -> None:
        self.live -= 1
        self.used_at = self._clock.monotonic()
        if self.live == 0 and self._idle_seconds and self._idling is None and self.is_loaded:
            self._idling = asyncio.create_task(self._unload_when_idle())

    async def _unload_when_idle(self) -> None:
        try:
            while (rest := self.used_at + self._idle_seconds - self._clock.monotonic()) > 0:
                if self.live:
                    return
                await self._sleep(rest)
            if not self.live and self._starting is None:
                await self.unload()
        finally:
            self._idling = None

    async def _start(self) -> Child:
        try:
            now = self._clock.monotonic()
            rest = self._mortality.rest_seconds(now)
            if rest > 0:
                raise ModelUnusable(
                    f"The process that serves {self._name} died {GGUF_DEATHS_MAX} times in a row."
                    f" It is started again in {rest:.0f} seconds. Is there enough memory? A smaller"
                    " model, fewer slots or less context need less."
                )
            wait = self._mortality.wait_seconds(now)
            if wait > 0:
                await self._sleep(wait)
            try:
                child = await self._start_child()
            except ModelUnusable:
                self._mortality.note_death(self._clock.monotonic())
                raise
            self._child = child
            mourner = asyncio.create_task(self._mourn(child))
            self._mourning.add(mourner)
            mourner.add_done_callback(self._mourning.discard)
            return child
        finally:
            self._starting = None

    async def _mourn(self, child: Child) -> None:
        await asyncio.shield(child.ended)
        if self._child is child:
            # Nobody here ended it.
            self._child = None
            self._mortality.note_death(self._clock.monotonic())
            _logger.warning("the process that serves %s died", self._name)
        self._free_all()

    async def _watch(self) -> None:
        try:
            while self._abandoned and (child := self.child) is not None:
                busy_with = await child.busy_with()
                now = self._clock.monotonic()
                if child is not self.child:
                    continue  # what it was asked about is over
                if self._has_stuck(busy_with, now):
                    _logger.info("%s does not stop reading a prompt: killed", self._name)
                    await self.unload()
                    return
                for label, given_up in list(self._abandoned.items()):
                    if busy_with is not None and label not in busy_with:
                        self._note_free(label, given_up, now, is_idle=not busy_with)
                is_waited_for = any(not one.freed.done() for one in self._abandoned.values())
                await self._sleep(
                    GGUF_PROBE_EVERY_SECONDS if is_waited_for else GGUF_PROBE_LATER_SECONDS
                )
        finally:
            self._watching = None
            self._free_all()

    def _note_free(self, label: int, given_up: _Abandoned, now: float, *, is_idle: bool) -> None:
        if now < given_up.settled_at:
            return
        if not given_up.freed.done():
            given_up.freed.set_result(None)
        # It may still stand in the child's own queue, behind a prompt that is being read.
        is_surely_over = given_up.has_begun and is_idle
        if is_surely_over or now - given_up.since > GGUF_CANCEL_WATCH_SECONDS:
            del self._abandoned[label]

    def _has_stuck(self, busy_with: frozenset[int] | None, now: float) -> bool:
        grace = GGUF_CANCEL_SHARED_GRACE_SECONDS if self._begun else GGUF_CANCEL_GRACE_SECONDS
        return any(
            now - given_up.since > grace
            for label, given_up in self._abandoned.items()
            if busy_with is None or label in busy_with
        )

    def _free_all(self) -> None:
        for given_up in self._abandoned.values():
            if not given_up.freed.done():
                given_up.freed.set_result(None)
        self._abandoned.clear()


def _look_at(task: "asyncio.Task[object]") -> None:
    # Whoever waited has its error; a start for which nobody waits any more may fail in peace.
    if not task.cancelled():
        task.exception()
