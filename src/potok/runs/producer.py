"""Runs one agent into the log: the only writer of its run.

A producer is a task of its own, tied to no connection. It pulls from the agent, hands what it got
to `protocol.production`, and lets the group commit take batches. It stops pulling while the log
holds it up, so that memory stays bounded.
"""

import asyncio
import logging
from contextlib import aclosing
from typing import cast

import msgspec

from potok.agents.contract import Agent, Turn
from potok.clock import Clock, RunId
from potok.errors import LogLost, LogUnavailable, OurBug, PotokError, StaleEpoch
from potok.events.kinds import (
    GRAMMAR_VERSION,
    Event,
    ReasoningDelta,
    RunEnd,
    RunStart,
    SourceChange,
    TextDelta,
    Usage,
)
from potok.limits import (
    COMMIT_RETRY_SECONDS_MAX,
    LOG_OUTAGE_SECONDS_MAX,
    PRODUCER_PENDING_BYTES_MAX,
)
from potok.protocol.production import Production
from potok.streamlog.contract import HANDED_OVER, Appended, Attempt, Batch, Ending, RunRecord
from potok.streamlog.group_commit import GroupCommit

__all__ = ["CANCELLED", "DISCONNECTED", "Producer"]

_logger = logging.getLogger("potok.runs")

CANCELLED = RunEnd(outcome="cancelled", code="cancelled", message="The run was cancelled.")
DISCONNECTED = RunEnd(
    outcome="cancelled",
    code="disconnected",
    message="The run was stopped because nobody was reading it.",
)
_FINISHED = RunEnd(outcome="finished", finish_reason="stop")
_INTERNAL = RunEnd(
    outcome="failed",
    code="internal_error",
    message="Potok failed while it made this answer; what came before is kept. Please report it.",
)


class Producer:
    """One live run: its task, its unwritten events, its end.

    `run()` returns when the run's end is stored, when another writer took the run over, or after
    `detach()`, which leaves the run alive in the log for the next worker.
    """

    def __init__(
        self,
        record: RunRecord,
        agent: Agent,
        *,
        turn: Turn,
        production: Production,
        commit: GroupCommit,
        clock: Clock,
    ) -> None:
        self.record = record
        self._agent = agent
        self._turn = msgspec.structs.replace(turn, stored=self._until_stored)
        self._production = production
        self._commit = commit
        self._clock = clock
        self._began_at = clock.monotonic()
        self._first_token_at: float | None = None
        self._pull: asyncio.Task[RunEnd] | None = None
        self._stop: RunEnd | None = None
        self._detached = False
        self._log_failing_since: float | None = None
        self._moved = asyncio.Event()
        self._gone = False
        self._lost: LogLost | None = None

    @property
    def run_id(self) -> RunId:
        """The run's id."""
        return self.record.run

    def cancel(self, ending: RunEnd = CANCELLED) -> None:
        """Make the run end with `ending`, upstream closed first; later calls change nothing."""
        if self._stop is None:
            self._stop = ending
        if self._pull is not None:
            self._pull.cancel()

    def detach(self) -> None:
        """Stop without an end, after what is pending is written: the next worker goes on."""
        self._detached = True
        if self._pull is not None:
            self._pull.cancel()

    async def run(self, *, change: SourceChange | None = None) -> None:
        """Make the answer and store it to its end; `change` says why this is not the first try."""
        self._begin(change)
        ending = await self._make()
        if ending is not None and not self._gone:
            self._production.end(ending)
            self._commit.mark(self)
        await self._until_settled()

    def _begin(self, change: SourceChange | None) -> None:
        request = self.record.request
        if not self._production.has_started:
            self._production.begin(
                RunStart(
                    run=self.record.run,
                    version=GRAMMAR_VERSION,
                    model=_own_name(self._agent.name) if request.agent is None else None,
                    agent=request.agent,
                    chat=request.chat,
                    message=request.message,
                    created=round(self.record.created_at, 3),
                )
            )
        if change is not None:
            self._production.admit([change])
        self._commit.mark(self)

    async def _make(self) -> RunEnd | None:
        if self._stop is None and not self._detached:
            self._pull = asyncio.create_task(self._pull_agent(), name=f"run-{self.run_id}")
            try:
                return await self._pull
            except asyncio.CancelledError:
                if not self._pull.done():
                    # This task itself was cancelled: the agent must not outlive it.
                    self._pull.cancel()
                    await asyncio.wait([self._pull])
                    raise
            except Exception as error:
                if self._stop is None and not self._detached:
                    return self._failed(error)
        return self._stop

    def _failed(self, error: Exception) -> RunEnd:
        if isinstance(error, OurBug) or not isinstance(error, PotokError):
            _logger.error("run %s: its agent failed: %s", self.run_id, type(error).__name__)
            _logger.debug("run %s", self.run_id, exc_info=error)
            return _INTERNAL
        return RunEnd(outcome="failed", code=error.code, message=error.message)

    async def _pull_agent(self) -> RunEnd:
        production = self._production
        async with aclosing(self._agent.run(self._turn)) as batches:
            async for events in batches:
                ending = production.admit(self._completed(events))
                self._commit.mark(self)
                if ending is not None:
                    return ending
                while production.pending_bytes > PRODUCER_PENDING_BYTES_MAX:
                    self._moved.clear()
                    await self._moved.wait()
        return _FINISHED

    def _completed(self, events: list[Event]) -> list[Event]:
        """Give the times that only the producer knows to `usage` events."""
        for place, event in enumerate(events):
            kind = type(event)
            if kind is TextDelta or kind is ReasoningDelta:
                if self._first_token_at is None:
                    self._first_token_at = self._clock.monotonic()
            elif kind is Usage and self._first_token_at is not None:
                events[place] = self._timed(cast(Usage, event), self._first_token_at)
        return events

    def _timed(self, usage: Usage, first_token_at: float) -> Usage:
        seconds = self._clock.monotonic() - first_token_at
        speed = round(usage.completion_tokens / seconds, 1) if seconds > 0.001 else None
        return msgspec.structs.replace(
            usage,
            tokens_per_second=usage.tokens_per_second or speed,
            first_token_seconds=usage.first_token_seconds
            or round(first_token_at - self._began_at, 3),
        )

    def ending_if_lost(self) -> Ending | None:
        """Return how the run ends if the log lost events of it, after `run`; else None."""
        if self._lost is None:
            return None
        self._production.end(
            RunEnd(outcome="failed", code=self._lost.code, message=self._lost.message)
        )
        return Ending(status="failed", snapshot=self._production.snapshot())

    def handover(self) -> Attempt | None:
        """Return what says that this worker gave the run away, after `run`; None if it did not."""
        is_whole = self._production.is_settled and not self._production.is_ended
        worker = self.record.worker
        if not self._detached or self._gone or not is_whole or worker is None:
            return None
        return Attempt(
            number=self.record.attempts_made + 1,
            worker=worker,
            at=self._clock.now(),
            reason=HANDED_OVER,
        )

    def take_batch(self) -> Batch | None:
        """Give the group commit what is to be written next."""
        events = self._production.take()
        if not events or self._gone:
            return None
        last = events[-1]
        ending = None
        if type(last) is RunEnd:
            ending = Ending(status=last.outcome, snapshot=self._production.snapshot())
        return Batch(run=self.record.run, epoch=self.record.epoch, events=events, ending=ending)

    def settled(self, result: Appended | PotokError) -> None:
        """Hear from the group commit whether the batch is stored."""
        if isinstance(result, Appended):
            self._log_failing_since = None
            self._production.written()
            if not self._production.is_settled:
                self._commit.mark(self)
        elif isinstance(result, LogUnavailable):
            self._log_failed(result)
        else:
            self._refused(result)
        self._moved.set()

    def _log_failed(self, error: LogUnavailable) -> None:
        now = self._clock.monotonic()
        if self._log_failing_since is None:
            self._log_failing_since = now
            _logger.warning("run %s: the log cannot be written, trying again", self.run_id)
        elif now - self._log_failing_since > LOG_OUTAGE_SECONDS_MAX and self._stop is None:
            # The upstream is paid for by the second: end the run, and keep trying to store that.
            self.cancel(RunEnd(outcome="failed", code=error.code, message=error.message))
        try:
            # The group commit spaces the tries out.
            self._commit.mark(self)
        except LogUnavailable:
            # It is closed: the server goes down, and the next one goes on from what is stored.
            self._gone = True

    def _refused(self, error: PotokError) -> None:
        self._gone = True
        if isinstance(error, LogLost):
            self._lost = error
            _logger.error("run %s: the log lost events of it, ending it", self.run_id)
        elif isinstance(error, StaleEpoch):
            _logger.warning("run %s: taken over by another writer, stopping", self.run_id)
        else:
            _logger.error("run %s: the log refused its events: %s", self.run_id, error.code)
        if self._pull is not None:
            self._pull.cancel()

    async def _until_stored(self) -> None:
        wanted = self._production.admitted
        is_all_stored = self._production.stored >= wanted
        while not self._gone and self._production.stored < wanted:
            self._moved.clear()
            await self._moved.wait()
        if is_all_stored and not self._gone:
            # No event says so now, and a process that stood still may have lost its run.
            await self._check_ours()
        if self._gone:
            # The run is another writer's, or lost: what the agent knows must not be built upon.
            raise asyncio.CancelledError

    async def _check_ours(self) -> None:
        left = LOG_OUTAGE_SECONDS_MAX
        while True:
            try:
                await self._commit.check_writer(self.run_id, epoch=self.record.epoch)
            except LogUnavailable:
                if left <= 0:
                    raise
                await asyncio.sleep(COMMIT_RETRY_SECONDS_MAX)
                left -= COMMIT_RETRY_SECONDS_MAX
                continue
            except PotokError as error:
                self._refused(error)
            return

    async def _until_settled(self) -> None:
        while not self._gone and not self._production.is_settled:
            self._moved.clear()
            await self._moved.wait()


def _own_name(full_name: str) -> str:
    """Return the provider's own name for a model: what follows the first slash."""
    return full_name.partition("/")[2] or full_name
