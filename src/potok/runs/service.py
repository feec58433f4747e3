"""What the edge may ask of floor 5: start, find, follow, cancel. Knows principals, no sockets."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

import msgspec

from potok.agents.contract import Agent, Turn
from potok.agents.model_agent import ModelAgent
from potok.clock import Clock, IdSource, RunId
from potok.errors import PotokError, RunNotFound, ServerDraining, StaleEpoch, UpstreamBusy
from potok.events.envelope import START, Offset, StoredEvent
from potok.events.fold import Message
from potok.events.kinds import RunEnd, SourceChange
from potok.events.run_request import RunRequest, hash_of
from potok.limits import CANCEL_WAIT_SECONDS, SHUTDOWN_RUNS_SECONDS
from potok.protocol.continuation import How
from potok.protocol.production import Production
from potok.runs.agent_source import AgentSource, model_of
from potok.runs.audience import Audience
from potok.runs.delivery import Delivery
from potok.runs.live_runs import LiveRuns
from potok.runs.lonely_runs import LonelyRuns
from potok.runs.no_agent import NoAgent
from potok.runs.producer import Producer
from potok.runs.recovery import Recovery, Upkeep
from potok.runs.settings import RunSettings
from potok.runs.snapshots import Snapshots, shown
from potok.runs.turns import turn_of
from potok.streamlog.contract import Attempt, NewRun, Page, RunRecord, RunStatus, StreamLog
from potok.streamlog.group_commit import GroupCommit
from potok.telemetry import Observer

__all__ = ["AgentSource", "RunService", "model_of"]

_logger = logging.getLogger("potok.runs")


class RunService:
    """All runs of one worker, and the readers of any run in the log."""

    def __init__(
        self,
        log: StreamLog,
        agents: AgentSource,
        *,
        clock: Clock,
        ids: IdSource,
        observer: Observer,
        settings: RunSettings,
    ) -> None:
        self._log = log
        self._agents = agents
        self._clock = clock
        self._ids = ids
        self._settings = settings
        self._worker = ids.worker_id()
        self._commit = GroupCommit(log, clock=clock, observer=observer)
        self._delivery = Delivery(log, clock=clock, heartbeat_seconds=settings.heartbeat_seconds)
        self._live = LiveRuns(log, ended=self._ended)
        lonely = LonelyRuns(log, self._live)
        self._audience = lonely.audience = Audience(
            grace_seconds=settings.disconnect_grace_seconds, abandon=lonely.abandon
        )
        self._snapshots = Snapshots(log)
        self._beginning: set[asyncio.Task[tuple[RunRecord, bool]]] = set()
        self._listeners: list[Callable[[RunRecord], None]] = []
        self._draining = False
        recovery = Recovery(
            log,
            worker=self._worker,
            clock=clock,
            settings=settings,
            can_continue=self._can_continue,
            recovered=self._recovered,
            is_making=self._live.__contains__,
        )
        self._upkeep = Upkeep(
            log,
            recovery,
            worker=self._worker,
            clock=clock,
            settings=settings,
            cancel=self._live.cancel_all,
        )

    @property
    def live_runs(self) -> int:
        """How many runs this worker is making."""
        return len(self._live)

    @property
    def heartbeat_seconds(self) -> float:
        """After how much silence a reader is shown that its line lives."""
        return self._settings.heartbeat_seconds

    def on_end(self, listener: Callable[[RunRecord], None]) -> None:
        """Call `listener` with a run's first record when its producer is done; it must not wait.

        The run has ended, or was left to another worker: its record in the log says which.
        """
        self._listeners.append(listener)

    async def open(self) -> None:
        """Take the worker's lease and begin to look after abandoned runs; the log is open."""
        await self._upkeep.start()

    def drain(self) -> None:
        """Take no new runs and send every reader away; safe in a signal handler of the loop."""
        self._draining = True
        self._delivery.drain()

    async def close(self) -> None:
        """Stop producers without ending their runs, write what they hold, give the lease up.

        Takes at most `limits.SHUTDOWN_RUNS_SECONDS` for the runs; the log stays open.
        """
        self.drain()
        self._audience.shut()
        await self._upkeep.stop()
        await self._live.detach_all(seconds=SHUTDOWN_RUNS_SECONDS)
        await self._commit.close()
        try:
            await self._log.release_lease(self._worker)
        except PotokError as error:
            _logger.warning("the lease could not be released, it runs out: %s", error.code)

    async def check_start(self, request: RunRequest, *, principal: str = "") -> Agent:
        """Return who would answer a request; raises what `start` raises before it stores a run."""
        if self._draining:
            raise ServerDraining
        agent = await self._agents.resolve(request)
        if len(self._live) >= self._settings.live_runs_max:
            raise UpstreamBusy(
                f"{self._settings.live_runs_max} runs are alive, which is this server's limit."
                " Try again in a few seconds."
            )
        if isinstance(agent, ModelAgent):
            agent.check_room(principal)
        return agent

    async def start(
        self,
        request: RunRequest,
        *,
        principal: str,
        idempotency_key: str | None = None,
        run: RunId | None = None,
    ) -> tuple[RunRecord, bool]:
        """Start a run, or find the one that the key started; return it and whether it is new.

        Args:
            run: A new id, where the caller had to write it down before the run began.

        Raises:
            ModelUnknown, RequestInvalid, PeerError: nothing can answer the request.
            IdempotencyConflict: the key started another request.
            UpstreamBusy: too many live runs, or too many that wait for the same provider.
            ServerDraining: the server goes down.
        """
        wanted = hash_of(request)
        if idempotency_key is not None:
            # In front of every limit: a retry takes no place, its run has one.
            found = await self.find_started(request, principal, idempotency_key)
            if found is not None:
                return found, False
        agent = await self.check_start(request, principal=principal)
        if request.agent is None:
            request = msgspec.structs.replace(request, model=agent.name)
        if idempotency_key is not None:
            request = msgspec.structs.replace(request, on_disconnect="keep")
        new = NewRun(
            run=run or self._ids.run_id(),
            principal=principal,
            request=request,
            request_hash=wanted,
            worker=self._worker,
            idempotency_key=idempotency_key,
        )
        # A caller that goes away now must not leave a stored run without its producer.
        beginning = asyncio.create_task(self._begin(new, agent), name=f"start-{new.run}")
        self._beginning.add(beginning)
        beginning.add_done_callback(self._begun)
        return await asyncio.shield(beginning)

    async def find_started(self, request: RunRequest, principal: str, key: str) -> RunRecord | None:
        """Return the run that a key started; raises `IdempotencyConflict` for another request."""
        return await self._log.find_started(principal, key, request_hash=hash_of(request))

    def _begun(self, beginning: asyncio.Task[tuple[RunRecord, bool]]) -> None:
        self._beginning.discard(beginning)
        if not beginning.cancelled():
            # Its failure is told to the caller, if that one is still there.
            beginning.exception()

    async def _begin(self, new: NewRun, agent: Agent) -> tuple[RunRecord, bool]:
        record, created = await self._log.create_run(new)
        if not created:
            return record, False
        attempt = Attempt(
            number=1,
            worker=self._worker,
            at=self._clock.now(),
            reason="start",
            model=record.request.model,
        )
        turn = turn_of(record)
        try:
            await self._live.put_first(record, attempt)
        except StaleEpoch:
            # Our lease ran out meanwhile, and another worker has the run.
            return await self._log.read_run(record.run), True
        except PotokError as error:
            # The run is stored: whoever finds it by its key must see an end.
            ending = RunEnd(outcome="failed", code=error.code, message=error.message)
            self._spawn(record, agent, turn, Production(), ending)
            raise
        self._spawn(record, agent, turn, Production(), None)
        return record, True

    def _spawn(
        self,
        record: RunRecord,
        agent: Agent,
        turn: Turn,
        production: Production,
        step: SourceChange | RunEnd | None,
    ) -> None:
        producer = Producer(
            record,
            agent,
            turn=turn,
            production=production,
            commit=self._commit,
            clock=self._clock,
        )
        if isinstance(step, RunEnd):
            producer.cancel(step)
        change = step if isinstance(step, SourceChange) else None
        self._audience.open(record.run, record.request.on_disconnect)
        self._live.start(producer, change=change)
        if self._draining:
            # The server began to go down while this run was being stored.
            producer.detach()

    def _ended(self, record: RunRecord) -> None:
        self._audience.close(record.run)
        self._snapshots.forget(record.run)
        for listener in self._listeners:
            listener(record)

    async def _can_continue(self, record: RunRecord, production: Production) -> How | None:
        try:
            agent = await self._agents.resolve(record.request)
        except PotokError:
            return None
        return await agent.can_continue(turn_of(record, production))

    async def _recovered(
        self, record: RunRecord, production: Production, step: SourceChange | RunEnd
    ) -> None:
        turn = turn_of(record, production)
        if isinstance(step, RunEnd):
            self._spawn(record, NoAgent(), turn, production, step)
            return
        agent = await self._agents.resolve(record.request)
        self._spawn(record, agent, turn, production, step)

    async def find(self, run: str, *, principal: str) -> RunRecord:
        """Return the principal's run; raises `RunNotFound` for a foreign one as for none."""
        record = await self._log.read_run(run)
        if record.principal != principal:
            raise RunNotFound(run)
        return record

    async def snapshot(self, run: str, *, principal: str) -> tuple[RunRecord, Message]:
        """Return a run with its message: live so far, or whole at its end; see `shown`."""
        record = await self.find(run, principal=principal)
        if record.snapshot is not None:
            return record, msgspec.json.decode(record.snapshot, type=Message)
        message, offset = await self._snapshots.of(record.run)
        if message.outcome is not None:
            return await self.snapshot(run, principal=principal)
        return shown(record, message, offset), message

    async def list_runs(
        self, *, principal: str, cursor: str | None, status: RunStatus | None, items_max: int
    ) -> tuple[list[RunRecord], str | None]:
        """Return a page of the principal's runs, newest first, and the next page's cursor."""
        before = RunId(cursor) if cursor else None
        records = await self._log.list_runs(
            principal=principal, before=before, status=status, items_max=items_max
        )
        return records, records[-1].run if records and len(records) == items_max else None

    async def cancel(
        self, run: str, *, principal: str, wait_seconds: float = CANCEL_WAIT_SECONDS
    ) -> RunRecord:
        """Make a run end; repeatable, and harmless after its end.

        Returns:
            The record once the end is stored, or the still live one after `wait_seconds`: the
            wish is stored too, and holds across a crash.
        """
        record = await self.find(run, principal=principal)
        if not record.is_live:
            return record
        record = await self._log.request_cancel(record.run)
        task = self._live.cancel(record.run)
        if task is not None:
            await asyncio.wait([task], timeout=wait_seconds)
            return await self._log.read_run(run)
        # Another worker makes it: its end shows in the log.
        until = self._clock.monotonic() + wait_seconds
        while record.is_live and (left := until - self._clock.monotonic()) > 0:
            grew = await self._log.wait_beyond(record.run, record.tail, seconds=left)
            record = await self._log.read_run(run)
            if not grew:
                break
        return record

    async def forget(self, run: str, *, principal: str) -> bool:
        """End a run and remove all of it; False if it is still ending. Else as `find`."""
        record = await self.cancel(run, principal=principal)
        return await self._log.forget_run(record.run)

    async def follow(
        self, record: RunRecord, *, after: Offset, returning: bool = False
    ) -> AsyncGenerator[list[StoredEvent] | None, None]:
        """Read a run to its end, as one of its readers; see `Delivery.follow`.

        Args:
            returning: The reader has been here before, so the run is kept from now on.
        """
        # A reader stays for long, and an ended run's snapshot is its whole answer once more.
        record = msgspec.structs.replace(record, snapshot=None)
        await self._keep(record, returning=returning)
        self._audience.enter(record.run)
        saw_end = False
        try:
            async with aclosing(self._delivery.follow(record, after=after)) as pages:
                async for page in pages:
                    if page:
                        saw_end = isinstance(page[-1].event, RunEnd)
                    yield page
        finally:
            self._audience.leave(record.run, quietly=saw_end)

    async def _keep(self, record: RunRecord, *, returning: bool) -> None:
        # The worker that makes the run cannot see readers who came back to another one.
        is_elsewhere = record.is_live and record.run not in self._live
        if record.request.on_disconnect == "cancel" and (returning or is_elsewhere):
            self._audience.keep(record.run)
            await self._log.keep_run(record.run)

    async def read_page(
        self, record: RunRecord, *, after: Offset, events_max: int, wait_seconds: float
    ) -> Page:
        """Return the page after `after`, waiting for its first event (long-poll)."""
        page = await self._log.read(record.run, after=after, events_max=events_max)
        if page.events or page.ended or wait_seconds <= 0:
            return page
        self._audience.enter(record.run)
        try:
            await self._delivery.wait_beyond(record.run, after, seconds=wait_seconds)
        except ServerDraining:
            # An empty page says "nothing yet": the client asks again, the next server answers.
            return page
        finally:
            self._audience.leave(record.run, quietly=True)
        return await self._log.read(record.run, after=after, events_max=events_max)

    async def settle(self, record: RunRecord) -> Message:
        """Wait for a run's end as one of its readers, and return the whole message.

        Raises:
            ServerDraining, LogLost: see `follow`.
        """
        if record.is_live:
            async with aclosing(self.follow(record, after=START)) as pages:
                async for _ in pages:
                    continue
        _, message = await self.snapshot(record.run, principal=record.principal)
        return message
