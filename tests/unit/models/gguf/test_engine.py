"""One file's child: started when it is needed, killed when it does not let go, started again."""

import asyncio
from collections import deque
from typing import Any

import pytest

from potok.errors import ModelUnusable, UpstreamLost
from potok.limits import (
    GGUF_CANCEL_GRACE_SECONDS,
    GGUF_CANCEL_SHARED_GRACE_SECONDS,
    GGUF_DEATHS_MAX,
    GGUF_PROBE_EVERY_SECONDS,
    GGUF_RESPAWN_SECONDS,
    GGUF_REST_SECONDS,
)
from potok.models.gguf.engine import Engine
from potok.testing.fakes import FakeClock
from potok.testing.gates import FakeSleep


class FakeChild:
    """A child whose slots the test sets. Does not imitate: processes, HTTP, time that it takes."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.labels: frozenset[int] | None = frozenset()
        self.was_killed = False

    @property
    def is_alive(self) -> bool:
        return not self.ended.done()

    async def busy_with(self) -> frozenset[int] | None:
        return self.labels

    async def kill(self) -> None:
        self.was_killed = True
        self.die()

    def die(self) -> None:
        if not self.ended.done():
            self.ended.set_result(None)


class Nursery:
    """Starts children, in turn; `faults` come instead of the next ones."""

    def __init__(self) -> None:
        self.children: list[FakeChild] = []
        self.faults: deque[Exception] = deque()

    async def start(self) -> Any:
        await asyncio.sleep(0)
        if self.faults:
            raise self.faults.popleft()
        self.children.append(FakeChild(len(self.children) + 1))
        return self.children[-1]


class World:
    def __init__(self, *, idle_seconds: float = 0.0) -> None:
        self.clock = FakeClock()
        self.sleep = FakeSleep(self.clock)
        self.nursery = Nursery()
        self.engine = Engine(
            "gguf/tiny",
            start=self.nursery.start,
            idle_seconds=idle_seconds,
            clock=self.clock,
            sleep=self.sleep,
        )

    @property
    def child(self) -> FakeChild:
        return self.nursery.children[-1]


async def stop(world: World) -> None:
    """Stop a call in the middle of its answer."""
    world.engine.note_begun(1)
    await world.engine.abandon(world.child, 1)


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def probe(world: World, seconds: float) -> None:
    """Let the watch over a child go on for so long."""
    passed = 0.0
    while passed < seconds:
        await settle()
        world.sleep.advance(GGUF_PROBE_EVERY_SECONDS)
        passed += GGUF_PROBE_EVERY_SECONDS
    await settle()


async def test_nothing_is_started_before_the_first_call() -> None:
    world = World()

    assert world.nursery.children == []
    assert not world.engine.is_loaded


async def test_callers_at_the_same_time_share_one_child() -> None:
    world = World()

    first, second = await asyncio.gather(world.engine.enter(), world.engine.enter())

    assert first is second
    assert len(world.nursery.children) == 1
    assert world.engine.live == 2


async def test_a_caller_who_goes_away_leaves_the_start_to_the_others() -> None:
    world = World()
    impatient = asyncio.create_task(world.engine.enter())
    patient = asyncio.create_task(world.engine.enter())
    await asyncio.sleep(0)

    impatient.cancel()

    assert await patient is world.child
    assert world.engine.live == 1


async def test_a_child_that_died_is_replaced_at_the_next_call() -> None:
    world = World()
    await world.engine.enter()
    await stop(world)

    world.child.die()
    await settle()
    again = await world.engine.enter()

    assert again is world.nursery.children[1]


async def test_the_second_death_in_a_row_costs_a_wait() -> None:
    world = World()
    for _ in range(2):
        await world.engine.enter()
        await stop(world)
        world.child.die()
        await settle()

    entering = asyncio.create_task(world.engine.enter())
    await settle()
    assert not entering.done()
    world.sleep.advance(GGUF_RESPAWN_SECONDS)

    assert await entering is world.nursery.children[2]


async def test_after_too_many_deaths_callers_are_told_until_it_has_rested() -> None:
    world = World()
    world.nursery.faults.extend(ModelUnusable("no memory") for _ in range(GGUF_DEATHS_MAX))
    for _ in range(GGUF_DEATHS_MAX):
        entering = asyncio.create_task(world.engine.enter())
        await settle()
        world.sleep.advance(10.0)
        with pytest.raises(ModelUnusable, match="no memory"):
            await entering

    with pytest.raises(ModelUnusable, match="died 4 times in a row"):
        await world.engine.enter()
    world.sleep.advance(GGUF_REST_SECONDS)

    assert await world.engine.enter() is world.child


async def test_a_call_whose_slot_is_free_is_let_go_at_once() -> None:
    world = World()
    child = await world.engine.enter()

    world.engine.note_begun(7)

    await world.engine.abandon(child, 7)

    assert not world.child.was_killed
    assert world.engine.live == 0


async def test_a_call_that_had_not_begun_is_looked_for_before_its_place_is_given_away() -> None:
    world = World()
    child = await world.engine.enter()

    leaving = asyncio.create_task(world.engine.abandon(child, 7))
    await probe(world, GGUF_CANCEL_GRACE_SECONDS / 2)
    assert not leaving.done()
    await probe(world, GGUF_CANCEL_GRACE_SECONDS)

    await leaving
    assert not world.child.was_killed


async def test_a_child_that_does_not_let_go_is_killed_after_the_grace() -> None:
    world = World()
    child = await world.engine.enter()
    world.child.labels = frozenset({7})

    leaving = asyncio.create_task(world.engine.abandon(child, 7))
    await probe(world, GGUF_CANCEL_GRACE_SECONDS / 2)
    assert not world.child.was_killed
    await probe(world, GGUF_CANCEL_GRACE_SECONDS)

    assert world.child.was_killed
    await leaving


async def test_a_child_that_says_nothing_is_killed_too() -> None:
    world = World()
    child = await world.engine.enter()
    world.child.labels = None

    leaving = asyncio.create_task(world.engine.abandon(child, 7))
    await probe(world, 2 * GGUF_CANCEL_GRACE_SECONDS)

    assert world.child.was_killed
    await leaving


async def test_others_who_are_answered_get_a_longer_grace() -> None:
    world = World()
    child = await world.engine.enter()
    await world.engine.enter()
    world.engine.note_begun(8)
    world.child.labels = frozenset({7, 8})

    leaving = asyncio.create_task(world.engine.abandon(child, 7))
    await probe(world, 4 * GGUF_CANCEL_GRACE_SECONDS)
    assert not world.child.was_killed
    await probe(world, GGUF_CANCEL_SHARED_GRACE_SECONDS)

    assert world.child.was_killed
    await leaving


async def test_others_who_only_wait_are_no_reason_to_wait() -> None:
    world = World()
    child = await world.engine.enter()
    await world.engine.enter()
    world.child.labels = frozenset({7})

    leaving = asyncio.create_task(world.engine.abandon(child, 7))
    await probe(world, 2 * GGUF_CANCEL_GRACE_SECONDS)

    assert world.child.was_killed
    await leaving


async def test_a_call_that_comes_out_of_the_childs_queue_later_is_found() -> None:
    world = World()
    child = await world.engine.enter()
    await world.engine.enter()
    world.child.labels = frozenset({8})
    leaving = asyncio.create_task(world.engine.abandon(child, 7))
    await probe(world, 2 * GGUF_CANCEL_GRACE_SECONDS)
    await leaving

    world.child.labels = frozenset({7})
    await probe(world, 2 * GGUF_CANCEL_SHARED_GRACE_SECONDS)

    assert world.child.was_killed


async def test_a_child_that_was_killed_for_it_is_no_death() -> None:
    world = World()
    for label in range(GGUF_DEATHS_MAX + 1):
        child = await world.engine.enter()
        world.child.labels = frozenset({label})
        leaving = asyncio.create_task(world.engine.abandon(child, label))
        await probe(world, 2 * GGUF_CANCEL_GRACE_SECONDS)
        await leaving

    assert len(world.nursery.children) == GGUF_DEATHS_MAX + 1
    assert await world.engine.enter() is world.child


async def test_a_model_that_nobody_uses_leaves_the_memory() -> None:
    world = World(idle_seconds=60.0)
    await world.engine.enter()
    world.engine.leave(1)
    await settle()

    world.sleep.advance(59.0)
    await settle()
    assert world.engine.child is not None
    world.sleep.advance(1.0)
    await settle()

    assert world.child.was_killed
    assert world.engine.child is None


async def test_a_call_in_between_keeps_it() -> None:
    world = World(idle_seconds=60.0)
    await world.engine.enter()
    world.engine.leave(1)
    await settle()
    world.sleep.advance(40.0)
    await world.engine.enter()
    world.sleep.advance(40.0)
    await settle()

    assert not world.child.was_killed
    world.engine.leave(1)
    await settle()
    world.sleep.advance(60.0)
    await settle()
    assert world.child.was_killed


async def test_closing_kills_the_child_and_lets_nobody_in() -> None:
    world = World(idle_seconds=60.0)
    child = await world.engine.enter()
    world.child.labels = frozenset({7})
    leaving = asyncio.create_task(world.engine.abandon(child, 7))
    await settle()

    await world.engine.close()

    assert world.child.was_killed
    await leaving
    with pytest.raises(UpstreamLost):
        await world.engine.enter()
