"""The runs that this worker makes: a producer and a task for each, from start to end."""

import asyncio
import logging
from collections.abc import Callable, Iterable
from contextlib import suppress

from potok.clock import RunId
from potok.errors import LogUnavailable, PotokError
from potok.events.kinds import RunEnd, SourceChange
from potok.limits import (
    COMMIT_RETRY_SECONDS_MAX,
    COMMIT_RETRY_SECONDS_MIN,
    LOG_OUTAGE_SECONDS_MAX,
    RUN_END_TRIES_MAX,
)
from potok.runs.producer import CANCELLED, Producer
from potok.streamlog.contract import Attempt, RunRecord, StreamLog

__all__ = ["LiveRuns"]

_logger = logging.getLogger("potok.runs")


class LiveRuns:
    """Live producers. `ended(record)` is called when one is done with its run."""

    def __init__(self, log: StreamLog, *, ended: Callable[[RunRecord], None]) -> None:
        self._log = log
        self._told = ended
        self._runs: dict[RunId, tuple[Producer, asyncio.Task[None]]] = {}

    def __len__(self) -> int:
        return len(self._runs)

    def __contains__(self, run: RunId) -> bool:
        return run in self._runs

    async def put_first(self, record: RunRecord, attempt: Attempt) -> None:
        """Store a new run's attempt, as patiently as its producer will store its events."""
        left, delay = LOG_OUTAGE_SECONDS_MAX, COMMIT_RETRY_SECONDS_MIN
        while True:
            try:
                await self._log.put_attempt(record.run, epoch=record.epoch, attempt=attempt)
            except LogUnavailable:
                if left <= 0:
                    raise
                await asyncio.sleep(delay)
                left, delay = left - delay, min(2 * delay, COMMIT_RETRY_SECONDS_MAX)
            else:
                return

    def start(self, producer: Producer, *, change: SourceChange | None) -> None:
        """Let a producer work; it ends by itself."""
        record = producer.record
        before = self._runs.get(record.run)
        if before is not None:
            # Lost to another worker, without having noticed, and won back from that one.
            before[0].detach()
        task = asyncio.create_task(self._produce(producer, change), name=f"producer-{record.run}")
        self._runs[record.run] = (producer, task)
        task.add_done_callback(lambda done: self._ended(record, done))

    async def _produce(self, producer: Producer, change: SourceChange | None) -> None:
        await producer.run(change=change)
        record, handover = producer.record, producer.handover()
        if handover is not None:
            # Without it the run counts as lost once more, and goes on all the same.
            with suppress(PotokError):
                await self._log.put_attempt(record.run, epoch=record.epoch, attempt=handover)
        ending = producer.ending_if_lost()
        if ending is None:
            return
        for _ in range(RUN_END_TRIES_MAX):
            try:
                await self._log.end_lost(record.run, epoch=record.epoch, ending=ending)
            except LogUnavailable:
                await asyncio.sleep(COMMIT_RETRY_SECONDS_MAX)
                continue
            except PotokError as error:
                _logger.error("run %s cannot be ended as lost: %s", record.run, error.code)
            return

    def _ended(self, record: RunRecord, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and task.exception() is not None:
            _logger.error("run %s: its producer failed", record.run, exc_info=task.exception())
        now = self._runs.get(record.run)
        if now is not None and now[1] is task:
            del self._runs[record.run]
            self._told(record)

    def cancel(self, run: RunId, ending: RunEnd = CANCELLED) -> asyncio.Task[None] | None:
        """Make a run end, upstream closed first; None if it is not made here."""
        live = self._runs.get(run)
        if live is None:
            return None
        live[0].cancel(ending)
        return live[1]

    def cancel_all(self, runs: Iterable[RunId]) -> None:
        """Make runs end that somebody asked to end, here or on another worker."""
        for run in runs:
            self.cancel(run)

    async def detach_all(self, *, seconds: float) -> None:
        """Stop all producers without ending their runs, those that take longer in mid-work."""
        tasks = []
        for producer, task in list(self._runs.values()):
            producer.detach()
            tasks.append(task)
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=seconds)
            for task in late:
                task.cancel()
