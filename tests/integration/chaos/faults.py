"""Does what the plan says, and counts the live runs that each fault hits."""

import asyncio
import random
import signal
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from tests.integration.chaos.links import Order
from tests.integration.chaos.plan import KILLS_AND_CUTS, Fault, FaultKind
from tests.integration.chaos.streams import Stream
from tests.integration.chaos.upstream import Misdeed
from tests.integration.chaos.world import Spell, Worker, World

__all__ = ["HITS_MIN", "Done", "Faults"]

HITS_MIN = 5
"""Live runs that a fault must hit to count."""
_WAIT_FOR_RUNS_SECONDS = 10.0
_LOOK_SECONDS = 0.25
_UPSTREAM_SHARE = 0.5
# Longer than a lease, so that others take over; shorter than that, so that nobody does.
_LONG_SECONDS = (6.0, 8.0)
_SHORT_SECONDS = (0.5, 2.5)
_START_TRIES_MAX = 10
_START_AGAIN_SECONDS = 0.5
_MISDEEDS: dict[FaultKind, Misdeed] = {
    "upstream cut": "cut",
    "upstream ended early": "end",
    "upstream silent": "silent",
    "upstream malformed": "malformed",
    "upstream error": "error",
    "upstream status": "status",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """One fault that happened; `hits` live runs felt it at once."""

    kind: FaultKind
    at: float
    target: str
    hits: int

    @property
    def is_kill_or_cut(self) -> bool:
        """Whether it counts towards the number that was asked for."""
        return self.kind in KILLS_AND_CUTS


class Faults:
    """The faults of one run of chaos. Some last, and the next ones begin meanwhile."""

    def __init__(
        self, world: World, streams: Sequence[Stream], *, say: Callable[[str], None]
    ) -> None:
        self._world = world
        self._say = say
        self._streams = {stream.plan.number: stream for stream in streams}
        self._lasting: set[asyncio.Task[None]] = set()
        self._failures: list[Exception] = []
        self._began_at = time.monotonic()
        self.done: list[Done] = []
        self.skipped: list[Fault] = []
        self._redis_is_down = False

    async def happen(self, faults: Sequence[Fault]) -> None:
        """Let every fault happen at its time; returns once all is well again."""
        for fault in faults:
            await asyncio.sleep(self._began_at + fault.at_seconds - time.monotonic())
            self._last(self._one(fault))
        while self._lasting:
            await asyncio.wait(self._lasting)
        if self._failures:
            raise ExceptionGroup("faults that could not be brought about", self._failures)

    async def _one(self, fault: Fault) -> None:
        dice = random.Random(fault.dice)
        until = time.monotonic() + _WAIT_FOR_RUNS_SECONDS
        while True:
            done = await self._try(fault, dice)
            if done is not None:
                target, hits = done
                now = time.monotonic()
                at = now - self._began_at
                self.done.append(Done(kind=fault.kind, at=now, target=target, hits=hits))
                self._say(f"{at:5.1f} s: {fault.kind} ({target}), {hits} live runs")
                return
            if time.monotonic() > until:
                self.skipped.append(fault)
                return
            await asyncio.sleep(_LOOK_SECONDS)

    async def _try(self, fault: Fault, dice: random.Random) -> tuple[str, int] | None:
        """Do it if it hits enough; return whom it hit and how many runs."""
        if fault.kind in _MISDEEDS:
            return await self._strike(fault, dice)
        if fault.kind == "readers cut":
            return await self._cut_readers(dice)
        if fault.kind == "redis killed":
            return await self._kill_redis(dice)
        return await self._hit_worker(fault.kind, dice)

    async def _strike(self, fault: Fault, dice: random.Random) -> tuple[str, int] | None:
        if sum(len(numbers) for numbers in (await self._world.live()).values()) < HITS_MIN:
            return None
        struck = await self._world.strike(
            _MISDEEDS[fault.kind],
            share=_UPSTREAM_SHARE,
            at_least=HITS_MIN,
            dice=fault.dice,
            seconds=dice.uniform(*_SHORT_SECONDS),
        )
        return "upstream", self._count_live(struck)

    async def _cut_readers(self, dice: random.Random) -> tuple[str, int] | None:
        worker = dice.choice(self._world.workers)
        hit = {
            stream.run
            for stream in self._streams.values()
            if stream.is_live and any(reader.worker is worker for reader in stream.readers)
        }
        if len(hit) < HITS_MIN:
            return None
        if dice.random() < 0.5:
            await self._world.order(f"readers-{worker.name}", "cut")
        else:
            seconds = dice.uniform(*_SHORT_SECONDS)
            self._last(self._while_ordered(f"readers-{worker.name}", "close", seconds))
        return worker.name, len(hit)

    async def _kill_redis(self, dice: random.Random) -> tuple[str, int] | None:
        assert self._world.redis is not None
        hits = sum(self._count_live(one) for one in (await self._world.live()).values())
        if hits < HITS_MIN or self._redis_is_down:
            return None
        self._redis_is_down = True
        self._world.redis.kill()
        self._last(self._start_redis(dice.uniform(0.2, 1.5)))
        return "redis", hits

    async def _start_redis(self, seconds: float) -> None:
        assert self._world.redis is not None
        await asyncio.sleep(seconds)
        await asyncio.to_thread(self._world.redis.start)
        self._redis_is_down = False

    async def _hit_worker(self, kind: FaultKind, dice: random.Random) -> tuple[str, int] | None:
        live = await self._world.live()
        if any(worker.is_busy for worker in self._world.workers):
            # One at a time: somebody must be there to take over.
            return None
        hit = {
            worker.name: self._count_live(live.get(worker.name, []))
            for worker in self._world.workers
        }
        able = [worker for worker in self._world.workers if hit[worker.name] >= HITS_MIN]
        if not able:
            return None
        worker = dice.choice(able)
        worker.is_busy = True
        acts: dict[FaultKind, Callable[[Worker, random.Random], Awaitable[None]]] = {
            "worker killed": self._kill,
            "worker restarted": self._restart,
            "worker frozen": self._freeze,
            "redis link cut": self._cut_redis_link,
            "worker cut off": self._cut_off,
            "worker silenced": self._silence,
        }
        self._last(self._busy(worker, acts[kind](worker, dice)))
        return worker.name, hit[worker.name]

    async def _busy(self, worker: Worker, act: Awaitable[None]) -> None:
        try:
            await act
        finally:
            worker.is_busy = False

    async def _kill(self, worker: Worker, dice: random.Random) -> None:
        await worker.server.kill()
        await asyncio.sleep(dice.uniform(0, 1))
        await self._start(worker)

    async def _restart(self, worker: Worker, dice: random.Random) -> None:
        await worker.server.stop()
        await self._start(worker)

    async def _start(self, worker: Worker) -> None:
        began_at = time.monotonic()
        for _ in range(_START_TRIES_MAX):
            try:
                await self._world.start_worker(worker)
            except TimeoutError:
                # A machine that is busy with much else.
                await self._world.end_worker(worker)
                continue
            except AssertionError:
                # Redis is down or loads its data: a supervisor would try again, too.
                if self._world.redis is None:
                    raise
                await asyncio.sleep(_START_AGAIN_SECONDS)
                continue
            now = time.monotonic()
            at, took = now - self._began_at, now - began_at
            self._say(f"{at:5.1f} s: {worker.name} is there again after {took:.1f} s")
            return
        raise RuntimeError(f"worker {worker.name} does not start")

    async def _freeze(self, worker: Worker, dice: random.Random) -> None:
        spell = self._spell(worker)
        worker.server.send(signal.SIGSTOP)
        await asyncio.sleep(dice.uniform(*_LONG_SECONDS))
        worker.server.send(signal.SIGCONT)
        spell.end()

    async def _cut_redis_link(self, worker: Worker, dice: random.Random) -> None:
        await self._without_redis(worker, "close", dice.uniform(*_SHORT_SECONDS))

    async def _cut_off(self, worker: Worker, dice: random.Random) -> None:
        await self._without_redis(worker, "close", dice.uniform(*_LONG_SECONDS))

    async def _silence(self, worker: Worker, dice: random.Random) -> None:
        await self._without_redis(worker, "silence", dice.uniform(*_LONG_SECONDS))

    async def _without_redis(self, worker: Worker, order: Order, seconds: float) -> None:
        spell = self._spell(worker)
        await self._while_ordered(f"redis-{worker.name}", order, seconds)
        spell.end()

    def _spell(self, worker: Worker) -> Spell:
        spell = Spell(worker.name)
        self._world.spells.append(spell)
        return spell

    async def _while_ordered(self, link: str, order: Order, seconds: float) -> None:
        await self._world.order(link, order)
        try:
            await asyncio.sleep(seconds)
        finally:
            await self._world.order(link, "mend")

    def _last(self, act: Awaitable[None]) -> None:
        task = asyncio.ensure_future(self._noted(act))
        self._lasting.add(task)
        task.add_done_callback(self._lasting.discard)

    async def _noted(self, act: Awaitable[None]) -> None:
        try:
            await act
        except Exception as error:
            self._failures.append(error)

    def _count_live(self, numbers: Sequence[int]) -> int:
        return sum(
            self._streams[number].is_live for number in set(numbers) if number in self._streams
        )
