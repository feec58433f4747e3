"""Tells waiting readers in this process that a run grew. Owns no tail: the backend passes it in.

Everything here runs in one event loop. A waiter is registered in the same step in which the tail
was compared, so a growth between the two cannot be missed.
"""

import asyncio
import heapq
from math import ceil

from potok.events.envelope import Offset
from potok.limits import WAIT_STEP_SECONDS

__all__ = ["Wakeups"]


class _Waiter:
    __slots__ = ("after", "future", "step")

    def __init__(self, after: Offset, future: asyncio.Future[bool], step: int) -> None:
        self.after = after
        self.future = future
        self.step = step


class Wakeups:
    """Waiting readers by run. One timer serves all of them, in steps of `WAIT_STEP_SECONDS`."""

    def __init__(self) -> None:
        self._runs: dict[str, set[_Waiter]] = {}
        self._steps: dict[int, set[_Waiter]] = {}
        self._step_heap: list[int] = []
        self._timer: asyncio.TimerHandle | None = None
        self._timer_step = 0

    def __len__(self) -> int:
        """Return how many readers wait."""
        return sum(len(waiters) for waiters in self._runs.values())

    def is_waited_for(self, run: str) -> bool:
        """Whether a reader waits for the run."""
        return run in self._runs

    async def wait_beyond(self, run: str, after: Offset, *, tail: Offset, seconds: float) -> bool:
        """Wait until the run grows beyond `after`; False after about `seconds`, or at a close.

        Args:
            tail: The run's tail now, taken without an await before this call.
            seconds: Finite; not over means that nothing is waited for.
        """
        if tail > after:
            return True
        if seconds <= 0:
            return False
        loop = asyncio.get_running_loop()
        step = ceil((loop.time() + seconds) / WAIT_STEP_SECONDS)
        waiter = _Waiter(after, loop.create_future(), step)
        self._runs.setdefault(run, set()).add(waiter)
        self._join_step(waiter, loop)
        try:
            return await waiter.future
        finally:
            self._forget(run, waiter)

    def grew(self, run: str, tail: Offset) -> None:
        """Wake the run's readers whose offset is now behind its tail."""
        for waiter in self._runs.get(run, ()):
            if waiter.after < tail and not waiter.future.done():
                waiter.future.set_result(True)

    def end(self, run: str) -> None:
        """Wake all of the run's readers: it grows no more."""
        self.grew(run, Offset(1 << 62))

    def close(self) -> None:
        """Send every reader away with False."""
        for waiters in self._runs.values():
            for waiter in waiters:
                if not waiter.future.done():
                    waiter.future.set_result(False)

    def _join_step(self, waiter: _Waiter, loop: asyncio.AbstractEventLoop) -> None:
        waiters = self._steps.get(waiter.step)
        if waiters is None:
            waiters = self._steps[waiter.step] = set()
            heapq.heappush(self._step_heap, waiter.step)
        waiters.add(waiter)
        if self._timer is None or waiter.step < self._timer_step:
            self._set_timer(waiter.step, loop)

    def _set_timer(self, step: int, loop: asyncio.AbstractEventLoop) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer_step = step
        self._timer = loop.call_at(step * WAIT_STEP_SECONDS, self._end_waits, loop)

    def _end_waits(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = None
        # The step of this timer is due, even if the loop's clock is a hair before it.
        due = max(self._timer_step, int(loop.time() / WAIT_STEP_SECONDS))
        while self._step_heap and self._step_heap[0] <= due:
            for waiter in self._steps.pop(heapq.heappop(self._step_heap)):
                if not waiter.future.done():
                    waiter.future.set_result(False)
        if self._step_heap:
            self._set_timer(self._step_heap[0], loop)

    def _forget(self, run: str, waiter: _Waiter) -> None:
        waiters = self._runs[run]
        waiters.discard(waiter)
        if not waiters:
            del self._runs[run]
        self._steps.get(waiter.step, set()).discard(waiter)
        if not self._runs:
            self._steps.clear()
            self._step_heap.clear()
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
