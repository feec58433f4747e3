"""The request of `POST /v1/responses`: checked, and turned into a run request.

What a response repeats of its request, and its input items, are kept in `RunRequest.input`: they
are stored with the run, so that any worker can retrieve, list and go on with it.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from potok.dialects.model_parameters import check_model_name, check_parameters
from potok.dialects.openai_responses_input import answer_messages, input_messages, read_items
from potok.errors import RequestInvalid
from potok.events.fold import Message
from potok.events.messages import check_messages, json_word
from potok.events.run_request import JsonObject, RunRequest
from potok.limits import METADATA_PAIRS_MAX, TOOLS_MAX

__all__ = ["ParsedResponse", "Stored", "go_on_after", "parse_response_request", "stored_of"]

_LOGPROBS = "message.output_text.logprobs"
_READING_FIELDS = frozenset({"stream", "stream_options", "include"})
# They need services of OpenAI's that a model's provider behind Potok has not.
_NOT_HERE = {
    "conversation": "send `previous_response_id` instead",
    "prompt": "send the prompt's text as `instructions` or `input`",
    "context_management": "send the items that the model shall see",
}
# What a response repeats word for word.
_REPEATED = (
    *("instructions", "max_output_tokens", "max_tool_calls", "metadata", "parallel_tool_calls"),
    *("previous_response_id", "reasoning", "temperature", "text", "tool_choice", "tools"),
    *("top_logprobs", "top_p", "truncation", "user", "background", "store"),
    *("safety_identifier", "prompt_cache_key"),
)
# Fields of Chat Completions by what they are called here.
_OWN_NAMES = (
    ("response_format.json_schema", "text.format"),
    ("response_format", "text.format"),
    (".function.", "."),
    ("max_completion_tokens", "max_output_tokens"),
    ("reasoning_effort", "reasoning.effort"),
)
# Parameters with the same name and meaning in Chat Completions.
_SAME = ("temperature", "top_p", "user", "safety_identifier")


class Stored(msgspec.Struct, frozen=True):
    """What a run keeps for the responses face."""

    asked: JsonObject
    items: list[JsonObject]

    @property
    def is_kept(self) -> bool:
        """Whether the response may be retrieved (`store`)."""
        return self.asked.get("store") is not False

    @property
    def has_instructions(self) -> bool:
        """Whether the run's first message holds its instructions."""
        return bool(self.asked.get("instructions"))


class ParsedResponse(msgspec.Struct, frozen=True):
    """A checked request, and how its caller wants to read the answer."""

    request: RunRequest
    stream: bool = False
    background: bool = False
    previous: str | None = None
    """The response to go on after: see `go_on_after`."""


def parse_response_request(body: JsonObject, *, language: str = "en") -> ParsedResponse:
    """Check a body and return what it asks for.

    Raises:
        RequestInvalid: a field is wrong; `param` names it as OpenAI does.
        BodyTooLarge: one message is over its limit.
    """
    _refuse_other_protocols(body)
    model = check_model_name(body.get("model"))
    given = {name: value for name, value in body.items() if value is not None}
    for name, check in _CHECKS.items():
        if name in given:
            check(given[name], name)
    if given.get("background") and given.get("store") is False:
        raise RequestInvalid("`background` needs `store: true`.", param="background")
    items = read_items(body.get("input"))
    messages = input_messages(items)
    instructions = given.get("instructions")
    if instructions:
        messages.insert(0, {"role": "system", "content": instructions})
    if not messages:
        raise RequestInvalid("`input` says nothing that a model can read.", param="input")
    asked = {name: given[name] for name in _REPEATED if name in given}
    request = RunRequest(
        model=model,
        messages=check_messages(messages, param="input"),
        parameters=_checked(_parameters(given)),
        input={"asked": asked, "items": items},
        language=language,
        face="openai-responses",
    )
    return ParsedResponse(
        request=request,
        stream=given.get("stream", False),
        background=given.get("background", False),
        previous=given.get("previous_response_id"),
    )


def stored_of(request: RunRequest) -> Stored | None:
    """Return what the face kept with a run; None for a run of another face."""
    if request.face != "openai-responses":
        return None
    return msgspec.convert(request.input, Stored)


def go_on_after(request: RunRequest, *, earlier: RunRequest, answer: Message) -> RunRequest:
    """Return a request that shows its model an earlier response's conversation first.

    The earlier instructions are left out, as OpenAI does: each response has its own.

    Raises:
        RequestInvalid: together they are more messages than one request may have.
    """
    own, before = stored_of(request), stored_of(earlier)
    assert own is not None, "only responses go on after others"
    heads = request.messages[:1] if own.has_instructions else ()
    said = earlier.messages[1:] if before and before.has_instructions else earlier.messages
    messages = [*heads, *said, *answer_messages(answer), *request.messages[len(heads) :]]
    return msgspec.structs.replace(request, messages=check_messages(messages, param="input"))


def _refuse_other_protocols(body: JsonObject) -> None:
    if "messages" in body and "input" not in body:
        raise RequestInvalid(
            "The Responses API takes `input`; a body with `messages` goes to"
            " POST /v1/chat/completions.",
            param="messages",
        )
    for name, instead in _NOT_HERE.items():
        if body.get(name) is not None:
            raise RequestInvalid(f"`{name}` is not known here: {instead}.", param=name)


def _parameters(given: JsonObject) -> JsonObject:
    """Return the parameters as Chat Completions names them; unknown fields pass through."""
    parameters: JsonObject = {name: given[name] for name in _SAME if name in given}
    known = {"model", "input", *_REPEATED, *_READING_FIELDS, *_NOT_HERE}
    parameters.update({name: value for name, value in given.items() if name not in known})
    if "max_output_tokens" in given:
        parameters["max_completion_tokens"] = given["max_output_tokens"]
    if given.get("top_logprobs"):
        parameters.update(logprobs=True, top_logprobs=given["top_logprobs"])
    elif _LOGPROBS in given.get("include", ()):
        parameters["logprobs"] = True
    if effort := given.get("reasoning", {}).get("effort"):
        parameters["reasoning_effort"] = effort
    if tools := given.get("tools"):
        parameters["tools"] = [_tool(tool, f"tools[{at}]") for at, tool in enumerate(tools)]
        if "parallel_tool_calls" in given:
            parameters["parallel_tool_calls"] = given["parallel_tool_calls"]
        if "tool_choice" in given:
            parameters["tool_choice"] = _tool_choice(given["tool_choice"])
    elif given.get("tool_choice") not in (None, "auto", "none"):
        raise RequestInvalid("`tool_choice` needs `tools`.", param="tool_choice")
    text = given.get("text", {})
    if (form := _response_format(text.get("format"))) is not None:
        parameters["response_format"] = form
    if text.get("verbosity"):
        parameters["verbosity"] = text["verbosity"]
    return parameters


def _checked(parameters: JsonObject) -> JsonObject:
    """Return the parameters, checked; a fault is named as this API calls its field."""
    try:
        return check_parameters(parameters)
    except RequestInvalid as error:
        own = error.param or ""
        for theirs, ours in _OWN_NAMES:
            own = own.replace(theirs, ours)
        if own == (error.param or ""):
            raise
        message = error.message.replace(f"`{error.param}`", f"`{own}`")
        raise RequestInvalid(message, param=own) from error


def _tool(tool: object, param: str) -> JsonObject:
    if not isinstance(tool, dict) or not isinstance(tool.get("type"), str):
        raise RequestInvalid(f"`{param}` must be an object with a `type`.", param=param)
    if tool["type"] != "function":
        raise RequestInvalid(
            f"`{param}.type` must be function: Potok has no tools of its own to run.",
            param=f"{param}.type",
        )
    if not isinstance(tool.get("name"), str) or not tool["name"]:
        raise RequestInvalid(f"`{param}.name` must be a name.", param=f"{param}.name")
    if not isinstance(tool.get("parameters", {}), dict | None):
        raise RequestInvalid(
            f"`{param}.parameters` must be a JSON schema.", param=f"{param}.parameters"
        )
    return {"type": "function", "function": {k: v for k, v in tool.items() if k != "type"}}


def _tool_choice(choice: Any) -> Any:
    kind = choice.get("type") if isinstance(choice, dict) else None
    if kind == "function":
        return {"type": "function", "function": {"name": choice.get("name")}}
    if kind == "allowed_tools" and isinstance(choice.get("tools"), list):
        allowed = [_tool_choice(tool) for tool in choice["tools"]]
        return {"type": kind, kind: {"mode": choice.get("mode", "auto"), "tools": allowed}}
    return choice


def _response_format(form: Any) -> JsonObject | None:
    if form is None:
        return None
    kind = form.get("type") if isinstance(form, dict) else None
    if kind == "text":
        return None
    if kind == "json_object":
        return {"type": "json_object"}
    if kind == "json_schema" and isinstance(form.get("schema"), dict) and form.get("name"):
        return {"type": kind, "json_schema": {k: v for k, v in form.items() if k != "type"}}
    raise RequestInvalid(
        "`text.format` must be of type text, json_object, or json_schema with `name` and `schema`.",
        param="text.format",
    )


def _kind(kind: type, wanted: str) -> Callable[[Any, str], None]:
    def check(value: Any, param: str) -> None:
        if not isinstance(value, kind):
            raise RequestInvalid(
                f"`{param}` must be {wanted}, not {json_word(value)}.", param=param
            )

    return check


def _metadata(value: Any, param: str) -> None:
    fits = isinstance(value, dict) and len(value) <= METADATA_PAIRS_MAX
    if not fits or not all(isinstance(one, str) for one in value.values()):
        raise RequestInvalid(
            f"`{param}` must be an object of up to {METADATA_PAIRS_MAX} strings.", param=param
        )


def _tools(value: Any, param: str) -> None:
    if not isinstance(value, list) or len(value) > TOOLS_MAX:
        raise RequestInvalid(f"`{param}` must be an array of up to {TOOLS_MAX}.", param=param)


def _max_output_tokens(value: Any, param: str) -> None:
    if type(value) is not int or value < 1:
        raise RequestInvalid(f"`{param}` must be an integer from 1 on.", param=param)


def _word(*words: str) -> Callable[[Any, str], None]:
    def check(value: Any, param: str) -> None:
        if value not in words:
            raise RequestInvalid(f"`{param}` must be one of {', '.join(words)}.", param=param)

    return check


_CHECKS: dict[str, Callable[[Any, str], None]] = {
    "stream": _kind(bool, "true or false"),
    "stream_options": _kind(dict, "an object"),
    "include": _kind(list, "an array"),
    "background": _kind(bool, "true or false"),
    "store": _kind(bool, "true or false"),
    "instructions": _kind(str, "a string"),
    "previous_response_id": _kind(str, "a response's id"),
    "metadata": _metadata,
    "reasoning": _kind(dict, "an object"),
    "text": _kind(dict, "an object"),
    "tools": _tools,
    "max_output_tokens": _max_output_tokens,
    "truncation": _word("auto", "disabled"),
}
