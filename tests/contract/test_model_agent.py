"""The agent that asks a model passes the suite of agents, whether its model replays or not."""

import pytest

from potok.agents.contract import Agent
from potok.agents.registry import AgentRegistry
from potok.clock import SystemClock
from potok.events.kinds import RunEnd, TextDelta, TextEnd, TextStart
from potok.events.run_request import RunRequest
from potok.models.catalogue import Catalogue
from potok.models.demo import DemoProvider
from potok.testing.agent_suite import AgentSuite
from potok.testing.scripted_model import ScriptedModel, ScriptedProvider


class TestModelAgentOverDemo(AgentSuite):
    requests = (
        RunRequest(model="demo", messages=({"role": "user", "content": "Привет!"},)),
        RunRequest(model="demo", messages=({"role": "user", "content": "count to 9"},)),
    )

    @pytest.fixture
    async def agent(self) -> Agent:
        clock = SystemClock()
        catalogue = Catalogue([DemoProvider(clock, tokens_per_second=0)], clock=clock)
        return await AgentRegistry(catalogue).resolve(self.requests[0])


class TestModelAgentOverScript(AgentSuite):
    requests = (RunRequest(model="scripted", messages=({"role": "user", "content": "Hi"},)),)

    @pytest.fixture
    async def agent(self) -> Agent:
        model = ScriptedModel(
            [
                [TextStart(part="text-1")],
                [TextDelta(part="text-1", text="Hello")],
                [TextEnd(part="text-1"), RunEnd(outcome="finished", finish_reason="stop")],
            ]
        )
        catalogue = Catalogue([ScriptedProvider([model])], clock=SystemClock())
        return await AgentRegistry(catalogue).resolve(self.requests[0])
