"""What a policy of one call means when a worker dies before a word was logged."""

import pytest

from potok.agents.contract import Turn
from potok.agents.registry import AgentRegistry
from potok.clock import RunId
from potok.events.run_request import RunRequest
from potok.models.catalogue import Catalogue
from potok.testing.fakes import FakeClock
from potok.testing.scripted_model import ScriptedModel, ScriptedProvider

RUN = RunId("01second0try0run000000000")


@pytest.mark.parametrize(
    ("policy", "attempt", "goes_on"),
    [("fail", 1, True), ("fail", 2, False), ("continue", 2, True)],
)
async def test_an_answer_that_must_not_be_asked_twice_is_not_after_a_crash(
    policy: str, attempt: int, goes_on: bool
) -> None:
    model = ScriptedModel([])
    registry = AgentRegistry(Catalogue([ScriptedProvider([model])], clock=FakeClock()))
    request = RunRequest(
        model="scripted",
        messages=({"role": "user", "content": "Name it."},),
        policy={"on_upstream_failure": policy},
    )
    agent = await registry.resolve(request)

    how = await agent.can_continue(Turn(run=RUN, request=request, attempt=attempt))

    assert (how is not None) is goes_on
    assert model.requests == []
