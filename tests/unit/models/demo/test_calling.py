import json
from typing import Any

import pytest

from potok.events.fold import Fold
from potok.events.kinds import RunEnd, RunStart, ToolDelta
from potok.events.run_request import JsonObject
from potok.models.contract import ChatRequest
from potok.models.demo.answering import answer_events
from potok.models.demo.calling import calls_for, tell_results

CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


def tool(name: str, description: str = "", parameters: Any = CITY) -> JsonObject:
    function = {"name": name, "description": description, "parameters": parameters}
    return {"type": "function", "function": function}


WEATHER, CLOCK = tool("get_weather"), tool("current_time", "The time in a city")


def ask(*messages: JsonObject | str, **parameters: Any) -> ChatRequest:
    said = [{"role": "user", "content": one} if isinstance(one, str) else one for one in messages]
    return ChatRequest(model="demo", messages=tuple(said), parameters=parameters)


def names(request: ChatRequest) -> list[str]:
    return [call.name for call in calls_for(request)]


def test_a_question_calls_the_tool_that_its_words_name() -> None:
    [call] = calls_for(ask("What is the weather in Perm?", tools=[CLOCK, WEATHER]))

    assert call.name == "get_weather"
    assert json.loads(call.arguments) == {"city": "Perm"}


def test_a_question_may_call_several_tools_at_once() -> None:
    request = ask("Weather and time in Perm?", tools=[WEATHER, CLOCK])

    assert names(request) == ["get_weather", "current_time"]
    assert len({call.id for call in calls_for(request)}) == 2


@pytest.mark.parametrize(
    ("parameters", "called"),
    [
        ({"tool_choice": "none"}, []),
        ({"tool_choice": "auto"}, ["get_weather", "current_time"]),
        ({"parallel_tool_calls": False}, ["get_weather"]),
        (
            {"tool_choice": {"type": "function", "function": {"name": "current_time"}}},
            ["current_time"],
        ),
    ],
)
def test_the_choice_of_tools_is_obeyed(parameters: JsonObject, called: list[str]) -> None:
    request = ask("Weather and time in Perm?", tools=[WEATHER, CLOCK], **parameters)

    assert names(request) == called


def test_a_call_that_is_required_is_made_whatever_the_question() -> None:
    assert names(ask("Hello!", tools=[WEATHER])) == []
    assert names(ask("Hello!", tools=[WEATHER], tool_choice="required")) == ["get_weather"]


def test_the_same_request_makes_the_same_call_and_a_later_turn_another() -> None:
    one = ask("Weather in Perm?", tools=[WEATHER])
    later = ask("Hi", "Weather in Perm?", tools=[WEATHER])

    assert calls_for(one) == calls_for(one)
    assert calls_for(one)[0].id != calls_for(later)[0].id


def test_results_are_told_and_not_asked_for_again() -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "get_weather", "arguments": ""}}
    request = ask(
        "Weather in Perm?",
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": "sunny, 21 degrees"},
        tools=[WEATHER],
    )

    assert names(request) == []
    assert tell_results(request) == "`get_weather`: sunny, 21 degrees"
    assert tell_results(ask("Hi")) is None


def test_a_call_that_was_begun_goes_on_exactly() -> None:
    request = ask("Weather and time in Perm?", tools=[WEATHER, CLOCK])
    events = list(answer_events(request))

    for cut in range(1, len(events)):
        fold = Fold()
        fold.feed(RunStart(run="r", version=1, model="demo"))
        for event in events[:cut]:
            fold.feed(event)
        rest = list(
            answer_events(
                ChatRequest(
                    model="demo",
                    messages=request.messages,
                    parameters=request.parameters,
                    said=fold.message,
                )
            )
        )
        for event in rest:
            fold.feed(event)
        calls = [part for part in fold.message.parts if part.type == "tool"]
        assert [json.loads(part.text) for part in calls] == [{"city": "Perm"}, {"city": "Perm"}]
        assert all(part.state == "done" for part in calls)


def test_calls_end_with_their_own_reason() -> None:
    events = list(answer_events(ask("Weather in Perm?", tools=[WEATHER])))

    assert any(isinstance(event, ToolDelta) for event in events)
    assert events[-1] == RunEnd(outcome="finished", finish_reason="tool_calls")
