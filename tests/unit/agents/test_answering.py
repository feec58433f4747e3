import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from potok.agents.answering import Answering
from potok.agents.contract import Turn
from potok.agents.sources import Candidate, ModelRules
from potok.clock import RunId
from potok.errors import PeerError, UpstreamBusy, UpstreamLost, UpstreamRefused, UpstreamStalled
from potok.events.fold import Fold, Message, Part
from potok.events.kinds import (
    Event,
    PartDiscard,
    ReasoningDelta,
    ReasoningStart,
    RunEnd,
    SourceChange,
    TextDelta,
    TextEnd,
    TextStart,
    ToolDelta,
    ToolStart,
    Usage,
)
from potok.events.run_request import RunRequest
from potok.limits import CONTINUATION_SECONDS_MAX
from potok.models.contract import Capabilities, ChatModel
from potok.protocol.continuation import Budget, Finish, GiveUp, Policy
from potok.testing.fakes import FakeClock
from potok.testing.gates import FakeSleep, Gate
from potok.testing.scripted_model import ScriptedModel, Step

LOST = UpstreamLost("The line broke.")
END = RunEnd(outcome="finished", finish_reason="stop")
BEGIN: list[Event] = [TextStart(part="text-1"), TextDelta(part="text-1", text="One two three")]


def rest(text: str, *more: Event) -> list[Event]:
    return [
        TextStart(part="text-1"),
        TextDelta(part="text-1", text=text),
        TextEnd(part="text-1"),
        *more,
        END,
    ]


class NoCatalogue:
    async def resolve(self, name: str | None) -> ChatModel:
        raise AssertionError("all models are found here")


class House:
    """One answer over scripted models; waits end when the test says so."""

    def __init__(
        self,
        *models: ScriptedModel,
        said: Message | None = None,
        policy: Policy = "continue",
        can_retract: bool = True,
        budget: Budget | None = None,
        parameters: dict[str, Any] | None = None,
        messages: Sequence[dict[str, Any]] = (),
    ) -> None:
        self.clock = FakeClock()
        self.sleep = FakeSleep(self.clock)
        request = RunRequest(
            model="test/one", messages=tuple(messages), parameters=parameters or {}
        )
        self.fold = Fold()
        self.events: list[Event] = []
        self.answering = Answering(
            Turn(run=RunId("r"), request=request, said=said),
            [
                Candidate(name=f"test/{model.info.name}", models=NoCatalogue(), model=model)
                for model in models
            ],
            policy=policy,
            budget=budget or Budget(),
            can_retract=can_retract,
            clock=self.clock,
            sleep=self.sleep,
            fraction=lambda: 1.0,
        )

    async def run(self) -> Message:
        async for events in self.answering.batches():
            assert events
            for event in events:
                self.events.append(event)
                self.fold.feed(event)
        return self.fold.message


def scripted(
    *scripts: Sequence[Step], name: str = "one", continues: Any = "prompt"
) -> ScriptedModel:
    return ScriptedModel(*scripts, name=name, capabilities=Capabilities(continues=continues))


async def test_a_whole_answer_is_passed_through_as_it_is() -> None:
    script = rest("All.", Usage(prompt_tokens=1))
    house = House(scripted([script]))

    await house.run()

    assert house.events == script


async def test_a_pure_source_goes_on_from_what_it_said() -> None:
    demo = scripted(
        [BEGIN, LOST], [[TextDelta(part="text-1", text=" four"), END]], continues="replay"
    )
    house = House(demo)

    message = await house.run()

    assert message.text == "One two three four"
    assert message.sources == [
        SourceChange(reason="upstream_lost", attempt=2, how="replay", model="test/one")
    ]
    assert demo.requests[1].said is not None
    assert demo.requests[1].said.text == "One two three"


async def test_a_pure_source_that_stands_in_before_the_first_token_keeps_its_names() -> None:
    refusal = UpstreamRefused("No.", status=401)
    demo = scripted(
        [BEGIN, LOST],
        [[TextDelta(part="text-1", text=" four"), END]],
        name="demo",
        continues="replay",
    )
    house = House(scripted([refusal]), demo)

    message = await house.run()

    assert message.text == "One two three four"
    assert [change.how for change in message.sources] == ["restart", "replay"]
    # So that it could go on after a crash, too.
    again = House(scripted([]), demo, said=message)
    message.outcome, message.parts[0].state = None, "open"
    step = await again.answering.first_step()
    assert (getattr(step, "source", None), getattr(step, "how", None)) == (1, "replay")


async def test_a_pure_source_cannot_go_on_with_anothers_words() -> None:
    demo = scripted([rest("Demo.")], name="demo", continues="replay")
    house = House(scripted([BEGIN, UpstreamStalled("Silence.")], [LOST]), demo)

    running = asyncio.create_task(house.run())
    await house.sleep.until(1.0)
    house.sleep.advance(CONTINUATION_SECONDS_MAX)
    with pytest.raises(UpstreamLost, match="time to go on"):
        await running

    assert demo.requests == []
    assert house.fold.message.text == "One two three"


async def test_waits_grow_until_the_budget_is_used_up() -> None:
    house = House(scripted([BEGIN, LOST], [LOST]), budget=Budget(calls_max=5, seconds_max=1000))
    running = asyncio.create_task(house.run())

    for seconds in (1.0, 2.0, 4.0):
        await house.sleep.until(seconds)
        house.sleep.advance(seconds)

    with pytest.raises(UpstreamLost, match="5 calls were made"):
        await running


async def test_time_is_a_budget_too() -> None:
    house = House(scripted([BEGIN, LOST], [LOST]), budget=Budget(calls_max=20, seconds_max=2.0))
    running = asyncio.create_task(house.run())

    for seconds in (1.0, 2.0):
        await house.sleep.until(seconds)
        house.sleep.advance(seconds)

    with pytest.raises(UpstreamLost, match="time to go on"):
        await running


async def test_a_cancel_during_a_wait_ends_it() -> None:
    model = scripted([BEGIN, LOST], [LOST])
    house = House(model)
    running = asyncio.create_task(house.run())
    await house.sleep.until(1.0)

    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

    assert model.live == 0


async def test_closing_the_answer_closes_the_call_of_the_one_who_goes_on() -> None:
    gate = Gate()
    second = scripted([BEGIN, gate], name="two")
    house = House(scripted([BEGIN, UpstreamStalled("x")]), second)
    running = asyncio.create_task(house.run())
    await gate.until_waited_for()

    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

    assert (second.live, second.closed) == (0, 1)


async def test_no_place_at_one_provider_is_a_place_at_the_next() -> None:
    house = House(scripted([UpstreamBusy("Full.")]), scripted([rest("Two.")], name="two"))

    message = await house.run()

    assert (message.text, message.sources[0].reason) == ("Two.", "upstream_busy")


async def test_what_was_held_back_of_a_call_that_broke_is_not_told() -> None:
    model = scripted(
        [BEGIN, LOST], [[TextStart(part="text-1"), TextDelta(part="text-1", text="One tw")], LOST]
    )
    house = House(model, scripted([rest(" four")], name="two"))

    message = await house.run()

    assert message.text == "One two three four"


async def test_thinking_beside_words_is_closed_and_the_words_go_on() -> None:
    begin: list[Event] = [
        *BEGIN,
        ReasoningStart(part="reasoning-1"),
        ReasoningDelta(part="reasoning-1", text="Hm"),
    ]
    house = House(scripted([begin, LOST], [rest(" four")]))

    message = await house.run()

    assert message.text == "One two three four"
    assert [(part.type, part.state) for part in message.parts] == [
        ("text", "done"),
        ("reasoning", "cut"),
    ]


async def test_a_call_that_broke_twice_never_has_one_name_twice() -> None:
    call: list[Event] = [ToolStart(call="c", name="look"), ToolDelta(call="c", text="{")]
    house = House(scripted([call, LOST]), budget=Budget(calls_max=3))

    with pytest.raises(UpstreamLost):
        await house.run()

    assert [event.part for event in house.events if isinstance(event, PartDiscard)] == ["c", "c@2"]


async def test_after_a_crash_an_answer_that_lacks_only_its_end_gets_it() -> None:
    said = Message(parts=[Part(type="text", id="text-1", text="All.", state="done")])
    model = scripted([rest("More")])
    house = House(model, said=said)

    events = [event async for batch in house.answering.batches() for event in batch]

    assert events == [END]
    assert model.requests == []
    assert isinstance(await House(model, said=said).answering.first_step(), Finish)


async def test_after_a_crash_the_one_who_spoke_last_goes_on() -> None:
    said = Message(
        parts=[Part(type="text", id="text-1", text="One two three")],
        sources=[SourceChange(reason="x", attempt=2, how="prompt", model="test/two")],
        tokens=3,
    )
    one, two = (
        scripted([rest(" 1")]),
        scripted([rest(" four", Usage(completion_tokens=2))], name="two"),
    )
    house = House(one, two, said=said)

    events = [event async for batch in house.answering.batches() for event in batch]

    assert one.requests == []
    assert events[0] == TextDelta(part="text-1", text=" four")
    # What was used before the crash is counted by its pieces.
    assert [event.completion_tokens for event in events if isinstance(event, Usage)] == [5]


async def test_after_a_crash_policy_and_capabilities_decide() -> None:
    said = Message(parts=[Part(type="text", id="text-1", text="One")])
    silent = House(scripted([], continues="no"), said=said)
    failing = House(scripted([]), said=said, policy="fail")

    assert isinstance(await silent.answering.first_step(), GiveUp)
    assert isinstance(await failing.answering.first_step(), GiveUp)
    with pytest.raises(PeerError, match="cannot go on"):
        await failing.run()


@pytest.mark.parametrize(
    ("structured", "by_schema", "as_object"),
    [(None, True, False), ("schema", True, True), ("object", False, True), ("no", False, False)],
)
def test_an_operator_says_what_a_models_provider_holds_it_to(
    structured: Any, by_schema: bool, as_object: bool
) -> None:
    model = ScriptedModel([], capabilities=Capabilities(json_schema=True))
    rules = ModelRules(structured=structured)
    candidate = Candidate(name="x", models=NoCatalogue(), rules=rules, model=model)

    facts = candidate.capabilities

    assert (facts.json_schema, facts.json_object) == (by_schema, as_object)


def test_an_operators_word_on_a_model_counts_more_than_its_name() -> None:
    rules = ModelRules(continues="prefill", prefill="final")
    candidate = Candidate(
        name="x", models=NoCatalogue(), rules=rules, model=scripted([], continues="no")
    )

    facts = candidate.capabilities

    assert (facts.continues, facts.prefill) == ("prefill", "final")
    assert not candidate.as_source(spoke_alone=True).is_out
