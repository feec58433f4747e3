"""Tool calls by a schema: when it is made, what it allows, and what the model is told."""

import json
from typing import Any

import pytest

from potok.errors import RequestInvalid
from potok.models.gguf.calling import CallPlan, plan_calls

WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "Weather of a city",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}
NOW = {"type": "function", "function": {"name": "now"}}
ASKED = ({"role": "user", "content": "Hi"},)


def plan(
    *tools: Any, messages: tuple[Any, ...] = ASKED, knows: bool = False, **parameters: Any
) -> CallPlan | None:
    if tools:
        parameters["tools"] = list(tools)
    return plan_calls(parameters, messages, template_knows=knows)


def made(*tools: Any, **parameters: Any) -> CallPlan:
    found = plan(*tools, **parameters)
    assert found is not None
    return found


def kinds_in(schema: Any) -> list[str]:
    items = schema["properties"]["calls"]["items"]
    return [kind["properties"]["name"]["const"] for kind in items.get("anyOf", [items])]


def named(name: str) -> Any:
    return {"type": "function", "function": {"name": name}}


def test_a_request_without_tools_is_left_alone() -> None:
    assert plan() is None
    assert plan(WEATHER, tool_choice="none") is None


def test_a_model_that_may_choose_can_answer_or_call() -> None:
    answer, calls = made(WEATHER, NOW).schema["anyOf"]

    assert answer["properties"] == {"answer": {"type": "string"}}
    assert kinds_in(calls) == ["weather", "now"]


def test_a_model_that_must_call_can_do_nothing_else() -> None:
    assert kinds_in(made(WEATHER, NOW, tool_choice="required").schema) == ["weather", "now"]
    assert kinds_in(made(WEATHER, NOW, tool_choice=named("now")).schema) == ["now"]


def test_allowed_tools_narrow_the_choice() -> None:
    allowed = {"mode": "required", "tools": [named("now")]}

    found = made(WEATHER, NOW, tool_choice={"type": "allowed_tools", "allowed_tools": allowed})

    assert kinds_in(found.schema) == ["now"]


def test_a_call_that_must_be_made_needs_a_function() -> None:
    with pytest.raises(RequestInvalid) as caught:
        plan({"type": "custom", "custom": {"name": "shell"}}, tool_choice="required")

    assert caught.value.param == "tool_choice"


def test_tools_without_parameters_take_none() -> None:
    items = made(NOW, tool_choice="required").schema["properties"]["calls"]["items"]

    assert items["properties"]["arguments"] == {
        "type": "object",
        "properties": {},
        "additionalProperties": False,
    }


def test_one_call_at_a_time_is_obeyed() -> None:
    several = made(NOW, tool_choice="required").schema
    single = made(NOW, tool_choice="required", parallel_tool_calls=False).schema

    assert several["properties"]["calls"]["maxItems"] > 1
    assert single["properties"]["calls"]["maxItems"] == 1


def test_a_template_that_knows_tools_is_left_to_its_own_way() -> None:
    assert plan(WEATHER, knows=True) is None
    assert plan(WEATHER, knows=True, tool_choice="required") is not None


def test_an_answer_in_json_may_stand_beside_calls() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}}
    wanted = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}

    found = made(WEATHER, knows=True, response_format=wanted)

    assert found.schema["anyOf"][0]["properties"] == {"answer": schema}


def test_the_model_is_told_of_the_tools_in_one_system_message() -> None:
    alone = made(WEATHER).messages
    system = {"role": "system", "content": "Be brief."}
    beside = made(WEATHER, messages=(system, *ASKED)).messages

    assert [message["role"] for message in alone] == ["system", "user"]
    assert '"weather"' in alone[0]["content"]
    assert [message["role"] for message in beside] == ["system", "user"]
    assert beside[0]["content"].startswith("Be brief.\n\n")


CALLED = {
    "role": "assistant",
    "content": None,
    "tool_calls": [
        {"id": "c1", "type": "function", "function": {"name": "now", "arguments": '{"a":1}'}}
    ],
}
RESULT = {"role": "tool", "tool_call_id": "c1", "content": "noon"}


def test_calls_and_results_are_retold_to_a_template_that_knows_none() -> None:
    _, called, result = made(NOW, messages=(CALLED, RESULT)).messages

    assert json.loads(called["content"]) == {"calls": [{"name": "now", "arguments": {"a": 1}}]}
    assert result == {"role": "user", "content": "Result of c1: noon"}


def test_they_stay_as_they_are_for_one_that_does() -> None:
    found = made(NOW, messages=(CALLED, RESULT), knows=True, tool_choice="required")

    assert found.messages[1:] == (CALLED, RESULT)
