"""Many workers, one store, and everything that can go wrong between them, from one seed."""

import asyncio
from typing import Any

import pytest
from hypothesis import note
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from potok.clock import RunId
from potok.testing.faults import CALM, FaultRates
from tests.simulation.backends import Backend, MemoryBackend, SqliteBackend
from tests.simulation.profiles import long_look, short_look
from tests.simulation.simulated_time import inline_threads
from tests.simulation.stories import FAULTS, MODELS, Continues, Story
from tests.simulation.world import World

number = st.integers(0, 5)
rate = st.sampled_from([0.0, 0.0, 0.05, 0.3])
rates = st.just(CALM) | st.builds(
    FaultRates,
    unstored=rate,
    unheard=rate,
    unread=rate,
    late=rate,
    late_seconds=st.sampled_from([0.0, 0.2, 3.0]),
    wakeup_lost=rate,
    cancel_lost=rate,
)
model = st.sampled_from(MODELS)
fault = st.tuples(st.integers(0, 2), st.integers(0, 12), st.sampled_from(FAULTS))
telling: dict[str, st.SearchStrategy[Any]] = {
    "words": st.integers(1, 14),
    "seconds": st.sampled_from([0.0, 0.05, 1.0]),
    "is_thinking": st.booleans(),
    "has_fallback": st.booleans(),
    "faults": st.lists(fault, max_size=3).map(tuple),
}


class WorldMachine(RuleBasedStateMachine):
    """What may happen to the world; after each step everything must hold."""

    backend: type[Backend] = MemoryBackend
    only_rates: FaultRates | None = None
    """Where one kind of fault is looked at; None: any."""

    def __init__(self) -> None:
        super().__init__()
        self.world: World
        self.stories: list[tuple[Story, Continues]] = []
        self.keyed: list[tuple[str, Story, Continues]] = []
        self.is_sound = True

    @initialize(
        seed=st.integers(0, 2**32),
        rates=rates,
        workers=st.integers(1, 3),
        told=st.fixed_dictionaries(telling),
        model=model,
    )
    def begin(
        self, seed: int, rates: FaultRates, workers: int, told: dict[str, Any], model: Continues
    ) -> None:
        note(f"seed of all faults: {seed}")
        self.world = World(self.backend(), seed=seed, rates=self.only_rates or rates)
        for _ in range(workers):
            self.run(self.world.open_worker())
        self._start(worker=0, telling=told, model=model, leaves=False)

    def run(self, work: Any) -> Any:
        try:
            return self.world.loop.run(work, seconds=2_000.0)
        except BaseException:
            self.is_sound = False
            raise

    def story(self, telling: dict[str, Any]) -> Story:
        story = Story(number=len(self.stories) + len(self.keyed), **telling)
        return story

    def some_run(self, number: int) -> RunId | None:
        runs = sorted(run for run, ledger in self.world.ledgers.items() if not ledger.is_forgotten)
        return runs[number % len(runs)] if runs else None

    # runs

    @rule(worker=number, telling=st.fixed_dictionaries(telling), model=model, leaves=st.booleans())
    def start(self, worker: int, telling: dict[str, Any], model: Continues, leaves: bool) -> None:
        self._start(worker=worker, telling=telling, model=model, leaves=leaves)

    def _start(
        self, *, worker: int, telling: dict[str, Any], model: Continues, leaves: bool
    ) -> None:
        story = self.story(telling)
        self.stories.append((story, model))

        async def work() -> None:
            at = await self.world.worker(worker)
            policy = "cancel" if leaves else "keep"
            await self.world.start(at, story, model, on_disconnect=policy)  # type: ignore[arg-type]

        self.run(work())

    @rule(
        worker=number,
        telling=st.fixed_dictionaries(telling),
        model=model,
        steps=st.sampled_from([None, 0, 1, 2, 3, 5, 8]),
    )
    def start_with_a_key(
        self, worker: int, telling: dict[str, Any], model: Continues, steps: int | None
    ) -> None:
        story = self.story(telling)
        key = f"key-{len(self.keyed)}"
        self.keyed.append((key, story, model))

        async def work() -> None:
            at = await self.world.worker(worker)
            if steps is None:
                await self.world.start(at, story, model, key=key)
            else:
                await self.world.start_unheard(at, story, model, key=key, steps=steps)

        self.run(work())

    @rule(worker=number, place=number, is_same=st.booleans())
    def start_again(self, worker: int, place: int, is_same: bool) -> None:
        if not self.keyed:
            return
        key, story, model = self.keyed[place % len(self.keyed)]

        async def work() -> None:
            at = await self.world.worker(worker)
            if is_same:
                await self.world.start(at, story, model, key=key)
            elif key in self.world.keys:
                other = Story(number=story.number, words=story.words + 1)
                await self.world.start_otherwise(at, other, key=key)

        self.run(work())

    @rule(worker=number, run=number)
    def cancel(self, worker: int, run: int) -> None:
        found = self.some_run(run)
        if found is None:
            return

        async def work() -> None:
            await self.world.cancel(await self.world.worker(worker), found)

        self.run(work())

    @rule(worker=number, run=number)
    def forget(self, worker: int, run: int) -> None:
        found = self.some_run(run)
        if found is None:
            return

        async def work() -> None:
            await self.world.forget(await self.world.worker(worker), found)

        self.run(work())

    @rule(run=number)
    def write_as_zombie(self, run: int) -> None:
        found = self.some_run(run)
        if found is not None:
            self.run(self.world.write_as_zombie(found))

    @rule(run=number, slow=rate, drops=rate)
    def read(self, run: int, slow: float, drops: float) -> None:
        found = self.some_run(run)
        if found is not None:
            self.world.read(found, slow=slow, drops=drops)

    # workers and their lines

    @rule()
    def open_worker(self) -> None:
        if len(self.world.workers) < 4:
            self.run(self.world.open_worker())

    @rule(worker=number, how=st.sampled_from(["kill", "shut", "pause", "resume", "cut", "mend"]))
    def trouble(self, worker: int, how: str) -> None:
        if not self.world.workers:
            return
        at = self.world.workers[worker % len(self.world.workers)]
        if how == "kill":
            self.run(self.world.kill(at))
        elif how == "shut":
            self.run(self.world.shut(at))
        else:
            getattr(at.link, how)()

    @rule()
    def crash(self) -> None:
        self.run(self.world.crash())

    # time

    @rule(seconds=st.sampled_from([0.0, 0.02, 0.3, 1.5, 7.0, 40.0]))
    def wait(self, seconds: float) -> None:
        self.run(asyncio.sleep(seconds))

    @rule()
    def wait_for_a_take_over(self) -> None:
        self.run(self.world.check_take_over())

    @rule(seconds=st.sampled_from([-8.0, -0.5, 0.5, 6.0, 1_000.0]))
    def jump(self, seconds: float) -> None:
        self.world.jump(seconds)

    @rule(worker=number, seconds=st.sampled_from([-100.0, 6.0, 1_000.0]))
    def jump_of_a_worker(self, worker: int, seconds: float) -> None:
        if self.world.workers:
            self.world.workers[worker % len(self.world.workers)].clock.jump(seconds)

    @invariant()
    def all_holds(self) -> None:
        if hasattr(self, "world"):
            self.run(self.world.check())

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        try:
            if self.is_sound:
                self.run(self.world.come_to_rest())
        finally:
            self.world.end()


class SqliteWorldMachine(WorldMachine):
    """The same over a file, which a crash cuts in the middle of a commit."""

    backend = SqliteBackend


@pytest.mark.timeout(60)
def test_a_world_keeps_its_promises() -> None:
    run_state_machine_as_test(WorldMachine, settings=short_look(100))


@pytest.mark.timeout(60)
def test_a_world_over_a_file_keeps_its_promises() -> None:
    with inline_threads():
        run_state_machine_as_test(SqliteWorldMachine, settings=short_look(30))


@pytest.mark.long
def test_a_world_keeps_its_promises_for_long() -> None:
    run_state_machine_as_test(WorldMachine, settings=long_look(5_000))


@pytest.mark.long
def test_a_world_over_a_file_keeps_its_promises_for_long() -> None:
    with inline_threads():
        run_state_machine_as_test(SqliteWorldMachine, settings=long_look(2_000))
