"""The request of `POST /v1/chat/completions`: checked, and turned into a run request."""

import msgspec

from potok.dialects.model_parameters import check_model_name, check_parameters
from potok.errors import RequestInvalid
from potok.events.messages import check_messages, json_word
from potok.events.run_request import JsonObject, RunRequest

__all__ = ["ParsedChat", "parse_chat_request"]

# They say how the answer is read, so they are no part of the run (and of its hash).
_READING_FIELDS = ("model", "messages", "stream", "stream_options")


class ParsedChat(msgspec.Struct, frozen=True):
    """A checked request, and how its caller wants to read the answer."""

    request: RunRequest
    stream: bool = False
    include_usage: bool = False


def parse_chat_request(body: JsonObject, *, language: str = "en") -> ParsedChat:
    """Check a body and return what it asks for.

    Args:
        body: Decoded JSON (without half surrogate pairs, as `potok.wire` decodes it).
        language: Of status texts; the body of this face has no word for it.

    Raises:
        RequestInvalid: a field is wrong; `param` names it as OpenAI does, `messages[2].role`.
        BodyTooLarge: one message is over its limit.
    """
    _refuse_other_protocols(body)
    model = check_model_name(body.get("model"))
    stream = _read_stream(body)
    include_usage = _read_include_usage(body, stream=stream)
    messages = check_messages(body.get("messages"))
    _check_calls(messages)
    parameters = {name: value for name, value in body.items() if name not in _READING_FIELDS}
    request = RunRequest(
        model=model,
        messages=messages,
        parameters=check_parameters(parameters),
        on_disconnect="cancel",
        language=language,
        face="openai-chat",
    )
    return ParsedChat(request=request, stream=stream, include_usage=include_usage)


def _refuse_other_protocols(body: JsonObject) -> None:
    if "messages" in body:
        return
    if "agent" in body:
        raise RequestInvalid(
            "This is a body of Potok's own protocol: send it to POST /api/runs.", param="agent"
        )
    if "input" in body:
        raise RequestInvalid(
            "This is a body of the Responses API: send it to POST /v1/responses, or send"
            " `messages` here.",
            param="input",
        )
    if "prompt" in body:
        raise RequestInvalid(
            "Chat Completions takes `messages`, not `prompt`: send"
            ' {"messages": [{"role": "user", "content": "..."}]}.',
            param="prompt",
        )


def _check_calls(messages: tuple[JsonObject, ...]) -> None:
    """Check that results of tools follow the calls that they answer, and that none is missing."""
    waiting: set[str] = set()
    called_at = 0
    for place, message in enumerate(messages):
        if message["role"] == "tool":
            if message["tool_call_id"] not in waiting:
                raise RequestInvalid(
                    f"`messages[{place}].tool_call_id` is none of the calls in the assistant's"
                    " message before it, or was answered already.",
                    param=f"messages[{place}].tool_call_id",
                )
            waiting.discard(message["tool_call_id"])
            continue
        if waiting:
            break
        called_at = place
        calls = message.get("tool_calls") if message["role"] == "assistant" else None
        waiting = {call["id"] for call in calls or ()}
    if waiting:
        raise RequestInvalid(
            f"`messages[{called_at}].tool_calls` has calls without a result: a message of role tool"
            f" must follow for each of {', '.join(sorted(waiting))[:200]}.",
            param=f"messages[{called_at}].tool_calls",
        )


def _read_stream(body: JsonObject) -> bool:
    stream = body.get("stream")
    if stream is None:
        return False
    if not isinstance(stream, bool):
        raise RequestInvalid(
            f"`stream` must be true or false, not {json_word(stream)}.", param="stream"
        )
    return stream


def _read_include_usage(body: JsonObject, *, stream: bool) -> bool:
    options = body.get("stream_options")
    if options is None:
        return False
    if not isinstance(options, dict):
        raise RequestInvalid(
            f"`stream_options` must be an object, not {json_word(options)}.",
            param="stream_options",
        )
    if not stream:
        raise RequestInvalid("`stream_options` needs `stream: true`.", param="stream_options")
    include_usage = options.get("include_usage")
    if include_usage is None:
        return False
    if not isinstance(include_usage, bool):
        raise RequestInvalid(
            f"`stream_options.include_usage` must be true or false, not"
            f" {json_word(include_usage)}.",
            param="stream_options.include_usage",
        )
    return include_usage
