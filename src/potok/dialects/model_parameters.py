"""Checks the model parameters that OpenAI documents; all others pass through as they came."""

from collections.abc import Callable
from typing import Any

from potok.errors import RequestInvalid
from potok.events.json_schema import check_schema
from potok.events.messages import json_word
from potok.events.run_request import JsonObject
from potok.limits import (
    CHOICES_MAX,
    NAME_CHARACTERS_MAX,
    STOP_SEQUENCES_MAX,
    TOOLS_MAX,
    TOP_LOGPROBS_MAX,
)

__all__ = ["KNOWN_PARAMETERS", "check_model_name", "check_parameters"]

_Check = Callable[[Any, str], None]


def check_parameters(fields: JsonObject) -> JsonObject:
    """Return the parameters, checked; a known one that is null counts as not given.

    Raises:
        RequestInvalid: one has the wrong type or is out of its range; `param` names it.
    """
    kept: JsonObject = {}
    for name, value in fields.items():
        check = _CHECKS.get(name)
        if check is None:
            kept[name] = value
        elif value is not None:
            check(value, name)
            kept[name] = value
    _check_together(kept)
    return kept


def _check_together(kept: JsonObject) -> None:
    if "top_logprobs" in kept and kept.get("logprobs") is not True:
        raise RequestInvalid("`top_logprobs` needs `logprobs: true`.", param="top_logprobs")
    if "max_tokens" in kept and "max_completion_tokens" in kept:
        raise RequestInvalid(
            "`max_tokens` and `max_completion_tokens` say the same: send one of them.",
            param="max_tokens",
        )
    if "tool_choice" in kept:
        _check_choice(kept["tool_choice"], kept.get("tools") or [])
    if "parallel_tool_calls" in kept and not kept.get("tools"):
        raise RequestInvalid("`parallel_tool_calls` needs `tools`.", param="parallel_tool_calls")


def check_model_name(value: object) -> str:
    """Return the model's name.

    Raises:
        RequestInvalid: it is no string, empty or too long.
    """
    if not isinstance(value, str) or not value.strip():
        raise RequestInvalid(
            "`model` must name a model; GET /v1/models lists those served here.", param="model"
        )
    if len(value) > NAME_CHARACTERS_MAX:
        raise RequestInvalid(
            f"`model` is longer than {NAME_CHARACTERS_MAX} characters.", param="model"
        )
    return value


def _refuse(param: str, wanted: str, value: object) -> RequestInvalid:
    found = str(value) if type(value) in (int, float) else json_word(value)
    return RequestInvalid(f"`{param}` must be {wanted}, not {found}.", param=param)


def _number(low: float, high: float) -> _Check:
    def check(value: Any, param: str) -> None:
        if type(value) not in (int, float) or not low <= value <= high:
            raise _refuse(param, f"a number from {low:g} to {high:g}", value)

    return check


def _integer(low: int | None = None, high: int | None = None) -> _Check:
    if low is None:
        wanted = "an integer"
    else:
        wanted = f"an integer from {low}" + (" on" if high is None else f" to {high}")

    def check(value: Any, param: str) -> None:
        fits = type(value) is int
        if not fits or (low is not None and value < low) or (high is not None and value > high):
            raise _refuse(param, wanted, value)

    return check


def _boolean(value: Any, param: str) -> None:
    if not isinstance(value, bool):
        raise _refuse(param, "true or false", value)


def _string(value: Any, param: str) -> None:
    if not isinstance(value, str):
        raise _refuse(param, "a string", value)


def _object(value: Any, param: str) -> None:
    if not isinstance(value, dict):
        raise _refuse(param, "an object", value)


def _logit_bias(value: Any, param: str) -> None:
    _object(value, param)
    for token, bias in value.items():
        if type(bias) not in (int, float) or not -100 <= bias <= 100:
            raise _refuse(f"{param}.{token[:40]}", "a number from -100 to 100", bias)


def _stop(value: Any, param: str) -> None:
    if isinstance(value, str):
        return
    fits = isinstance(value, list) and len(value) <= STOP_SEQUENCES_MAX
    if not fits or not all(isinstance(one, str) for one in value):
        raise _refuse(param, f"a string or an array of up to {STOP_SEQUENCES_MAX} strings", value)


def _tools(value: Any, param: str) -> None:
    if not isinstance(value, list) or len(value) > TOOLS_MAX:
        raise _refuse(param, f"an array of up to {TOOLS_MAX} tools", value)
    for place, tool in enumerate(value):
        at = f"{param}[{place}]"
        if not isinstance(tool, dict) or not isinstance(tool.get("type"), str):
            raise _refuse(at, "an object with a `type`", tool)
        if tool["type"] == "function":
            function = tool.get("function")
            name = function.get("name") if isinstance(function, dict) else None
            if not isinstance(name, str) or not name:
                raise _refuse(f"{at}.function.name", "a name", name)
            schema = function.get("parameters") if isinstance(function, dict) else None
            if schema is not None and not isinstance(schema, dict):
                raise _refuse(f"{at}.function.parameters", "a JSON schema", schema)
            if schema:
                check_schema(schema, param=f"{at}.function.parameters")


def _tool_choice(value: Any, param: str) -> None:
    if value in ("none", "auto", "required"):
        return
    if not isinstance(value, dict) or not isinstance(value.get("type"), str):
        raise _refuse(param, "none, auto, required or an object that names a tool", value)


def _check_choice(choice: Any, tools: list[JsonObject]) -> None:
    if not tools:
        raise RequestInvalid("`tool_choice` needs `tools`.", param="tool_choice")
    if not isinstance(choice, dict) or choice["type"] != "function":
        return
    function = choice.get("function")
    name = function.get("name") if isinstance(function, dict) else None
    known = [tool["function"]["name"] for tool in tools if tool["type"] == "function"]
    if name not in known:
        raise RequestInvalid("`tool_choice` names none of the `tools`.", param="tool_choice")


def _response_format(value: Any, param: str) -> None:
    if not isinstance(value, dict) or not isinstance(value.get("type"), str):
        raise _refuse(param, "an object with a `type`", value)
    if value["type"] != "json_schema":
        return
    named = value.get("json_schema")
    if not isinstance(named, dict):
        raise _refuse(f"{param}.json_schema", "an object", named)
    if not isinstance(named.get("name"), str) or not named["name"]:
        raise _refuse(f"{param}.json_schema.name", "a name", named.get("name"))
    if not isinstance(named.get("schema"), dict):
        raise _refuse(f"{param}.json_schema.schema", "a JSON schema", named.get("schema"))
    if not isinstance(named.get("strict"), bool | None):
        raise _refuse(f"{param}.json_schema.strict", "true or false", named["strict"])
    check_schema(named["schema"], param=f"{param}.json_schema.schema")


_CHECKS: dict[str, _Check] = {
    "frequency_penalty": _number(-2, 2),
    "logit_bias": _logit_bias,
    "logprobs": _boolean,
    "max_completion_tokens": _integer(1),
    "max_tokens": _integer(1),
    "metadata": _object,
    "n": _integer(1, CHOICES_MAX),
    "parallel_tool_calls": _boolean,
    "presence_penalty": _number(-2, 2),
    "reasoning_effort": _string,
    "response_format": _response_format,
    "seed": _integer(),
    "stop": _stop,
    "temperature": _number(0, 2),
    "tool_choice": _tool_choice,
    "tools": _tools,
    "top_logprobs": _integer(0, TOP_LOGPROBS_MAX),
    "top_p": _number(0, 1),
    "user": _string,
}

KNOWN_PARAMETERS = frozenset(_CHECKS)
"""The parameters that are checked here, for faces whose bodies hold fields of other kinds, too."""
