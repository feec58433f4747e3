"""The request of `POST /api/ui/chat`: the AI SDK's chat, checked and turned into a run request.

UI messages hold what people saw; a model gets what it can read of them: text, files, and calls of
tools that have a result. Thinking, sources and data are not sent back to it.
"""

from typing import Any

import msgspec

from potok.dialects.line_safe import encode_json
from potok.dialects.model_parameters import KNOWN_PARAMETERS, check_model_name, check_parameters
from potok.errors import BodyTooLarge, RequestInvalid
from potok.events.messages import check_messages, json_word
from potok.events.run_request import JsonObject, RunRequest
from potok.limits import MESSAGE_BYTES_MAX, MESSAGES_MAX, NAME_CHARACTERS_MAX

__all__ = ["check_ui_chat_id", "parse_ui_chat"]

_TRIGGERS = ("submit-message", "regenerate-message")
_ROLES = ("system", "user", "assistant")
_DENIED = "The user did not allow this call."


def parse_ui_chat(body: JsonObject, *, language: str = "en") -> RunRequest:
    """Check the body of `DefaultChatTransport` and return the run that it asks for.

    Of the fields that an application adds beside the SDK's own, `model` and the model's parameters
    count; the rest is the application's. Without `model` the server's default one answers.

    Raises:
        RequestInvalid: a field is wrong; `param` names it.
        BodyTooLarge: one message is over its limit.
    """
    chat = check_ui_chat_id(body.get("id"))
    trigger = body.get("trigger")
    if trigger is not None and trigger not in _TRIGGERS:
        raise RequestInvalid(f"`trigger` must be one of {', '.join(_TRIGGERS)}.", param="trigger")
    shown = _read_messages(body.get("messages"))
    messages: list[JsonObject] = []
    for place, message in enumerate(shown):
        messages += _as_openai(message, f"messages[{place}]")
    if not messages:
        raise RequestInvalid("`messages` says nothing that a model can read.", param="messages")
    given = {name: value for name, value in body.items() if name in KNOWN_PARAMETERS}
    parameters = check_parameters(given)
    if parameters.get("n", 1) != 1:
        raise RequestInvalid("A UI message is one answer: leave `n` out.", param="n")
    model = body.get("model")
    return RunRequest(
        model=None if model is None else check_model_name(model),
        messages=check_messages(messages),
        parameters=parameters,
        chat=chat,
        message=_continued(shown[-1]),
        language=language,
        face="ai-sdk-ui",
    )


def check_ui_chat_id(value: object) -> str:
    """Return the chat's id.

    Raises:
        RequestInvalid: it is no string, empty or too long.
    """
    if not isinstance(value, str) or not 0 < len(value) <= NAME_CHARACTERS_MAX:
        raise RequestInvalid(
            f"`id` must be the chat's id, a string of 1 to {NAME_CHARACTERS_MAX} characters.",
            param="id",
        )
    return value


def _read_messages(value: object) -> list[JsonObject]:
    if not isinstance(value, list):
        raise RequestInvalid(
            f"`messages` must be an array of UI messages, not {json_word(value)}.",
            param="messages",
        )
    if not value or len(value) > MESSAGES_MAX:
        raise RequestInvalid(f"Send 1 to {MESSAGES_MAX} `messages`.", param="messages")
    for place, message in enumerate(value):
        _check_message(message, f"messages[{place}]")
    return value


def _check_message(message: object, param: str) -> None:
    if not isinstance(message, dict):
        raise RequestInvalid(f"`{param}` must be an object, not {json_word(message)}.", param=param)
    if message.get("role") not in _ROLES:
        raise RequestInvalid(
            f"`{param}.role` must be one of {', '.join(_ROLES)}.", param=f"{param}.role"
        )
    parts = message.get("parts")
    if parts is None and "content" in message:
        raise RequestInvalid(
            f"`{param}` has `content` in place of `parts`: this path takes the UI messages of the"
            " AI SDK 5 and later. Messages with `content` go to POST /api/chat/stream.",
            param=f"{param}.parts",
        )
    if not isinstance(parts, list):
        raise RequestInvalid(
            f"`{param}.parts` must be an array, not {json_word(parts)}.", param=f"{param}.parts"
        )
    for place, part in enumerate(parts):
        if not isinstance(part, dict) or not isinstance(part.get("type"), str):
            at = f"{param}.parts[{place}]"
            raise RequestInvalid(f"`{at}` must be an object with a `type`.", param=at)
    if len(encode_json(message)) > MESSAGE_BYTES_MAX:
        raise BodyTooLarge(what=f"message `{param}`", limit_bytes=MESSAGE_BYTES_MAX)


def _continued(last: JsonObject) -> str | None:
    # The answer after a tool's output, or of a message to go on with, is more of that message.
    name = last.get("id")
    fits = isinstance(name, str) and 0 < len(name) <= NAME_CHARACTERS_MAX
    return name if last["role"] == "assistant" and fits else None


def _as_openai(message: JsonObject, param: str) -> list[JsonObject]:
    if message["role"] == "assistant":
        return _assistant(message["parts"], param)
    contents: list[JsonObject] = []
    for place, part in enumerate(message["parts"]):
        at = f"{param}.parts[{place}]"
        if part["type"] == "text":
            contents.append({"type": "text", "text": _text(part, "text", at)})
        elif part["type"] == "file":
            contents.append(_file(part, at))
    if not contents:
        return []
    if all(content["type"] == "text" for content in contents):
        text = "\n".join(content["text"] for content in contents)
        return [{"role": message["role"], "content": text}]
    return [{"role": message["role"], "content": contents}]


def _text(part: JsonObject, field: str, param: str) -> str:
    value = part.get(field)
    if not isinstance(value, str):
        raise RequestInvalid(
            f"`{param}.{field}` must be a string, not {json_word(value)}.", param=f"{param}.{field}"
        )
    return value


def _file(part: JsonObject, param: str) -> JsonObject:
    url, media_type = _text(part, "url", param), _text(part, "mediaType", param)
    if media_type.startswith("image/"):
        return {"type": "image_url", "image_url": {"url": url}}
    if not url.startswith("data:"):
        raise RequestInvalid(
            f"`{param}.url` must be a data URL: a file that is no picture is sent whole.",
            param=f"{param}.url",
        )
    name = part.get("filename")
    named = {"filename": name} if isinstance(name, str) else {}
    return {"type": "file", "file": {**named, "file_data": url}}


def _assistant(parts: list[JsonObject], param: str) -> list[JsonObject]:
    """Return an answer's messages: each block of calls is followed by its results."""
    messages: list[JsonObject] = []
    block = _Block()
    for place, part in enumerate(parts):
        at = f"{param}.parts[{place}]"
        kind: str = part["type"]
        if kind == "step-start":
            messages += block.close()
        elif kind == "text":
            if block.calls:
                messages += block.close()
            block.texts.append(_text(part, "text", at))
        elif kind == "dynamic-tool" or kind.startswith("tool-"):
            block.add_call(part, at)
    return messages + block.close()


class _Block:
    """Text, and the calls that follow it."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.calls: list[JsonObject] = []
        self._results: list[JsonObject] = []

    def add_call(self, part: JsonObject, param: str) -> None:
        result = _result(part)
        if result is None:
            # A call without a result is one that nobody made: models refuse to go on after it.
            return
        call = _text(part, "toolCallId", param)
        name = (
            _text(part, "toolName", param)
            if part["type"] == "dynamic-tool"
            else part["type"].removeprefix("tool-")
        )
        arguments = part.get("input")
        said = arguments if isinstance(arguments, str) else _json(arguments or {})
        function = {"name": name, "arguments": said}
        self.calls.append({"id": call, "type": "function", "function": function})
        self._results.append({"role": "tool", "tool_call_id": call, "content": result})

    def close(self) -> list[JsonObject]:
        text, calls, results = "".join(self.texts), self.calls, self._results
        self.texts, self.calls, self._results = [], [], []
        if not text and not calls:
            return []
        message: JsonObject = {"role": "assistant", "content": text or None}
        if calls:
            message["tool_calls"] = calls
        return [message, *results]


def _result(part: JsonObject) -> str | None:
    match part.get("state"):
        case "output-available":
            output = part.get("output")
            return output if isinstance(output, str) else _json(output)
        case "output-error":
            error = part.get("errorText")
            return f"Error: {error if isinstance(error, str) else 'the tool failed'}"
        case "output-denied":
            return _DENIED
        case _:
            return None


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
