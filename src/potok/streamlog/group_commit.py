"""One group commit for all live runs of a process: at once when idle, in ticks under load.

Owns when to commit. What is in a batch is its source's business: a source keeps its events until
the commit that takes them.
"""

import asyncio
from collections.abc import Sequence
from itertools import islice
from typing import Protocol

from potok.clock import Clock, RunId
from potok.errors import LogUnavailable, PotokError, StaleEpoch
from potok.limits import (
    COMMIT_BATCHES_MAX,
    COMMIT_CLOSING_ROUNDS_MAX,
    COMMIT_FULL_BATCHES,
    COMMIT_LOADED_BATCHES,
    COMMIT_RETRY_SECONDS_MAX,
    COMMIT_RETRY_SECONDS_MIN,
    COMMIT_TICK_SECONDS_MAX,
    COMMIT_TICK_SECONDS_MIN,
)
from potok.streamlog.contract import Appended, Batch, StreamLog
from potok.telemetry import Observer

__all__ = ["BatchSource", "GroupCommit", "decide_commit_delay", "decide_retry_delay"]


class BatchSource(Protocol):
    """The writer of one run, as the commit sees it; both calls come in the loop."""

    def take_batch(self) -> Batch | None:
        """Hand over what is pending when a commit starts; None if that is nothing."""
        ...

    def settled(self, result: Appended | PotokError) -> None:
        """Hear what came of the batch that was taken.

        After `LogUnavailable` nothing of it is stored: keep it, and mark the source to try again.
        """
        ...


def decide_commit_delay(batches: int, commit_seconds: float) -> float:
    """Return how long to gather batches after a commit of so many that took so long.

    None below `COMMIT_LOADED_BATCHES`; from there the tick grows with the batches, and with the
    commit's time, so that a slow disk gets fewer and larger commits.
    """
    if batches < COMMIT_LOADED_BATCHES:
        return 0.0
    load = (batches - COMMIT_LOADED_BATCHES) / (COMMIT_FULL_BATCHES - COMMIT_LOADED_BATCHES)
    span = COMMIT_TICK_SECONDS_MAX - COMMIT_TICK_SECONDS_MIN
    delay = COMMIT_TICK_SECONDS_MIN + span * min(load, 1.0)
    return min(max(delay, commit_seconds), COMMIT_TICK_SECONDS_MAX)


def decide_retry_delay(failures: int) -> float:
    """Return how long to wait after so many failed commits in a row, at least one."""
    # Doubling stops mattering long before the exponent grows large.
    delay = COMMIT_RETRY_SECONDS_MIN * 2.0 ** min(failures - 1, 32)
    return min(delay, COMMIT_RETRY_SECONDS_MAX)


class GroupCommit:
    """Commits what marked sources have; never two commits at a time.

    A source marked while its batch is on the way joins the next commit.
    """

    def __init__(self, log: StreamLog, *, clock: Clock, observer: Observer) -> None:
        self._log = log
        self._clock = clock
        self._observer = observer
        # In the order of marking; sources are told apart by identity.
        self._marked: dict[int, BatchSource] = {}
        self._task: asyncio.Task[None] | None = None
        self._closing = asyncio.Event()
        self._failures = 0

    def mark(self, source: BatchSource) -> None:
        """Note that a source has something to write; marking it twice is marking it once.

        Raises:
            LogUnavailable: the commit was closed; nothing more will be written.
        """
        if self._closing.is_set() and self._task is None:
            raise LogUnavailable("The server is shutting down and stores nothing more.")
        self._marked[id(source)] = source
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._commit_marked())

    async def check_writer(self, run: RunId, *, epoch: int) -> None:
        """Look whether a run still has the writer of this epoch, where nothing is to be stored.

        Raises:
            StaleEpoch: another worker took it over.
            LogUnavailable, LogLost, RunNotFound: as `StreamLog.read_run`.
        """
        current = (await self._log.read_run(run)).epoch
        if current != epoch:
            raise StaleEpoch(run=run, epoch=epoch, current=current)

    async def close(self) -> None:
        """Commit what is marked, then stop; closing twice is harmless.

        A log that fails now is not tried again: the sources hear `LogUnavailable`.
        """
        self._closing.set()
        if self._task is not None:
            # Not cancelled with the caller: a commit under way is told to its sources.
            await asyncio.shield(self._task)

    async def _commit_marked(self) -> None:
        rounds_left = COMMIT_CLOSING_ROUNDS_MAX
        try:
            while self._marked:
                delay = await self._commit()
                if self._closing.is_set():
                    rounds_left = 0 if self._failures else rounds_left - 1
                    if rounds_left <= 0:
                        break
                elif delay:
                    await self._pause(delay)
                # A log in memory never waits, and a source may always have more: others run too.
                await asyncio.sleep(0)
        finally:
            self._task = None
            left, self._marked = list(self._marked.values()), {}
            for source in left:
                self._settle(source, LogUnavailable("The server is shutting down."))

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._closing.wait()
        except TimeoutError:
            return

    async def _commit(self) -> float:
        """Commit one batch of each marked source; return how long to wait before the next."""
        sources, batches = self._take_batches()
        if not batches:
            return 0.0
        started = self._clock.monotonic()
        results: Sequence[Appended | PotokError]
        try:
            results = await self._log.append(batches)
            self._failures = 0
        except PotokError as error:
            results = [error] * len(batches)
            self._failures += 1
            self._observer.counted("log_commit_failures")
        except Exception as error:
            # A bug must not leave every run of the process waiting for an answer.
            self._report("append failed", error)
            results = [LogUnavailable("The event log failed in a way it should not.")] * len(
                batches
            )
            self._failures += 1
            self._observer.counted("log_commit_failures")
        seconds = self._clock.monotonic() - started
        self._observer.counted("log_commits")
        self._observer.counted("log_commit_batches", len(batches))
        self._observer.timed("log_commit_seconds", seconds)
        for source, result in zip(sources, results, strict=True):
            self._settle(source, result)
        if self._failures:
            return decide_retry_delay(self._failures)
        if len(batches) == COMMIT_BATCHES_MAX:
            return 0.0
        return decide_commit_delay(len(batches), seconds)

    def _take_batches(self) -> tuple[list[BatchSource], list[Batch]]:
        sources, batches = [], []
        for key, source in list(islice(self._marked.items(), COMMIT_BATCHES_MAX)):
            del self._marked[key]
            try:
                batch = source.take_batch()
            except Exception as error:
                # One broken writer must not take the others down with it.
                self._report("take_batch failed", error)
                continue
            if batch is not None:
                sources.append(source)
                batches.append(batch)
        return sources, batches

    def _settle(self, source: BatchSource, result: Appended | PotokError) -> None:
        try:
            source.settled(result)
        except LogUnavailable:
            # It marked itself again, and the commit is closed: it heard so itself.
            return
        except Exception as error:
            self._report("settled failed", error)

    def _report(self, what: str, error: Exception) -> None:
        asyncio.get_running_loop().call_exception_handler(
            {"message": f"group commit: {what}", "exception": error}
        )
