from typing import Any

import pytest

from potok.agents.contract import Turn
from potok.agents.model_agent import Continuing
from potok.agents.registry import AgentRegistry
from potok.agents.sources import ModelRules
from potok.clock import RunId
from potok.errors import ModelUnknown, RequestInvalid, UpstreamLost, UpstreamUnreachable
from potok.events.fold import Fold, Message
from potok.events.kinds import Event, RunEnd, TextDelta, TextEnd, TextStart
from potok.events.run_request import RunRequest
from potok.models.contract import Capabilities, ChatModel
from potok.testing.scripted_model import ScriptedModel, Step

DOWN = UpstreamUnreachable("The provider is down.")
END = RunEnd(outcome="finished", finish_reason="stop")


def says(*words: str, name: str = "one", fault: Exception | None = None) -> ScriptedModel:
    begin: list[Event] = [
        TextStart(part="text-1"),
        *(TextDelta(part="text-1", text=w) for w in words),
    ]
    rest: Step = fault or [TextEnd(part="text-1"), END]
    return ScriptedModel([begin, rest], name=name, capabilities=Capabilities())


class Models:
    """A catalogue of scripted models; names that were asked for are kept."""

    def __init__(self, **models: ScriptedModel | Exception) -> None:
        self.models = models
        self.asked: list[str | None] = []

    async def resolve(self, name: str | None) -> ChatModel:
        self.asked.append(name)
        found = self.models.get(str(name).rpartition("/")[2])
        if isinstance(found, ScriptedModel):
            return found
        raise found or ModelUnknown(str(name))


def request(model: str = "one", **policy: Any) -> RunRequest:
    return RunRequest(model=model, messages=(), policy=policy or None, face="openai-chat")


async def answer(registry: AgentRegistry, asked: RunRequest) -> Message:
    fold = Fold()
    agent = await registry.resolve(asked)
    async for events in agent.run(Turn(run=RunId("r"), request=asked)):
        for event in events:
            fold.feed(event)
    return fold.message


async def never(seconds: float) -> None:
    raise AssertionError("nothing is waited for here")


async def test_a_model_answers_under_its_full_name() -> None:
    registry = AgentRegistry(Models(one=says("Hi")))

    agent = await registry.resolve(request())
    message = await answer(registry, request())

    assert agent.name == "test/one"
    assert (message.text, message.sources) == ("Hi", [])


async def test_fallbacks_of_the_settings_are_looked_for_when_they_are_needed() -> None:
    models = Models(one=says("Hi"))
    registry = AgentRegistry(models, rules={"one": ModelRules(fallback=("gone",))})

    await answer(registry, request())

    assert models.asked == ["one"]


@pytest.mark.parametrize("name", ["one", "test/one"])
async def test_rules_are_found_by_the_name_asked_for_and_by_the_full_one(name: str) -> None:
    models = Models(one=says(fault=UpstreamLost("x")), two=says("Two", name="two"))
    registry = AgentRegistry(models, rules={name: ModelRules(fallback=("gone", "two"))})

    message = await answer(registry, request())

    assert message.text == "Two"
    assert [change.model for change in message.sources] == ["test/two"]


async def test_a_model_that_cannot_be_asked_for_is_replaced_before_the_start() -> None:
    models = Models(one=DOWN, two=says("Two", name="two"))
    registry = AgentRegistry(models, rules={"one": ModelRules(fallback=("two",))})

    agent = await registry.resolve(request())
    message = await answer(registry, request())

    assert agent.name == "one"
    assert (message.text, message.sources[0].reason) == ("Two", "upstream_unreachable")
    with pytest.raises(UpstreamUnreachable):
        await AgentRegistry(models).resolve(request())


async def test_a_request_may_name_only_models_that_there_are() -> None:
    models = Models(one=says("Hi"), down=DOWN)
    registry = AgentRegistry(models)

    await registry.resolve(request(fallback=["down"]))
    with pytest.raises(ModelUnknown, match="'gone'"):
        await registry.resolve(request(fallback=["gone"]))
    with pytest.raises(ModelUnknown):
        await registry.resolve(request("gone", fallback=["one"]))


async def test_a_requests_own_wishes_come_before_the_settings() -> None:
    models = Models(one=says("Hi", fault=UpstreamLost("x")), two=says("Two", name="two"))
    rules = {"one": ModelRules(fallback=("two",), policy="fail")}
    registry = AgentRegistry(models, rules=rules, continuing=Continuing(sleep=never))

    with pytest.raises(UpstreamLost):
        await answer(registry, request())
    with pytest.raises(UpstreamLost):
        await answer(registry, request(on_upstream_failure="fail", fallback=["two"]))
    with pytest.raises(AssertionError, match="nothing is waited for"):
        await answer(registry, request(on_upstream_failure="continue", fallback=[]))
    assert models.asked.count("two") == 1


async def test_an_unknown_agent_is_said() -> None:
    with pytest.raises(RequestInvalid, match="Agents: none is installed"):
        await AgentRegistry(Models()).resolve(RunRequest(agent="coder"))
