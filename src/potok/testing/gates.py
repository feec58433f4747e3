"""Waits that a test holds in its hand: gates for fakes, and a sleep that obeys a fake clock."""

import asyncio

from potok.testing.fakes import FakeClock

__all__ = ["FakeSleep", "Gate"]


class Gate:
    """Lets through as many as it was told to; the others wait.

    Attributes:
        waiting: How many wait now.
    """

    def __init__(self, *, passes: int = 0) -> None:
        self.waiting = 0
        self._passes = passes
        self._is_open = False
        self._changed = asyncio.Event()
        self._waited = asyncio.Event()

    def release(self, passes: int = 1) -> None:
        """Let `passes` more through."""
        self._passes += passes
        self._waited.clear()
        self._changed.set()

    def open(self) -> None:
        """Let everybody through from now on."""
        self._is_open = True
        self._waited.clear()
        self._changed.set()

    async def wait(self) -> None:
        """Wait until this caller may pass."""
        self.waiting += 1
        try:
            while not self._is_open and not self._passes:
                self._waited.set()
                self._changed.clear()
                await self._changed.wait()
            if not self._is_open:
                self._passes -= 1
        finally:
            self.waiting -= 1

    async def until_waited_for(self) -> None:
        """Return once somebody waits here who was not let through yet."""
        await self._waited.wait()


class FakeSleep:
    """A `sleep` that ends when the fake clock has moved far enough, and never by itself.

    Give it as `sleep=`; move time with `advance`, not on the clock.
    """

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self._sleepers: list[tuple[float, float, asyncio.Future[None]]] = []
        self._changed = asyncio.Event()

    async def __call__(self, seconds: float) -> None:
        alarm = asyncio.get_running_loop().create_future()
        sleeper = (self._clock.monotonic() + seconds, seconds, alarm)
        self._sleepers.append(sleeper)
        self._changed.set()
        try:
            await alarm
        finally:
            self._sleepers.remove(sleeper)

    @property
    def seconds(self) -> list[float]:
        """For how long each sleeper sleeps, oldest first."""
        return [seconds for _, seconds, _ in self._sleepers]

    async def until(self, seconds: float) -> None:
        """Return once somebody sleeps for exactly so many seconds."""
        while seconds not in self.seconds:
            self._changed.clear()
            await self._changed.wait()

    def advance(self, seconds: float) -> None:
        """Move the clock; wake all whose time has come."""
        self._clock.advance(seconds)
        for moment, _, alarm in self._sleepers:
            if moment <= self._clock.monotonic() and not alarm.done():
                alarm.set_result(None)
