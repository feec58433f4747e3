"""Finds the agent that answers a request: a registered one by name, or a model's own."""

from collections.abc import Iterable
from typing import Protocol

from potok.agents.contract import Agent
from potok.agents.model_agent import ModelAgent
from potok.errors import RequestInvalid
from potok.events.run_request import RunRequest
from potok.models.contract import ChatModel

__all__ = ["AgentRegistry", "ModelSource"]


class ModelSource(Protocol):
    """Whatever finds a model by name; `potok.models.catalogue.Catalogue` is one."""

    async def resolve(self, name: str | None) -> ChatModel:
        """Return the model; raises `ModelUnknown` or a `PeerError`."""
        ...


class AgentRegistry:
    """Agents by name, and behind them every model of the catalogue."""

    def __init__(self, models: ModelSource, *, agents: Iterable[Agent] = ()) -> None:
        self._models = models
        self._agents = {agent.name: agent for agent in agents}

    async def resolve(self, request: RunRequest) -> Agent:
        """Return the agent for a request.

        Raises:
            RequestInvalid: no agent of that name.
            ModelUnknown: no model of that name.
            PeerError: the provider that may have it cannot be asked now.
        """
        if request.agent is None:
            return ModelAgent(await self._models.resolve(request.model))
        agent = self._agents.get(request.agent)
        if agent is None:
            known = ", ".join(sorted(self._agents)) or "none is installed"
            raise RequestInvalid(
                f"There is no agent {request.agent[:200]!r}. Agents: {known}.", param="agent"
            )
        return agent
