"""The request of simple chat, over HTTP and on a socket: checked, and turned into a run request."""

from potok.dialects.model_parameters import check_model_name, check_parameters
from potok.errors import RequestInvalid
from potok.events.messages import check_messages, json_word
from potok.events.run_request import JsonObject, OnDisconnect, RunRequest

__all__ = ["parse_simple_chat"]

# What says how the answer is read is no part of the run (and of its hash).
_OWN_FIELDS = frozenset({"model", "messages", "stream", "stream_options", "on_disconnect"})


def parse_simple_chat(
    body: JsonObject, *, language: str = "ru", streams: bool | None = None
) -> RunRequest:
    """Check a body and return the run that it asks for.

    Without `model` the server's default one answers, and the hash is the same whichever that is.

    Args:
        body: Decoded JSON (without half surrogate pairs, as `potok.wire` decodes it).
        language: Of status texts; the body of this face has no word for it.
        streams: Whether the path answers with a stream; None on a socket, which always does.

    Raises:
        RequestInvalid: a field is wrong; `param` names it.
        BodyTooLarge: one message is over its limit.
    """
    _refuse_other_protocols(body)
    _check_stream(body.get("stream"), streams)
    model = body.get("model")
    messages = check_messages(body.get("messages"))
    parameters = {name: value for name, value in body.items() if name not in _OWN_FIELDS}
    checked = check_parameters(parameters)
    if checked.get("n", 1) != 1:
        raise RequestInvalid(
            "Simple chat shows one answer: leave `n` out, or use POST /v1/chat/completions.",
            param="n",
        )
    return RunRequest(
        model=None if model is None else check_model_name(model),
        messages=messages,
        parameters=checked,
        on_disconnect=_read_on_disconnect(body.get("on_disconnect")),
        language=language,
        face="simple-chat",
    )


def _refuse_other_protocols(body: JsonObject) -> None:
    if "trigger" in body or _has_parts(body.get("messages")):
        raise RequestInvalid(
            "This is a body of the AI SDK: point its `api` to /api/ui/chat. Simple chat takes"
            ' {"messages": [{"role": "user", "content": "..."}]}.',
            param="messages",
        )
    if "keep_alive" in body or "options" in body:
        raise RequestInvalid(
            "This is a body of Ollama's API, which belongs below /ollama/api. Simple chat takes"
            ' {"messages": [{"role": "user", "content": "..."}]} and a model\'s parameters'
            " beside them.",
            param="options" if "options" in body else "keep_alive",
        )
    if "op" in body:
        raise RequestInvalid(
            "This is a message of Potok's own socket: send it to /api/ws.", param="op"
        )
    if "messages" in body:
        return
    if "agent" in body or "input" in body:
        raise RequestInvalid(
            "Simple chat takes `messages`; an agent's run is started by POST /api/runs.",
            param="agent" if "agent" in body else "input",
        )
    raise RequestInvalid(
        '`messages` is missing: send {"messages": [{"role": "user", "content": "..."}]}.',
        param="messages",
    )


def _has_parts(messages: object) -> bool:
    if not isinstance(messages, list):
        return False
    return any(
        isinstance(message, dict) and "parts" in message and "content" not in message
        for message in messages
    )


def _check_stream(stream: object, streams: bool | None) -> None:
    if stream is None or streams is None:
        return
    if not isinstance(stream, bool):
        raise RequestInvalid(
            f"`stream` must be true or false, not {json_word(stream)}.", param="stream"
        )
    if stream and not streams:
        raise RequestInvalid(
            "POST /api/chat gives the answer as one JSON; its stream is POST /api/chat/stream.",
            param="stream",
        )
    if streams and not stream:
        raise RequestInvalid(
            "POST /api/chat/stream always streams; one JSON comes from POST /api/chat.",
            param="stream",
        )


def _read_on_disconnect(value: object) -> OnDisconnect:
    match value:
        case None | "cancel":
            return "cancel"
        case "keep":
            return "keep"
    raise RequestInvalid("`on_disconnect` must be keep or cancel.", param="on_disconnect")
