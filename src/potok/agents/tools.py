"""Tools that a model may ask for: what it asks is logged before it is done, and what came of it.

A run that goes on after a crash takes a logged result instead of doing the deed again. A tool that
was asked for and has no result may have done its deed, or not: one that must not be repeated
(`is_repeatable=False`) is not called again, and its model is told so.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from potok.agents.journal import split_name
from potok.agents.node import Call, Node, Said
from potok.errors import PotokError
from potok.events.kinds import ToolResult
from potok.events.run_request import JsonObject
from potok.limits import TOOL_RESULT_CHARACTERS_MAX, TOOL_ROUNDS_MAX, TOOL_SECONDS_MAX

__all__ = ["Tool", "say_with_tools"]

_logger = logging.getLogger("potok.agents")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A deed that a model may ask for.

    Args:
        name: As the model sees it; `description` tells it what for.
        parameters: JSON Schema of the arguments, an object.
        call: Does it with the decoded arguments; returns any JSON, None for "done". What it raises
            is told to the model, a `PotokError` with its sentence, anything else without its words.
        timeout_seconds: After which it is cancelled, and its model told so.
        is_repeatable: Whether it may be called again when a crash leaves open if it was done.
    """

    name: str
    description: str
    parameters: JsonObject
    call: Callable[[JsonObject], Awaitable[Any]]
    timeout_seconds: float = TOOL_SECONDS_MAX
    is_repeatable: bool = True

    @property
    def declaration(self) -> JsonObject:
        """The tool as a request names it."""
        return {
            "type": "function",
            "function": {
                "name": self.name,
                "description": self.description,
                "parameters": self.parameters,
            },
        }


async def say_with_tools(
    node: Node,
    messages: Iterable[JsonObject],
    tools: Sequence[Tool],
    *,
    rounds_max: int = TOOL_ROUNDS_MAX,
    **wishes: Any,
) -> Said:
    """Let a model answer, and do what it asks for, until it asks for nothing more.

    Args:
        wishes: As `Node.say` takes them.

    Returns:
        The last answer. After `rounds_max` rounds the model is asked once more, without tools.

    Raises:
        PotokError: as `Node.say`.
    """
    by_name = {tool.name: tool for tool in tools}
    talk = list(messages)
    declared = [tool.declaration for tool in tools]
    for _ in range(rounds_max):
        said = await node.say(talk, **wishes, tools=declared)
        if not said.calls:
            return said
        results = await asyncio.gather(
            *(_result_of(node, by_name.get(call.name), call) for call in said.calls)
        )
        talk += [_asked(said), *_answered(said.calls, results)]
    return await node.say(talk, **wishes)


async def _result_of(node: Node, tool: Tool | None, call: Call) -> ToolResult:
    known = node.logged_result(call.id)
    if known is not None:
        return known
    result = await _make(node, tool, call)
    await node.give(result)
    return result


async def _make(node: Node, tool: Tool | None, call: Call) -> ToolResult:
    if tool is None:
        return ToolResult(call=call.id, error=f"There is no tool {call.name[:80]!r}.")
    if not tool.is_repeatable and node.is_old(call.id):
        return ToolResult(
            call=call.id,
            error="The server stopped while this tool was at work. Whether it was done is not"
            " known, and it must not be done twice.",
        )
    try:
        arguments = msgspec.json.decode(call.arguments or "{}")
    except (msgspec.DecodeError, RecursionError):
        return ToolResult(call=call.id, error="The arguments are no JSON.")
    if not isinstance(arguments, dict):
        return ToolResult(call=call.id, error="The arguments are no JSON object.")
    # The log must know of the deed before it is done.
    await node.stored()
    try:
        async with asyncio.timeout(tool.timeout_seconds):
            return ToolResult(call=call.id, result=_fitting(await tool.call(arguments)))
    except TimeoutError:
        seconds = tool.timeout_seconds
        return ToolResult(call=call.id, error=f"The tool took longer than {seconds:g} seconds.")
    except PotokError as error:
        return ToolResult(call=call.id, error=error.message)
    except Exception as error:
        _logger.warning("run %s: tool %s failed: %s", node.run, tool.name, type(error).__name__)
        return ToolResult(call=call.id, error="The tool failed.")


def _fitting(result: Any) -> Any:
    if result is None:
        # A result that is nothing would count as none after a crash.
        return "done"
    text = msgspec.json.encode(result).decode()
    if len(text) <= TOOL_RESULT_CHARACTERS_MAX:
        return msgspec.json.decode(text)
    return text[:TOOL_RESULT_CHARACTERS_MAX]


def _asked(said: Said) -> JsonObject:
    return {
        "role": "assistant",
        "content": said.text or None,
        "tool_calls": [
            {
                "id": split_name(call.id)[1],
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments},
            }
            for call in said.calls
        ],
    }


def _answered(calls: Sequence[Call], results: Sequence[ToolResult]) -> list[JsonObject]:
    return [
        {"role": "tool", "tool_call_id": split_name(call.id)[1], "content": _told(result)}
        for call, result in zip(calls, results, strict=True)
    ]


def _told(result: ToolResult) -> str:
    if result.error is not None:
        return msgspec.json.encode({"error": result.error}).decode()
    if isinstance(result.result, str):
        return result.result
    return msgspec.json.encode(_plain(result.result)).decode()


def _plain(value: Any) -> Any:
    return dict(value) if isinstance(value, Mapping) else value
