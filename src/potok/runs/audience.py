"""Counts the readers of live runs, and ends a run nobody can come back to.

Faces whose clients cannot come back start runs with `on_disconnect` `cancel`: such a run ends
after a grace period without a reader. Any reader that did come back makes it `keep`.
"""

import asyncio
import logging
from collections.abc import Callable

from potok.clock import RunId
from potok.events.run_request import OnDisconnect

__all__ = ["Audience"]

_logger = logging.getLogger("potok.runs")


class Audience:
    """The readers of this process, per live run. `abandon(run)` is called once per lonely run."""

    def __init__(self, *, grace_seconds: float, abandon: Callable[[RunId], None]) -> None:
        self._grace_seconds = grace_seconds
        self._abandon = abandon
        self._readers: dict[RunId, int] = {}
        self._policies: dict[RunId, OnDisconnect] = {}
        self._timers: dict[RunId, asyncio.TimerHandle] = {}

    def open(self, run: RunId, policy: OnDisconnect) -> None:
        """Begin to watch a live run that has no reader yet."""
        self._policies[run] = policy
        if not self._readers.get(run):
            self._start_timer(run)

    def close(self, run: RunId) -> None:
        """Forget a run that ended."""
        self._policies.pop(run, None)
        self._stop_timer(run)

    def keep(self, run: RunId) -> None:
        """Let the run go on whoever reads it."""
        if run in self._policies:
            self._policies[run] = "keep"
            self._stop_timer(run)

    def enter(self, run: RunId) -> None:
        """Count one more reader."""
        self._readers[run] = self._readers.get(run, 0) + 1
        self._stop_timer(run)

    def leave(self, run: RunId, *, quietly: bool = False) -> None:
        """Count one reader less; `quietly` if it saw the end, or polls and will be back."""
        left = self._readers.get(run, 0) - 1
        if left > 0:
            self._readers[run] = left
            return
        self._readers.pop(run, None)
        policy = self._policies.get(run)
        if policy == "cancel":
            self._start_timer(run)
        elif policy == "keep" and not quietly:
            _logger.info("run %s goes on without a reader; `potok cancel %s` stops it", run, run)

    def readers_of(self, run: RunId) -> int:
        """Return how many readers of this process follow the run."""
        return self._readers.get(run, 0)

    def shut(self) -> None:
        """Stop all timers: the server goes down, and the grace begins anew at its next start."""
        for run in list(self._timers):
            self._stop_timer(run)
        self._policies.clear()

    def _start_timer(self, run: RunId) -> None:
        if self._policies.get(run) == "cancel" and run not in self._timers:
            loop = asyncio.get_running_loop()
            self._timers[run] = loop.call_later(self._grace_seconds, self._expired, run)

    def _stop_timer(self, run: RunId) -> None:
        timer = self._timers.pop(run, None)
        if timer is not None:
            timer.cancel()

    def _expired(self, run: RunId) -> None:
        self._timers.pop(run, None)
        if not self._readers.get(run) and self._policies.get(run) == "cancel":
            self._abandon(run)
