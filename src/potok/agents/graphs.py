"""Makes agents of LangGraph graphs. Light: LangGraph is loaded by the first of them that runs."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from potok.agents.checkpoints import Checkpoints
from potok.agents.coded_agent import FunctionAgent
from potok.agents.contract import Agent
from potok.agents.node import Node
from potok.agents.session import AgentFinder
from potok.events.run_request import RunRequest

if TYPE_CHECKING:
    from langgraph.graph import StateGraph

__all__ = ["Graphs"]


class Graphs:
    """What a server gives to code that wants to be an agent."""

    def __init__(self, *, models: AgentFinder, checkpoints: Checkpoints) -> None:
        self._models = models
        self._checkpoints = checkpoints

    def agent(
        self,
        name: str,
        graph: "StateGraph[Any, Any, Any, Any]",
        *,
        read: Callable[[RunRequest], dict[str, Any]],
        events_per_second_max: float | None = None,
    ) -> Agent:
        """Return an agent that runs a graph, which is not compiled yet.

        Args:
            read: From what was asked to the graph's input.
            events_per_second_max: Tokens that come faster are joined in the log.
        """
        from potok.agents.langgraph_bridge import LangGraphAgent

        return LangGraphAgent(
            name,
            graph,
            read=read,
            models=self._models,
            checkpoints=self._checkpoints,
            events_per_second_max=events_per_second_max,
        )

    def function(self, name: str, function: Callable[[Node], Awaitable[None]]) -> Agent:
        """Return an agent that is one function; it is called again after a crash."""
        return FunctionAgent(name, function, models=self._models)
