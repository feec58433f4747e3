"""An older answer goes on at every place where it may have been cut, whoever goes on with it."""

from collections.abc import AsyncGenerator
from dataclasses import replace

import pytest

from potok.agents.contract import Turn
from potok.agents.model_agent import ModelAgent
from potok.agents.sources import Candidate, ModelSource
from potok.clock import RunId, SystemClock
from potok.errors import UpstreamMalformed
from potok.events.fold import Message, Part
from potok.events.kinds import Event, RunEnd, RunStart, SourceChange, TextDelta, TextEnd, TextStart
from potok.events.run_request import RunRequest
from potok.models.contract import Capabilities, ChatModel, ChatRequest, ModelInfo
from potok.models.demo import DemoProvider
from potok.protocol.continuation import How
from potok.protocol.production import Production

TEXT = (
    "Gold is soft,  and so\nis silver. Кольцо — это кольцо; ring rings ring.\n\n```\ncode()\n```\n"
    "Last words 👍🏽 of it."
)
ASKED = {"role": "user", "content": "Tell me what Potok is"}


class Continuing:
    """A model that goes on with the text that it is shown, exactly or after its last words."""

    def __init__(self, capabilities: Capabilities, *, says_again: int = 0) -> None:
        self.capabilities = capabilities
        self.info = ModelInfo(name="m", provider="p")
        self._says_again = says_again

    async def stream(self, request: ChatRequest) -> AsyncGenerator[list[Event], None]:
        shown = next(one for one in reversed(request.messages) if one["role"] == "assistant")
        at = max(len(shown["content"]) - self._says_again, 0)
        yield [TextStart(part="t0")]
        for place in range(at, len(TEXT), 5):
            yield [TextDelta(part="t0", text=TEXT[place : min(place + 5, len(TEXT))])]
        yield [TextEnd(part="t0"), RunEnd(outcome="finished", finish_reason="stop")]


class NoModels:
    async def resolve(self, name: str | None) -> ChatModel:
        raise AssertionError("nobody else is asked")


def agent_of(model: ChatModel) -> ModelAgent:
    models: ModelSource = NoModels()
    source = Candidate(name=model.info.full_name, models=models, model=model)
    return ModelAgent(lambda: [replace(source)])


async def go_on(model: ChatModel, said: str, *, maker: str | None = None) -> tuple[str, How]:
    """Return what follows, and how it came; the events are checked as the producer checks them."""
    begun = Message(
        model=maker or model.info.name, parts=[Part(type="text", id="text-1", text=said)]
    )
    request = RunRequest(model="m", messages=(ASKED,), face="chats-001", begun=begun)
    production = Production()
    production.begin(RunStart(run="r", version=1))
    agent = agent_of(model)
    turn = Turn(run=RunId("r"), request=request)
    assert await agent.can_continue(turn) is not None
    async for events in agent.run(turn):
        ending = production.admit(events)
    assert ending is not None
    [change] = production.message.sources
    assert isinstance(change, SourceChange)
    assert change.reason == "continued"
    return production.message.text, change.how


async def test_a_begun_message_goes_on_at_every_place() -> None:
    model = Continuing(Capabilities(continues="prefill"))

    for cut in range(1, len(TEXT)):
        rest, how = await go_on(model, TEXT[:cut])

        assert (TEXT[:cut] + rest, how) == (TEXT, "prefill")


@pytest.mark.parametrize("says_again", [0, 24, 10_000], ids=["nothing", "some words", "all"])
async def test_a_model_that_is_asked_in_words_goes_on_at_every_place(says_again: int) -> None:
    model = Continuing(Capabilities(continues="prompt"), says_again=says_again)

    for cut in range(30, len(TEXT)):
        rest, how = await go_on(model, TEXT[:cut])

        assert (TEXT[:cut] + rest, how) == (TEXT, "prompt")


async def test_the_demo_model_goes_on_at_every_place() -> None:
    model = DemoProvider(SystemClock(), tokens_per_second=0).model("demo")
    agent, production = agent_of(model), Production()
    production.begin(RunStart(run="r", version=1))
    request = RunRequest(model="demo", messages=(ASKED,), face="chats-001")
    async for events in agent.run(Turn(run=RunId("r"), request=request)):
        production.admit(events)
    whole = production.message.text

    for cut in range(1, len(whole), 7):
        rest, how = await go_on(model, whole[:cut])

        assert (whole[:cut] + rest, how) == (whole, "replay")


async def test_the_demo_model_says_once_that_an_answer_is_none_of_its_own() -> None:
    model = DemoProvider(SystemClock(), tokens_per_second=0).model("demo")

    with pytest.raises(UpstreamMalformed, match="not the one"):
        await go_on(model, "Somebody else's words")
    with pytest.raises(AssertionError):
        await go_on(model, "Somebody else's words", maker="gpt-4o")
