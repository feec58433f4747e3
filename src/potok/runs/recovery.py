"""Finds runs whose writer is gone, and goes on with them or ends them honestly.

Liveness is one lease per worker, by the store's clock; `Upkeep` renews it, looks for abandoned
runs, and lets retention work, all at their own pace until it is stopped.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from potok.clock import Clock, RunId, WorkerId
from potok.errors import LogLost, PotokError, RunNotFound, StaleEpoch
from potok.events.envelope import START
from potok.events.kinds import GRAMMAR_VERSION, RunEnd, RunStart, SourceChange
from potok.limits import READ_EVENTS_MAX, RECOVERY_ITEMS_MAX
from potok.protocol.continuation import How
from potok.protocol.production import Production
from potok.protocol.run_lifecycle import Continue, End, decide_recovery
from potok.runs.settings import RunSettings
from potok.streamlog.contract import Attempt, Ending, RunRecord, StreamLog

__all__ = ["CanContinue", "Recovered", "Recovery", "Upkeep"]

_logger = logging.getLogger("potok.runs")

CanContinue = Callable[[RunRecord, Production], Awaitable[How | None]]
Recovered = Callable[[RunRecord, Production, SourceChange | RunEnd], Awaitable[None]]
"""Takes over the record's producer: to go on after a `SourceChange`, or to end with a `RunEnd`."""


class Recovery:
    """Takes abandoned runs over for one worker."""

    def __init__(
        self,
        log: StreamLog,
        *,
        worker: WorkerId,
        clock: Clock,
        settings: RunSettings,
        can_continue: CanContinue,
        recovered: Recovered,
        is_making: Callable[[RunId], bool] = lambda run: False,
    ) -> None:
        self._log = log
        self._worker = worker
        self._clock = clock
        self._settings = settings
        self._can_continue = can_continue
        self._recovered = recovered
        self._is_making = is_making
        # Runs that are this worker's already, and that it could not go on with at once.
        self._taken: dict[RunId, RunRecord] = {}
        # Runs that may be this worker's, as they were before it tried to take them.
        self._unsure: dict[RunId, RunRecord] = {}

    async def look(self) -> int:
        """Take over every abandoned run there is room for; return how many go on or end."""
        abandoned = await self._log.list_abandoned(items_max=RECOVERY_ITEMS_MAX)
        unsure, self._unsure = self._unsure, {}
        for seen in {**unsure, **{record.run: record for record in abandoned}}.values():
            if seen.worker == self._worker and self._is_making(seen.run):
                # Our lease ran out while the log was away, and nobody was there to take the run.
                continue
            try:
                self._taken[seen.run] = await self._log.take_over(
                    seen.run, worker=self._worker, epoch=seen.epoch
                )
            except (StaleEpoch, RunNotFound):
                # Another worker was first, or the run ended meanwhile: it is in good hands.
                continue
            except PotokError as error:
                # Perhaps it is ours, and only the answer was lost: then nobody else would look.
                _logger.warning("run %s could not be taken over yet: %s", seen.run, error.code)
                self._unsure[seen.run] = seen
                continue
        recovered = 0
        for record in list(self._taken.values()):
            try:
                await self._recover_or_end(record)
                recovered += 1
            except StaleEpoch:
                _logger.info("run %s was taken over by another worker", record.run)
            except PotokError as error:
                # The next look, a lease renewal later, tries again.
                _logger.warning("run %s could not be recovered yet: %s", record.run, error.code)
                continue
            del self._taken[record.run]
        return recovered

    async def _recover_or_end(self, record: RunRecord) -> None:
        try:
            await self._recover(record)
        except LogLost as error:
            await self._end_lost(record, error)

    async def _recover(self, record: RunRecord) -> None:
        production = Production()
        await self._replay(record, production)
        how = await self._can_continue(record, production)
        now = await self._log.now()
        decision = await self._decide(record, now=now, can_continue=how is not None)
        if isinstance(decision, End) or how is None:
            assert isinstance(decision, End), "a run goes on only where its source can"
            _logger.info("run %s ends %s: %s", record.run, decision.outcome, decision.code)
            ending = RunEnd(outcome=decision.outcome, code=decision.code, message=decision.message)
            await self._recovered(record, production, ending)
            return
        number = record.attempts_made + 1
        attempt = Attempt(
            number=number, worker=self._worker, at=self._clock.now(), reason="worker_lost"
        )
        await self._log.put_attempt(record.run, epoch=record.epoch, attempt=attempt)
        _logger.info("run %s goes on after offset %s", record.run, record.tail)
        change = SourceChange(reason="worker_lost", attempt=number, how=how, worker=self._worker)
        await self._recovered(record, production, change)

    async def _end_lost(self, record: RunRecord, error: LogLost) -> None:
        _logger.error("run %s: the log lost events of it, ending it", record.run)
        production = Production()
        ending = RunEnd(outcome="failed", code=error.code, message=error.message)
        production.begin(RunStart(run=record.run, version=GRAMMAR_VERSION))
        production.end(ending)
        await self._log.end_lost(
            record.run,
            epoch=record.epoch,
            ending=Ending(status="failed", snapshot=production.snapshot()),
        )

    async def _replay(self, record: RunRecord, production: Production) -> None:
        after = START
        while True:
            page = await self._log.read(record.run, after=after, events_max=READ_EVENTS_MAX)
            production.replay(stored.event for stored in page.events)
            if not page.events:
                return
            after = page.events[-1].offset

    async def _decide(self, record: RunRecord, *, now: float, can_continue: bool) -> Continue | End:
        return decide_recovery(
            cancel_requested=record.cancel_requested,
            silent_seconds=now - record.last_event_at,
            silent_seconds_max=self._settings.recover_age_max_seconds,
            # Those that a worker gave away were no fault of the run.
            attempts=max(record.attempts_lost, 1),
            attempts_max=self._settings.attempts_max,
            can_continue=can_continue,
        )


class Upkeep:
    """The worker's heartbeat: renews its lease, looks for abandoned runs, trims the log."""

    def __init__(
        self,
        log: StreamLog,
        recovery: Recovery,
        *,
        worker: WorkerId,
        clock: Clock,
        settings: RunSettings,
        cancel: Callable[[Sequence[RunId]], None] = lambda runs: None,
    ) -> None:
        """Args: cancel: gets runs of this worker that anybody asked to end, maybe repeatedly."""
        self._log = log
        self._recovery = recovery
        self._cancel = cancel
        self._worker = worker
        self._clock = clock
        self._settings = settings
        self._beating: asyncio.Task[None] | None = None
        self._listening: asyncio.Task[None] | None = None
        self._looking: asyncio.Task[None] | None = None
        self._trimming: asyncio.Task[None] | None = None
        self._trim_at = clock.monotonic()

    async def start(self) -> None:
        """Take the lease and begin."""
        await self._log.renew_lease(self._worker, seconds=self._settings.lease_seconds)
        self._beating = asyncio.create_task(self._beat(), name="upkeep")
        self._listening = asyncio.create_task(self._hear_cancels(), name="cancels")

    async def stop(self) -> None:
        """Stop beating; the lease is the caller's to release, after its runs have stopped."""
        tasks = (self._beating, self._listening, self._looking, self._trimming)
        there = [task for task in tasks if task is not None]
        for task in there:
            task.cancel()
        if there:
            await asyncio.wait(there)

    async def _beat(self) -> None:
        while True:
            try:
                await self._log.renew_lease(self._worker, seconds=self._settings.lease_seconds)
                # Beside the heartbeat: with many or long runs a look takes longer than the lease.
                if self._looking is None or self._looking.done():
                    self._looking = asyncio.create_task(self._look(), name="recovery")
                self._start_trim()
            except PotokError as error:
                _logger.warning("upkeep of the log failed, trying again: %s", error.code)
            except Exception:
                # A worker without upkeep loses its lease: a bug here must not end it.
                _logger.exception("upkeep failed, trying again")
            await asyncio.sleep(self._settings.lease_renew_seconds)

    async def _look(self) -> None:
        try:
            await self._recovery.look()
        except PotokError as error:
            _logger.warning("abandoned runs could not be looked for: %s", error.code)
        except Exception:
            _logger.exception("recovery failed, trying again")

    async def _hear_cancels(self) -> None:
        while True:
            try:
                seconds = self._settings.lease_renew_seconds
                self._cancel(await self._log.wait_cancels(self._worker, seconds=seconds))
            except PotokError as error:
                _logger.warning("cancels could not be asked for, trying again: %s", error.code)
                await asyncio.sleep(self._settings.lease_renew_seconds)

    def _start_trim(self) -> None:
        # In a task of its own: retention must not hold the lease up.
        is_busy = self._trimming is not None and not self._trimming.done()
        if self._clock.monotonic() < self._trim_at or is_busy:
            return
        self._trim_at = self._clock.monotonic() + self._settings.trim_every_seconds
        self._trimming = asyncio.create_task(self._trim(), name="retention")

    async def _trim(self) -> None:
        try:
            now = await self._log.now()
            await self._log.trim(
                events_before=now - self._settings.events_kept_seconds,
                records_before=now - self._settings.records_kept_seconds,
            )
        except PotokError as error:
            _logger.warning("retention failed, trying again later: %s", error.code)
