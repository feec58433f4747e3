"""When and how the demo model calls tools: by the words of a question and of a tool's name."""

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from potok.events.fold import Message
from potok.events.kinds import Event, RunEnd, ToolDelta, ToolEnd, ToolStart, Usage
from potok.events.run_request import JsonObject, text_of
from potok.limits import DEMO_CALLS_MAX, DEMO_RESULT_CHARACTERS_MAX
from potok.models.contract import ChatRequest
from potok.models.demo.forms import Findings, fill
from potok.models.demo.pieces import split_pieces

__all__ = ["Call", "call_events", "calls_for", "tell_results"]

_WORD = re.compile(r"[^\W\d_]+")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
# Words of tools' names and descriptions that say nothing about what they are for.
_EMPTY = frozenset(
    {
        *("a", "an", "and", "by", "call", "fetch", "find", "for", "from", "function", "get"),
        *("given", "i", "in", "is", "list", "of", "on", "or", "return", "set", "the", "thi"),
        *("to", "tool", "what", "with"),
    }
)
_SHARED_MIN = 2


@dataclass(frozen=True, slots=True)
class Call:
    """One call: `arguments` is JSON."""

    id: str
    name: str
    arguments: str


def calls_for(request: ChatRequest) -> tuple[Call, ...]:
    """Return the calls that answer a request, none where its words call for no tool.

    `tool_choice` decides first: `none`, `required`, or one tool by its name. A question that was
    answered by tools already is not asked again.
    """
    functions = list(_functions(request.parameters))
    choice = request.parameters.get("tool_choice", "auto")
    if not functions or choice == "none" or _last_role(request) in ("tool", "function"):
        return ()
    question = _question(request)
    if isinstance(choice, dict):
        named = choice.get("function")
        name = named.get("name") if isinstance(named, dict) else None
        wanted = [one for one in functions if one["name"] == name]
    else:
        wanted = [one for one in functions if _is_meant(one, question)]
        if choice == "required" and not wanted:
            wanted = functions[:1]
    if request.parameters.get("parallel_tool_calls") is False:
        wanted = wanted[:1]
    place = len(request.messages)
    return tuple(_call(one, question, place) for one in wanted[:DEMO_CALLS_MAX])


def tell_results(request: ChatRequest) -> str | None:
    """Return an answer made of the results that tools gave last, None if none did."""
    results: list[str] = []
    names = _names_of_calls(request)
    for message in reversed(request.messages):
        if message.get("role") not in ("tool", "function"):
            break
        name = message.get("name") or names.get(str(message.get("tool_call_id")), "")
        said = text_of(message)[:DEMO_RESULT_CHARACTERS_MAX]
        results.append(f"`{name}`: {said}" if name else said)
    told = "\n".join(reversed(results))
    # A lone half of a surrogate pair could never be sent on, so it is replaced here.
    return told.encode("utf-8", "replace").decode() or None


def call_events(
    calls: tuple[Call, ...], *, prompt_tokens: int, said: Message | None
) -> Iterator[Event]:
    """Return the events of calls that follow what the log already holds of them."""
    parts = {part.id: part for part in said.parts} if said is not None else {}
    tokens = 0
    for index, call in enumerate(calls):
        pieces = split_pieces(call.arguments)
        tokens += len(pieces)
        part = parts.get(call.id)
        if part is None:
            yield ToolStart(call=call.id, name=call.name, index=index)
        elif part.state != "open":
            continue
        left = len(part.text) if part is not None else 0
        for piece in pieces:
            if rest := piece[left:]:
                yield ToolDelta(call=call.id, text=rest)
            left = max(0, left - len(piece))
        yield ToolEnd(call=call.id)
    yield Usage(prompt_tokens=prompt_tokens, completion_tokens=tokens)
    yield RunEnd(outcome="finished", finish_reason="tool_calls")


def _functions(parameters: JsonObject) -> Iterator[JsonObject]:
    tools = parameters.get("tools")
    for tool in tools if isinstance(tools, list) else ():
        function = tool.get("function") if isinstance(tool, dict) else None
        if isinstance(function, dict) and isinstance(function.get("name"), str):
            yield function


def _question(request: ChatRequest) -> str:
    asked = [message for message in request.messages if message.get("role") == "user"]
    return text_of(asked[-1]) if asked else ""


def _last_role(request: ChatRequest) -> object:
    return request.messages[-1].get("role") if request.messages else None


def _is_meant(function: JsonObject, question: str) -> bool:
    asked = _words(question)
    named = _words(_CAMEL.sub(" ", function["name"]).replace("_", " ").replace("-", " "))
    described = _words(str(function.get("description") or ""))
    return bool(asked & named) or len(asked & described) >= _SHARED_MIN


def _words(text: str) -> set[str]:
    # Without their last s, so that one tool finds many cities.
    return {word.removesuffix("s") for word in _WORD.findall(text.lower())} - _EMPTY


def _call(function: JsonObject, question: str, place: int) -> Call:
    schema: Any = function.get("parameters") or {"type": "object"}
    findings = Findings(question)
    filled = fill(schema, findings, answer=findings.text)
    arguments = msgspec.json.encode(filled if isinstance(filled, dict) else {}).decode()
    # The same request makes the same call; another turn of the chat makes another one.
    mark = zlib.crc32(f"{place} {function['name']} {arguments}".encode())
    return Call(id=f"call_{mark:08x}", name=function["name"], arguments=arguments)


def _names_of_calls(request: ChatRequest) -> dict[str, str]:
    names: dict[str, str] = {}
    for message in request.messages:
        calls = message.get("tool_calls")
        for call in calls if isinstance(calls, list) else ():
            function = call.get("function") if isinstance(call, dict) else None
            if isinstance(function, dict):
                names[str(call.get("id"))] = str(function.get("name"))
    return names
