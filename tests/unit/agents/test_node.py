"""What a piece of work says again after a crash: readers end with what it said last."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec
import pytest

from potok.agents.contract import Turn
from potok.agents.graphs import Graphs
from potok.agents.node import Node, branch
from potok.agents.registry import AgentRegistry
from potok.clock import RunId
from potok.events.fold import Fold, Message
from potok.events.grammar import GrammarChecker
from potok.events.kinds import GRAMMAR_VERSION, Event, RunStart, SourceChange, Status
from potok.events.run_request import RunRequest
from potok.models.catalogue import Catalogue
from potok.testing.fakes import FakeClock

RUN = RunId("01node00run00000000000000")
START = RunStart(run=RUN, version=GRAMMAR_VERSION, agent="helper")
LOST = SourceChange(reason="worker_lost", attempt=2, how="prompt")

Work = Callable[[Node], Awaitable[None]]


def folded(events: Sequence[Event]) -> Message:
    fold = Fold()
    for event in [START, *events]:
        fold.feed(event)
    return msgspec.json.decode(msgspec.json.encode(fold.message), type=Message)


async def run(work: Work, *, heard: Sequence[Event] = ()) -> list[Event]:
    registry = AgentRegistry(Catalogue([], clock=FakeClock()))
    agent = Graphs(models=registry, checkpoints=None).function("helper", work)  # type: ignore[arg-type]
    turn = Turn(run=RUN, request=RunRequest(agent="helper", input=1))
    if heard:
        turn = msgspec.structs.replace(turn, attempt=2, said=folded([*heard, LOST]))
    return [event async for batch in agent.run(turn) for event in batch]


async def counting(node: Node) -> None:
    for number in (1, 2):
        await node.data("progress", number)
        await node.status(f"Step {number}", code="step")


async def in_turns(node: Node) -> None:
    for number in (1, 2, 1):
        await node.data("progress", number)
        await node.status(f"Step {number}", code="step")


def last_of(events: Sequence[Event]) -> tuple[Any, str | None]:
    message = folded(events)
    data = {part.name: part.data for part in message.parts if part.type == "data"}
    return data["progress"], message.status.text if message.status is not None else None


@pytest.mark.parametrize("work", [counting, in_turns])
async def test_a_crash_anywhere_leaves_readers_with_the_last_data_and_status(work: Work) -> None:
    uncut = await run(work)

    for cut in range(1, len(uncut) + 1):
        heard = uncut[:cut]
        rest = await run(work, heard=heard)

        assert last_of([*heard, LOST, *rest]) == last_of(uncut), f"cut after {cut} events"


async def test_what_readers_have_already_is_not_given_again() -> None:
    async def once(node: Node) -> None:
        await node.data("progress", 1)
        await node.status("Step 1", code="step")

    heard = await run(once)

    assert await run(once, heard=heard) == []


async def test_an_agent_that_says_a_last_word_as_it_is_stopped_has_stalled() -> None:
    errors: list[str] = []

    async def stalls(node: Node) -> None:
        async with branch("slow", idle_seconds=0.01) as mine:
            try:
                await asyncio.Event().wait()
            finally:
                await mine.node.status("Leaving", code="leaving")
        errors.append(mine.error.code if mine.error is not None else "")

    events = await run(stalls)

    assert errors == ["agent_stalled"]
    assert [event.code for event in events if isinstance(event, Status)] == [
        "leaving",
        "agent_stalled",
    ]


async def test_a_branch_within_a_branch_of_one_agent_leaves_the_outer_ones_clock_alone() -> None:
    clocks: list[int] = []

    async def nested(node: Node) -> None:
        async with branch("one") as outer:
            async with branch("one") as inner:
                clocks.append(len(inner.node._place.timeouts))
            clocks.append(len(outer.node._place.timeouts))

    await run(nested)

    assert clocks == [2, 1]


async def test_a_stage_in_which_no_model_was_asked_is_not_told_again() -> None:
    async def plans(node: Node) -> None:
        async with node.stage("planner"):
            pass
        async with node.stage("coder"):
            await node.write("x = 1")

    uncut = await run(plans)

    for cut in range(1, len(uncut) + 1):
        heard = uncut[:cut]
        rest = await run(plans, heard=heard)
        stages = [(one.stage, one.outcome) for one in folded([*heard, LOST, *rest]).stages]
        assert stages == [("planner", "finished"), ("coder", "finished")], f"cut after {cut}"


async def test_a_loop_that_does_not_count_its_attempts_keeps_to_the_grammar() -> None:
    async def loops(node: Node) -> None:
        for _ in range(3):
            async with node.stage("review"):
                await node.write("read")

    uncut = await run(loops)

    for cut in range(1, len(uncut) + 1):
        heard = uncut[:cut]
        checker = GrammarChecker()
        for event in [START, *heard, LOST, *await run(loops, heard=heard)]:
            checker.admit(event)
        assert not checker.open_stages
