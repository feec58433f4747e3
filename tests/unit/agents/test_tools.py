"""Tools: logged before and after, done once, bounded in time, and their faults told in words."""

import asyncio
from collections.abc import Sequence
from typing import Any

import msgspec

from potok.agents.contract import Turn
from potok.agents.graphs import Graphs
from potok.agents.node import Node
from potok.agents.registry import AgentRegistry
from potok.agents.tools import Tool, say_with_tools
from potok.clock import RunId
from potok.errors import RequestInvalid
from potok.events.fold import Fold
from potok.events.kinds import (
    GRAMMAR_VERSION,
    Event,
    RunEnd,
    RunStart,
    TextDelta,
    TextEnd,
    TextStart,
    ToolDelta,
    ToolEnd,
    ToolResult,
    ToolStart,
)
from potok.events.run_request import RunRequest
from potok.models.catalogue import Catalogue
from potok.testing.fakes import FakeClock
from potok.testing.scripted_model import ScriptedModel, ScriptedProvider, Step

RUN = RunId("01tools0run00000000000000")
END = RunEnd(outcome="finished", finish_reason="stop")


def asks_for(name: str, arguments: str, *, call: str = "call_1") -> list[Step]:
    return [
        [ToolStart(call=call, name=name)],
        [ToolDelta(call=call, text=arguments), ToolEnd(call=call)],
        [RunEnd(outcome="finished", finish_reason="tool_calls")],
    ]


def says(text: str) -> list[Step]:
    return [[TextStart(part="t"), TextDelta(part="t", text=text), TextEnd(part="t")], [END]]


def weather(calls: list[Any], **more: Any) -> Tool:
    async def look(arguments: dict[str, Any]) -> Any:
        calls.append(arguments)
        return {"degrees": 7}

    return Tool(
        **{
            "name": "weather",
            "description": "The weather of a town.",
            "parameters": {"type": "object", "properties": {"town": {"type": "string"}}},
            "call": look,
            **more,
        }
    )


async def run_with(
    model: ScriptedModel, tools: Sequence[Tool], *, heard: Sequence[Event] = (), **wishes: Any
) -> list[Event]:
    registry = AgentRegistry(Catalogue([ScriptedProvider([model])], clock=FakeClock()))

    async def answer(node: Node) -> None:
        await say_with_tools(node, [{"role": "user", "content": "Cold?"}], tools, **wishes)

    agent = Graphs(models=registry, checkpoints=None).function("helper", answer)  # type: ignore[arg-type]
    turn = Turn(run=RUN, request=RunRequest(agent="helper", input="Cold?"))
    if heard:
        fold = Fold()
        for event in [RunStart(run=RUN, version=GRAMMAR_VERSION, agent="helper"), *heard]:
            fold.feed(event)
        turn = msgspec.structs.replace(turn, attempt=2, said=fold.message)
    return [event async for batch in agent.run(turn) for event in batch]


def results_in(events: Sequence[Event]) -> list[ToolResult]:
    return [event for event in events if isinstance(event, ToolResult)]


async def test_a_model_gets_what_its_tool_gave_and_answers() -> None:
    calls: list[Any] = []
    model = ScriptedModel(asks_for("weather", '{"town": "Ladoga"}'), says("Seven degrees."))

    events = await run_with(model, [weather(calls)])

    assert calls == [{"town": "Ladoga"}]
    assert [result.result for result in results_in(events)] == [{"degrees": 7}]
    assert model.requests[0].parameters["tools"][0]["function"]["name"] == "weather"
    assert model.requests[1].messages[-1] == {
        "role": "tool",
        "tool_call_id": "call_1",
        "content": '{"degrees":7}',
    }
    assert [event.text for event in events if isinstance(event, TextDelta)] == ["Seven degrees."]


async def test_a_logged_result_is_used_again_and_the_tool_is_not_called() -> None:
    calls: list[Any] = []
    scripts = asks_for("weather", "{}"), says("Seven degrees.")
    events = await run_with(ScriptedModel(*scripts), [weather(calls)])
    cut = next(place for place, event in enumerate(events) if isinstance(event, ToolResult)) + 1

    model = ScriptedModel(says("Seven degrees."))
    rest = await run_with(model, [weather(calls)], heard=events[:cut])

    assert len(calls) == 1
    assert not results_in(rest)
    assert model.requests[0].messages[-1]["content"] == '{"degrees":7}'


async def test_a_tool_that_must_not_be_repeated_is_not_when_its_deed_is_in_doubt() -> None:
    calls: list[Any] = []
    tool = weather(calls, is_repeatable=False)
    events = await run_with(ScriptedModel(asks_for("weather", "{}"), says("7")), [tool])
    cut = next(place for place, event in enumerate(events) if isinstance(event, ToolResult))

    rest = await run_with(ScriptedModel(says("Unknown.")), [tool], heard=events[:cut])

    assert len(calls) == 1
    assert "must not be done twice" in str(results_in(rest)[0].error)


async def test_a_tool_that_gives_nothing_is_done_and_not_called_again() -> None:
    calls: list[Any] = []

    async def send(arguments: dict[str, Any]) -> None:
        calls.append(arguments)

    tool = weather(calls, call=send, is_repeatable=False)
    events = await run_with(ScriptedModel(asks_for("weather", "{}"), says("Sent.")), [tool])
    cut = next(place for place, event in enumerate(events) if isinstance(event, ToolResult)) + 1

    rest = await run_with(ScriptedModel(says("Sent.")), [tool], heard=events[:cut])

    assert [result.result for result in results_in(events)] == ["done"]
    assert (len(calls), results_in(rest)) == (1, [])


async def test_a_slow_tool_is_cancelled_and_its_model_told() -> None:
    async def never(arguments: dict[str, Any]) -> Any:
        await asyncio.Event().wait()

    tool = weather([], call=never, timeout_seconds=0.01)

    events = await run_with(ScriptedModel(asks_for("weather", "{}"), says("Sorry.")), [tool])

    assert results_in(events)[0].error == "The tool took longer than 0.01 seconds."


async def test_what_a_tool_raises_is_told_without_its_words_unless_it_is_ours() -> None:
    async def breaks(arguments: dict[str, Any]) -> Any:
        raise ValueError("the password is 1234")

    async def refuses(arguments: dict[str, Any]) -> Any:
        raise RequestInvalid("There is no such town.")

    errors = []
    for call in (breaks, refuses):
        model = ScriptedModel(asks_for("weather", "{}"), says("Sorry."))
        events = await run_with(model, [weather([], call=call)])
        errors.append(results_in(events)[0].error)

    assert errors == ["The tool failed.", "There is no such town."]


async def test_wrong_arguments_and_unknown_tools_are_told_to_the_model() -> None:
    errors = []
    for name, arguments in (
        ("weather", "{"),
        ("weather", "[" * 100_000),
        ("weather", "[1]"),
        ("storm", "{}"),
    ):
        model = ScriptedModel(asks_for(name, arguments), says("Sorry."))
        errors.append(results_in(await run_with(model, [weather([])]))[0].error)

    assert errors == [
        "The arguments are no JSON.",
        "The arguments are no JSON.",
        "The arguments are no JSON object.",
        "There is no tool 'storm'.",
    ]


async def test_a_model_that_never_stops_asking_is_asked_without_tools_at_last() -> None:
    calls: list[Any] = []
    rounds = [asks_for("weather", "{}", call=f"call_{number}") for number in range(2)]
    model = ScriptedModel(*rounds, says("Enough."))

    events = await run_with(model, [weather(calls)], rounds_max=2)

    assert len(calls) == 2
    assert "tools" not in model.requests[-1].parameters
    assert [event.text for event in events if isinstance(event, TextDelta)] == ["Enough."]
