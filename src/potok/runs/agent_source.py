"""Who answers a request, as the runs see it."""

from typing import Protocol

from potok.agents.contract import Agent
from potok.events.run_request import RunRequest
from potok.streamlog.contract import RunRecord

__all__ = ["AgentSource", "model_of"]


class AgentSource(Protocol):
    """Whatever finds the agent for a request; `potok.agents.registry.AgentRegistry` is one."""

    async def resolve(self, request: RunRequest) -> Agent:
        """Return the agent; raises `ModelUnknown`, `RequestInvalid` or a `PeerError`."""
        ...


def model_of(record: RunRecord) -> str:
    """Return the name that an answer gives its model: the provider's own one."""
    name = record.request.model or record.request.agent or ""
    return name.partition("/")[2] or name
