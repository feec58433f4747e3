"""A small world: several workers over one store, readers, cancels, faults, and what must hold.

Everything happens in one loop with a fake clock, so that a world is had again from its seed. What
a worker does is done by the product's own `RunService`; the world only pulls the strings.
"""

import asyncio
import contextvars
from collections.abc import AsyncGenerator, Coroutine
from contextlib import aclosing
from typing import Any, TypeVar

from msgspec.structs import replace

from potok.agents.model_agent import Continuing
from potok.agents.registry import AgentRegistry
from potok.clock import RunId
from potok.errors import IdempotencyConflict, PotokError, RunNotFound, StaleEpoch
from potok.events.envelope import Offset, StoredEvent
from potok.events.fold import Message
from potok.events.kinds import Status
from potok.events.run_request import OnDisconnect
from potok.limits import LIST_ITEMS_MAX
from potok.runs.service import RunService
from potok.runs.settings import RunSettings
from potok.streamlog.contract import Appended, Batch, RunRecord
from potok.telemetry import SilentObserver
from potok.testing.chance import Chance
from potok.testing.fakes import CountingIds, FakeClock
from potok.testing.faults import (
    CALM,
    FaultRates,
    FaultyLog,
    JumpingClock,
    LinkDropped,
    dropped_link,
    slow_reader,
)
from tests.simulation.backends import Backend
from tests.simulation.ledger import Ledger
from tests.simulation.readers import Reader
from tests.simulation.simulated_time import OWNER, SimulatedLoop
from tests.simulation.stories import CALLER, Call, Continues, Models, Story, Upstream

__all__ = ["ME", "World"]

T = TypeVar("T")

ME = "me"
SETTINGS = RunSettings(
    events_kept_seconds=120.0, trim_every_seconds=5.0, disconnect_grace_seconds=3.0
)
TAKE_OVER_SECONDS = SETTINGS.lease_seconds + 2.0
# The longest story, with all its faults and every wait between its calls.
QUIET_STEPS_MAX = 80
QUIET_STEP_SECONDS = 5.0


class Worker:
    """One process that serves: its line to the store, its service, and all of its tasks."""

    def __init__(self, world: "World", number: int) -> None:
        chance = world.chance.fork(f"worker {number}")
        self.tasks: set[asyncio.Task[Any]] = set()
        self.clock = JumpingClock(world.clock)
        self.link = FaultyLog(
            world.backend.store, chance=chance, rates=world.rates, name=f"worker-{number}"
        )
        self.link.on_stored = world.stored
        self.is_dead = False
        continuing = Continuing(clock=self.clock, fraction=chance.fraction)
        self.service = RunService(
            self.link,
            AgentRegistry(Models(world.upstream), continuing=continuing),
            clock=self.clock,
            ids=world.ids,
            observer=SilentObserver(),
            settings=SETTINGS,
        )
        self.name = str(self.service._worker)
        self.context = contextvars.copy_context()
        self.context.run(OWNER.set, self.tasks)
        self.context.run(CALLER.set, self)

    @property
    def is_well(self) -> bool:
        """Whether it lives and reaches the store."""
        return not self.is_dead and self.link.is_well

    async def until_running(self) -> None:
        await self.link.until_running()

    def spawn(self, work: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
        """Do something as this worker, so that it dies with it."""
        return asyncio.get_running_loop().create_task(work, context=self.context.copy())

    async def die(self) -> None:
        """Drop everything, as `kill -9` does."""
        self.is_dead = True
        self.link.kill()
        self.service._audience.shut()
        for _ in range(50):
            left = list(self.tasks)
            if not left:
                return
            for task in left:
                task.add_done_callback(_died)
                task.cancel()
            await asyncio.sleep(0)
        raise AssertionError(f"{self.name} cannot be killed: {left}")


def _died(task: "asyncio.Task[Any]") -> None:
    # Nobody is left to hear what it failed with.
    if not task.cancelled():
        task.exception()


class World:
    """Everything there is. Its methods are what may happen; `check` is what must hold."""

    def __init__(self, backend: Backend, *, seed: int, rates: FaultRates = CALM) -> None:
        self.chance = Chance(seed)
        self.rates = rates
        self.clock = FakeClock()
        self.loop = SimulatedLoop(self.clock)
        self.backend = backend
        self.store_clock = JumpingClock(self.clock)
        self.ids = CountingIds()
        self.upstream = Upstream()
        self.workers: list[Worker] = []
        self.readers: list[Reader] = []
        self.ledgers: dict[RunId, Ledger] = {}
        self.cancelled: set[RunId] = set()
        self.stopped: list[tuple[Call, int]] = []
        self.keys: dict[str, RunId] = {}
        # What the store's clock went back, which leases wait for; and whether it leapt ahead.
        self.went_back = 0.0
        self.went_ahead = 0.0
        self._epochs: dict[RunId, tuple[int, int]] = {}
        self._workers_made = 0
        self._reading: set[asyncio.Task[None]] = set()
        self.loop.run(backend.open(self.store_clock))

    # workers

    async def open_worker(self) -> Worker:
        """Start one more worker."""
        self._workers_made += 1
        worker = Worker(self, self._workers_made)
        for _ in range(50):
            try:
                await worker.spawn(worker.service.open())
                break
            except PotokError:
                await asyncio.sleep(0.1)
        self.workers.append(worker)
        return worker

    async def worker(self, number: int) -> Worker:
        """Return one of the living workers, a new one if there is none."""
        return (
            self.workers[number % len(self.workers)] if self.workers else await self.open_worker()
        )

    async def kill(self, worker: Worker) -> None:
        """End a worker without a word."""
        self.workers.remove(worker)
        await worker.die()

    async def shut(self, worker: Worker) -> None:
        """End a worker politely: its runs are left to others."""
        self.workers.remove(worker)
        closing = worker.spawn(worker.service.close())
        await asyncio.wait([closing], timeout=30)
        await worker.die()

    async def crash(self) -> None:
        """End all workers, and what the store had not made sure."""
        for worker in list(self.workers):
            await self.kill(worker)
        await self.backend.crash(self.chance)
        self._epochs.clear()

    def stored(self, batch: Batch, appended: Appended) -> None:
        """Hear of a batch that the store took: epochs never go back, offsets have no gap."""
        epoch, tail = self._epochs.get(batch.run, (0, appended.tail - len(batch.events)))
        assert batch.epoch >= epoch, f"{batch.run}: a zombie of epoch {batch.epoch} wrote"
        # The last write of a writer that was killed may have been stored without its knowing.
        is_next = appended.tail == tail + len(batch.events) or batch.epoch > epoch
        assert is_next, f"{batch.run}: a gap after {tail}"
        self._epochs[batch.run] = (batch.epoch, appended.tail)

    # runs

    async def start(
        self,
        worker: Worker,
        story: Story,
        model: Continues,
        *,
        key: str | None = None,
        on_disconnect: OnDisconnect = "keep",
    ) -> RunId | None:
        """Start a run, or find the one of its key; None if that failed."""
        request = story.request(model, on_disconnect=on_disconnect)
        starting = worker.spawn(worker.service.start(request, principal=ME, idempotency_key=key))
        record = await self._answer(starting)
        if record is None:
            return None
        run = record[0].run
        if key is not None:
            assert self.keys.setdefault(key, run) == run, f"{key!r} started two runs"
        return run

    async def start_unheard(
        self, worker: Worker, story: Story, model: Continues, *, key: str, steps: int
    ) -> None:
        """Start a run and go away before the answer."""
        starting = worker.spawn(
            worker.service.start(story.request(model), principal=ME, idempotency_key=key)
        )
        for _ in range(steps):
            await asyncio.sleep(0)
        starting.cancel()
        await self._answer(starting)

    async def start_otherwise(self, worker: Worker, story: Story, *, key: str) -> None:
        """Use a key for another request: a conflict, if the key's run is known."""
        request = story.request("replay")
        starting = worker.spawn(worker.service.start(request, principal=ME, idempotency_key=key))
        known = self.keys.get(key)
        record = await self._answer(starting)
        assert known is None or record is None, f"{key!r} started another request"

    async def cancel(self, worker: Worker, run: RunId) -> None:
        """Stop a run; what made it takes no more from its upstream."""
        self.cancelled.add(run)
        record = await self._answer(worker.spawn(worker.service.cancel(run, principal=ME)))
        if record is None:
            return
        if record.is_live:
            owners = [one for one in self.workers if one.name == record.worker and one.is_well]
            assert self.rates != CALM or not owners, f"{run} goes on though it was cancelled"
            return
        for _ in range(20):
            await asyncio.sleep(0)
        for call in self._calls_of(record):
            if call.caller == record.worker:
                assert not call.is_live, f"{run}: its upstream is still open after the cancel"
                self.stopped.append((call, call.taken))

    def _calls_of(self, record: RunRecord) -> list[Call]:
        return self.upstream.of(Story.of(record.request.messages).number)

    async def forget(self, worker: Worker, run: RunId) -> None:
        """Remove a run; it is cancelled if it lives."""
        self.cancelled.add(run)
        await self._answer(worker.spawn(worker.service.forget(run, principal=ME)))

    async def write_as_zombie(self, run: RunId) -> None:
        """Write under an epoch that is over: the store takes nothing."""
        try:
            record = await self.backend.store.read_run(run)
        except RunNotFound:
            return
        epoch = record.epoch - 1 if record.is_live else record.epoch
        batch = Batch(run, epoch, (Status(text="I am still here", code="zombie"),))
        [answer] = await self.backend.store.append([batch])
        assert isinstance(answer, StaleEpoch), f"{run}: a zombie could write: {answer}"

    async def _answer(self, task: "asyncio.Task[T]") -> T | None:
        await asyncio.wait([task], timeout=60)
        if not task.done():
            task.cancel()
            await asyncio.wait([task])
        if task.cancelled():
            return None
        error = task.exception()
        if error is not None and not isinstance(error, PotokError):
            raise error
        if error is not None and not error.retryable:
            assert isinstance(error, RunNotFound | IdempotencyConflict), error
        return None if error is not None else task.result()

    # readers

    def read(self, run: RunId, *, slow: float = 0.0, drops: float = 0.0) -> None:
        """Let one more reader follow a run to its end."""
        name = f"reader {len(self.readers) + 1}"
        chance = self.chance.fork(name)
        doors = _Doors(self, chance, slow=slow, drops=drops)
        reader = Reader(run, doors, chance=chance, name=name)
        reader.is_undisturbed = slow == drops == 0.0
        self.readers.append(reader)
        task = self.loop.create_task(reader.read(), name=name)
        self._reading.add(task)

    def jump(self, seconds: float) -> None:
        """Set the store's clock wrong; leases last longer by what it went back."""
        self.store_clock.jump(seconds)
        self.went_back += max(-seconds, 0.0)
        self.went_ahead += max(seconds, 0.0)

    # what must hold

    async def check(self) -> None:
        """Compare the store with all that was seen of it, and the readers with the store."""
        records = await self._records()
        known = set()
        for record in records:
            known.add(record.run)
            ledger = self.ledgers.setdefault(record.run, Ledger(record))
            await ledger.catch_up(self.backend.store, record)
        for run, ledger in self.ledgers.items():
            ledger.is_forgotten = run not in known
            assert run in known or run in self.cancelled, f"{run} vanished"
        self._check_keys(records)
        for reader in self.readers:
            self._check_reader(reader)
        for call, taken in self.stopped:
            assert call.taken == taken, "a cancelled run took more from its upstream"
        for task in [task for task in self._reading if task.done()]:
            self._reading.discard(task)
            task.result()
        assert not self.loop.errors, self.loop.errors

    async def _records(self) -> list[RunRecord]:
        found: list[RunRecord] = []
        while True:
            page = await self.backend.store.list_runs(
                principal=ME, before=found[-1].run if found else None, items_max=LIST_ITEMS_MAX
            )
            found += page
            if len(page) < LIST_ITEMS_MAX:
                return found

    def _check_keys(self, records: list[RunRecord]) -> None:
        runs: dict[str, RunId] = {}
        for record in records:
            key = record.idempotency_key
            if key is not None:
                assert runs.setdefault(key, record.run) == record.run, f"two runs of {key!r}"
        for key, run in list(self.keys.items()):
            if run in self.ledgers and self.ledgers[run].is_forgotten:
                # A forgotten run's key is as new.
                del self.keys[key]

    def _check_reader(self, reader: Reader) -> None:
        ledger = self.ledgers.get(reader.run)
        assert ledger is not None
        if ledger.is_forgotten:
            return
        seen = reader.events
        if not ledger.is_trimmed and reader.skipped_to is None:
            assert seen == ledger.events[: len(seen)], f"{reader.name} saw something else"
        may_skip = ledger.record.first > 1
        assert may_skip or reader.skipped_to is None, f"{reader.name} was told of a gap"
        for place, stored in enumerate(seen[1:]):
            expected = seen[place].offset + 1
            is_after_skip = reader.skipped_to is not None and stored.offset > reader.skipped_to
            assert stored.offset == expected or is_after_skip, f"{reader.name}: a gap or a double"

    async def check_take_over(self) -> None:
        """Let a lease and two seconds go by without faults.

        No live run may be without a writer then, and no reader without what was there before.
        """
        well = [worker for worker in self.workers if worker.is_well]
        if not well:
            return
        rates = self.rates
        due = self._due() if rates == CALM and len(well) == len(self.workers) else {}
        self._set_rates(CALM)
        await asyncio.sleep(TAKE_OVER_SECONDS + self.went_back)
        names = {worker.name for worker in well}
        for record in await self._records():
            assert not record.is_live or record.worker in names, (
                f"{record.run} has had no writer for {TAKE_OVER_SECONDS} s: {record.worker}"
            )
        for reader, events in due.items():
            has_all = len(reader.events) >= events or reader.over is not None
            assert has_all, f"{reader.name} was not woken: {len(reader.events)} of {events}"
        self._set_rates(rates)

    def _due(self) -> dict[Reader, int]:
        """Return how many events each undisturbed reader must have soon."""
        return {
            reader: len(self.ledgers[reader.run].events)
            for reader in self.readers
            if reader.is_open and reader.is_undisturbed and not self.ledgers[reader.run].is_trimmed
        }

    def _set_rates(self, rates: FaultRates) -> None:
        self.rates = rates
        for worker in self.workers:
            worker.link.rates = rates

    async def come_to_rest(self) -> None:
        """Heal everything, and wait until every run has ended and every reader has it all."""
        for worker in self.workers:
            worker.link.mend()
            worker.link.resume()
        self._set_rates(CALM)
        await self.worker(0)
        await asyncio.sleep(self.went_back)
        for _ in range(QUIET_STEPS_MAX):
            await asyncio.sleep(QUIET_STEP_SECONDS)
            is_quiet = not any(record.is_live for record in await self._records())
            if is_quiet and all(task.done() for task in self._reading):
                break
        await self.check()
        for ledger in self.ledgers.values():
            if not ledger.is_forgotten:
                await self._check_outcome(ledger)
        for reader in self.readers:
            self._check_all_read(reader)
        assert not any(call.is_live for call in self.upstream.calls), "an upstream is still open"

    async def _check_outcome(self, ledger: Ledger) -> None:
        record = ledger.record
        assert not record.is_live, f"{record.run} is {record.status} for ever"
        await ledger.check_snapshot(self.backend.store)
        await ledger.check_whole(self.backend.store)
        if record.status == "cancelled":
            # A reader may come back, and make it stay, in the moment in which it is given up.
            is_asked = record.run in self.cancelled or ledger.was_leaving
            assert is_asked, f"{record.run}: who cancelled it?"
        if record.status == "failed" and not ledger.is_trimmed:
            self._check_excuse(ledger)

    def _check_excuse(self, ledger: Ledger) -> None:
        """Check that a run which failed had a reason that no other model could help."""
        record, ending = ledger.record, ledger.ending
        assert ending is not None
        calls = len(self._calls_of(record))
        cannot = ledger.story.is_lost_with((record.request.model or "").partition("/")[2])
        is_spent = len(record.attempts) >= SETTINGS.attempts_max or calls >= 5
        is_old = self.went_ahead > SETTINGS.recover_age_max_seconds
        is_log = ending.code == "log_unavailable"
        assert cannot or is_spent or is_old or is_log, f"{record.run} failed: {ending}"

    def _check_all_read(self, reader: Reader) -> None:
        ledger = self.ledgers[reader.run]
        if ledger.is_forgotten:
            return
        assert reader.over is not None, f"{reader.name} hangs after {len(reader.events)} events"
        if ledger.is_trimmed:
            return
        if reader.skipped_to is None:
            assert reader.events == ledger.events, f"{reader.name} did not get all"

    def end(self) -> None:
        """Release everything."""
        self.loop.run(self._end())
        self.loop.shut()

    async def _end(self) -> None:
        for task in self._reading:
            task.cancel()
        for worker in list(self.workers):
            await self.kill(worker)
        await self.backend.close()


class _Doors:
    """What a reader reaches: any worker that lives."""

    def __init__(self, world: World, chance: Chance, *, slow: float, drops: float) -> None:
        self._world = world
        self._chance = chance
        self._slow = slow
        self._drops = drops

    def _door(self) -> Worker:
        if not self._world.workers:
            raise LinkDropped
        return self._chance.choose(self._world.workers)

    async def follow(
        self, run: RunId, *, after: Offset, returning: bool
    ) -> AsyncGenerator[list[StoredEvent] | None, None]:
        worker = self._door()
        line = asyncio.current_task()
        assert line is not None
        worker.tasks.add(line)
        try:
            record = await worker.service.find(run, principal=ME)
            pages = worker.service.follow(record, after=after, returning=returning)
            pages = slow_reader(pages, chance=self._chance, rate=self._slow, seconds=20.0)
            pages = dropped_link(pages, chance=self._chance, rate=self._drops)
            async with aclosing(pages):
                async for page in pages:
                    yield page
        except asyncio.CancelledError:
            if worker.is_dead:
                line.uncancel()
                raise LinkDropped from None
            raise
        finally:
            worker.tasks.discard(line)

    async def snapshot(self, run: RunId) -> tuple[Offset, Message]:
        worker = self._door()
        asking = worker.spawn(worker.service.snapshot(run, principal=ME))
        await asyncio.wait([asking])
        if asking.cancelled():
            raise LinkDropped
        record, message = asking.result()
        return record.tail, replace(message)
