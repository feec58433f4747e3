"""Agents that are code pass the suite of all agents."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, ClassVar, TypedDict

import pytest
from langgraph.graph import END, START, StateGraph

from potok.agents.checkpoints import Checkpoints
from potok.agents.contract import Agent
from potok.agents.graphs import Graphs
from potok.agents.node import Node, current_node
from potok.agents.registry import AgentRegistry
from potok.events.run_request import RunRequest
from potok.models.catalogue import Catalogue
from potok.models.demo import DemoProvider
from potok.testing.agent_suite import AgentSuite
from potok.testing.fakes import FakeClock


class State(TypedDict, total=False):
    message: str


async def speak(node: Node) -> None:
    async with node.stage("answer"):
        await node.status("Counting...", code="counting")
        await node.say([{"role": "user", "content": "Count to 5"}])
        await node.write("That is all.")
    await node.data("counted", 5)


async def speak_in_a_node(state: State) -> State:
    await speak(current_node("counter"))
    return {}


@pytest.fixture
async def graphs(tmp_path: Path) -> AsyncIterator[Graphs]:
    clock = FakeClock()
    models = AgentRegistry(Catalogue([DemoProvider(clock, tokens_per_second=0)], clock=clock))
    checkpoints = Checkpoints(tmp_path / "checkpoints.sqlite3")
    yield Graphs(models=models, checkpoints=checkpoints)
    await checkpoints.close()


class TestFunctionAgent(AgentSuite):
    requests: ClassVar[tuple[RunRequest, ...]] = (RunRequest(agent="counter", input="count"),)

    @pytest.fixture
    def agent(self, graphs: Graphs) -> Agent:
        return graphs.function("counter", speak)


class TestLangGraphAgent(AgentSuite):
    requests: ClassVar[tuple[RunRequest, ...]] = (RunRequest(agent="counter", input="count"),)

    @pytest.fixture
    def agent(self, graphs: Graphs) -> Agent:
        graph: StateGraph[Any, Any, Any, Any] = StateGraph(State)
        graph.add_node("speak", speak_in_a_node)
        graph.add_edge(START, "speak")
        graph.add_edge("speak", END)
        return graphs.agent("counter", graph, read=lambda request: {"message": "count"})
