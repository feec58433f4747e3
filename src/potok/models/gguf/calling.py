"""Tool calls of models whose template knows no tools, and calls that must be made. Pure.

llama.cpp makes a model call tools only where its template has a way of its own, and forces nobody.
So the choice is made a JSON schema here: the model can write nothing but a call, or an answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from potok.errors import RequestInvalid
from potok.events.run_request import JsonObject, text_of
from potok.limits import GGUF_CALLS_MAX

__all__ = ["ANSWER", "ARGUMENTS", "CALLS", "NAME", "CallPlan", "plan_calls"]

Json = Any

ANSWER, CALLS, NAME, ARGUMENTS = "answer", "calls", "name", "arguments"
"""The fields of a reply: `{"calls": [{"name", "arguments"}]}` or `{"answer"}`."""

_TEXT = {"type": "string"}
_NO_ARGUMENTS = {"type": "object", "properties": {}, "additionalProperties": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class CallPlan:
    """The schema of the whole reply, and the messages that explain it."""

    schema: JsonObject
    messages: tuple[JsonObject, ...]


def plan_calls(
    parameters: JsonObject, messages: Sequence[JsonObject], *, template_knows: bool
) -> CallPlan | None:
    """Return how calls are made by a schema; None where that is the template's, or nobody's task.

    Args:
        template_knows: Whether the model's own template shows tools to it. It is left alone as long
            as the model may choose, and is not asked for JSON at the same time.

    Raises:
        RequestInvalid: `tool_choice` asks for a call, and none of the tools is a function.
    """
    choice, tools = _chosen(parameters)
    must = choice == "required"
    if choice == "none" or not (tools or must):
        return None
    if not tools:
        raise RequestInvalid(
            "A local model calls functions only, and none of `tools` that `tool_choice` allows is"
            " one.",
            param="tool_choice",
        )
    answer = _schema_of_answer(parameters)
    if template_knows and not must and answer is _TEXT:
        return None
    several = parameters.get("parallel_tool_calls") is not False
    calls = _schema_of_calls(tools, calls_max=GGUF_CALLS_MAX if several else 1)
    schema = calls if must else {"anyOf": [_object({ANSWER: answer}), calls]}
    told = messages if template_knows else [_retold(message) for message in messages]
    return CallPlan(
        schema=schema, messages=_explained(told, _explanation(tools, must=must, answer=answer))
    )


def _chosen(parameters: JsonObject) -> tuple[str, list[JsonObject]]:
    """Return the mode, and the functions that it allows."""
    tools = parameters.get("tools")
    functions = [
        tool["function"]
        for tool in (tools if isinstance(tools, list | tuple) else ())
        if isinstance(tool, dict) and tool.get("type", "function") == "function"
        if isinstance(tool.get("function"), dict)
        if isinstance(tool["function"].get("name"), str)
    ]
    choice: Json = parameters.get("tool_choice") or "auto"
    if not isinstance(choice, dict):
        return str(choice), functions
    allowed = choice.get("allowed_tools")
    if isinstance(allowed, dict):
        entries = allowed.get("tools")
        named = [entry for entry in entries or () if isinstance(entry, dict)]
        names = {_name_in(entry) for entry in named}
        mode = str(allowed.get("mode", "auto"))
    else:
        names, mode = {_name_in(choice)}, "required"
    return mode, [function for function in functions if function["name"] in names]


def _name_in(choice: JsonObject) -> Json:
    function = choice.get("function")
    return function.get("name") if isinstance(function, dict) else choice.get("name")


def _schema_of_answer(parameters: JsonObject) -> JsonObject:
    wanted = parameters.get("response_format")
    kind = wanted.get("type") if isinstance(wanted, dict) else None
    if kind == "json_object":
        return {"type": "object"}
    if kind == "json_schema":
        inner = wanted.get("json_schema") if isinstance(wanted, dict) else None
        schema = inner.get("schema") if isinstance(inner, dict) else None
        return schema if isinstance(schema, dict) else {"type": "object"}
    return _TEXT


def _schema_of_calls(tools: Sequence[JsonObject], *, calls_max: int) -> JsonObject:
    kinds = [
        _object({NAME: {"const": tool["name"]}, ARGUMENTS: _schema_of_arguments(tool)})
        for tool in tools
    ]
    items = kinds[0] if len(kinds) == 1 else {"anyOf": kinds}
    return _object({CALLS: {"type": "array", "items": items, "minItems": 1, "maxItems": calls_max}})


def _schema_of_arguments(tool: JsonObject) -> JsonObject:
    schema = tool.get("parameters")
    return schema if isinstance(schema, dict) and schema else _NO_ARGUMENTS


def _object(properties: JsonObject) -> JsonObject:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _explanation(tools: Sequence[JsonObject], *, must: bool, answer: JsonObject) -> str:
    listed = "\n".join(
        msgspec.json.encode(
            {
                NAME: tool["name"],
                "description": tool.get("description", ""),
                "parameters": _schema_of_arguments(tool),
            }
        ).decode()
        for tool in tools
    )
    form = '{"calls": [{"name": "...", "arguments": {...}}]}'
    if must:
        return f"Call one or more of these tools. Reply with JSON alone: {form}\n{listed}"
    said = '{"answer": "..."}' if answer is _TEXT else '{"answer": {...}}'
    return (
        f"You may call these tools. Reply with JSON alone: {form} to call, or {said} to answer the"
        f" user when no tool is needed or their results are there.\n{listed}"
    )


def _explained(messages: Sequence[JsonObject], words: str) -> tuple[JsonObject, ...]:
    first = messages[0] if messages else {}
    if first.get("role") in ("system", "developer"):
        # Some templates take one system message, and only in the first place.
        return ({**first, "content": f"{text_of(first)}\n\n{words}"}, *messages[1:])
    return ({"role": "system", "content": words}, *messages)


def _retold(message: JsonObject) -> JsonObject:
    """Return a message as a template takes it that knows neither calls nor their results."""
    role, calls = message.get("role"), message.get("tool_calls")
    if role in ("tool", "function"):
        name = message.get("name") or message.get("tool_call_id") or "the tool"
        return {"role": "user", "content": f"Result of {name}: {text_of(message)}"}
    if role == "assistant" and isinstance(calls, list | tuple) and calls:
        made = [_made(call) for call in calls if isinstance(call, dict)]
        return {"role": "assistant", "content": msgspec.json.encode({CALLS: made}).decode()}
    return message


def _made(call: JsonObject) -> JsonObject:
    function = call.get("function")
    body = function if isinstance(function, dict) else {}
    text = body.get("arguments")
    try:
        arguments = msgspec.json.decode(text) if isinstance(text, str) else {}
    except (msgspec.DecodeError, RecursionError):
        arguments = text
    return {NAME: body.get("name"), ARGUMENTS: arguments}
