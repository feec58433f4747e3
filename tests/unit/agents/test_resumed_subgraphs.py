"""Graphs within graphs: after a crash anywhere each token, datum and stage comes once."""

import operator
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any, TypedDict

import msgspec
import pytest
from langgraph.graph import END, START, StateGraph

from potok.agents.checkpoints import Checkpoints
from potok.agents.node import current_node
from potok.events.kinds import Event, SourceChange
from tests.unit.agents.test_langgraph_bridge import (
    agent_of,
    asked,
    batches_of,
    message_of,
    message_of_open,
    turn,
)

LOST = SourceChange(reason="worker_lost", attempt=2, how="prompt")


class State(TypedDict, total=False):
    message: str
    notes: Annotated[list[str], operator.add]


class Inner(TypedDict, total=False):
    message: str
    note: str


async def first(state: Inner) -> Inner:
    node = current_node("first")
    attempt = 2 if state["message"] == "again" else 1
    async with node.stage("first", attempt=attempt, text="First"):
        await node.say(asked("Repeat: one two"))
        await node.data("step", 1)
    return {"note": "first"}


async def second(state: Inner) -> Inner:
    node = current_node("second")
    await node.write("three ")
    await node.say(asked("Repeat: four five"))
    await node.data("step", 2)
    return {}


def inner() -> StateGraph[Any, Any, Any, Any]:
    graph = StateGraph(Inner)
    graph.add_node("first", first)
    graph.add_node("second", second)
    graph.add_edge(START, "first")
    graph.add_edge("first", "second")
    graph.add_edge("second", END)
    return graph


async def calls_a_graph(state: State) -> State:
    node = current_node("outer")
    await node.say(asked("Repeat: before"))
    await inner().compile().ainvoke({"message": "again"})
    await node.say(asked("Repeat: after"))
    return {}


def outer() -> StateGraph[Any, Any, Any, Any]:
    graph = StateGraph(State)
    graph.add_node("inner", inner().compile())
    graph.add_node("calls", calls_a_graph)
    graph.add_edge(START, "inner")
    graph.add_edge("inner", "calls")
    graph.add_edge("calls", END)
    return graph


@pytest.fixture
async def checkpoints(tmp_path: Path) -> AsyncIterator[Checkpoints]:
    kept = Checkpoints(tmp_path / "checkpoints.sqlite3")
    yield kept
    await kept.close()


def whole(events: list[Event]) -> Any:
    message = message_of(events)
    parts = [(part.type, part.agent, part.text, part.state, part.data) for part in message.parts]
    return parts, [(stage.stage, stage.outcome) for stage in message.stages]


@pytest.mark.parametrize("cut", range(1, 46, 4))
async def test_what_was_cut_in_a_graph_within_a_graph_goes_on_there(
    checkpoints: Checkpoints, cut: int
) -> None:
    uncut = await batches_of(agent_of(outer(), checkpoints), turn("01uncut0run00000000"))
    agent, heard = agent_of(outer(), checkpoints), list[Event]()
    running = agent.run(turn())
    async for batch in running:
        heard += batch
        if len(heard) >= cut:
            break
    await running.aclose()

    said = message_of_open([*heard, LOST])
    again = msgspec.structs.replace(turn(), attempt=2, said=said)
    rest = [event for batch in await batches_of(agent, again) for event in batch]

    assert whole([*heard, LOST, *rest]) == whole([event for batch in uncut for event in batch])
