"""Checks OpenAI-shaped messages at the border: roles, contents, sizes. Changes nothing in them.

Unknown fields and unknown kinds of content parts pass: the model's provider may know them.
"""

from typing import Any

import msgspec

from potok.errors import BodyTooLarge, RequestInvalid
from potok.events.run_request import JsonObject
from potok.limits import MESSAGE_BYTES_MAX, MESSAGES_MAX

__all__ = ["ROLES", "check_messages", "json_word"]

ROLES = ("system", "developer", "user", "assistant", "tool", "function")

# Fields of an assistant's message that can stand in place of its content.
_INSTEAD_OF_CONTENT = ("tool_calls", "function_call", "refusal", "audio")

_encode = msgspec.json.Encoder().encode


def check_messages(value: object, *, param: str = "messages") -> tuple[JsonObject, ...]:
    """Return the messages of a request body, checked.

    Args:
        param: Name of the body's field; faults are named from it, as `messages[2].role`.

    Raises:
        RequestInvalid: `value` is no list of messages; its `param` names the place.
        BodyTooLarge: one message is over `limits.MESSAGE_BYTES_MAX`.
    """
    if not isinstance(value, list):
        raise RequestInvalid(
            f"`{param}` must be an array of messages, not {json_word(value)}.", param=param
        )
    if not value:
        raise RequestInvalid(f"`{param}` is empty; send at least one message.", param=param)
    if len(value) > MESSAGES_MAX:
        raise RequestInvalid(
            f"`{param}` has {len(value)} messages; send at most {MESSAGES_MAX}.", param=param
        )
    for place, message in enumerate(value):
        _check_message(message, f"{param}[{place}]")
    return tuple(value)


def json_word(value: object) -> str:
    """Return what a JSON value is, in words for a sentence; never what it says."""
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int() | float():
            return "a number"
        case str():
            return "a string"
        case list():
            return "an array"
        case _:
            return "an object"


def _check_message(message: object, param: str) -> None:
    if not isinstance(message, dict):
        raise RequestInvalid(
            f"`{param}` must be an object with `role` and `content`, not {json_word(message)}.",
            param=param,
        )
    role = message.get("role")
    if role not in ROLES:
        raise RequestInvalid(
            f"`{param}.role` must be one of {', '.join(ROLES)}.", param=f"{param}.role"
        )
    if len(_encode(message)) > MESSAGE_BYTES_MAX:
        raise BodyTooLarge(what=f"message `{param}`", limit_bytes=MESSAGE_BYTES_MAX)
    _check_content(message, role, f"{param}.content")
    _check_string(message, "name", param, needed=role == "function")
    _check_string(message, "tool_call_id", param, needed=role == "tool")
    if role == "assistant" and message.get("tool_calls") is not None:
        _check_tool_calls(message["tool_calls"], f"{param}.tool_calls")


def _check_content(message: JsonObject, role: str, param: str) -> None:
    content = message.get("content")
    if isinstance(content, str):
        return
    if isinstance(content, list) and content:
        for place, part in enumerate(content):
            _check_part(part, f"{param}[{place}]")
        return
    if content is None and role == "assistant":
        if any(message.get(field) for field in _INSTEAD_OF_CONTENT):
            return
        raise RequestInvalid(
            f"`{param}` is missing; an assistant's message needs it or `tool_calls`.", param=param
        )
    if content is None and role == "function":
        return
    found = "an empty array" if content == [] else json_word(content)
    raise RequestInvalid(
        f"`{param}` must be a string or an array of content parts, not {found}.", param=param
    )


def _check_part(part: object, param: str) -> None:
    if not isinstance(part, dict) or not isinstance(part.get("type"), str):
        raise RequestInvalid(
            f"`{param}` must be an object with a `type`, such as"
            ' {"type": "text", "text": "..."}.',
            param=param,
        )
    if part["type"] == "text" and not isinstance(part.get("text"), str):
        raise RequestInvalid(f"`{param}.text` must be a string.", param=f"{param}.text")
    if part["type"] == "image_url":
        image = part.get("image_url")
        if not isinstance(image, dict) or not isinstance(image.get("url"), str):
            raise RequestInvalid(
                f"`{param}.image_url.url` must be a string: an address or a data URL.",
                param=f"{param}.image_url.url",
            )


def _check_string(message: JsonObject, field: str, param: str, *, needed: bool) -> None:
    value = message.get(field)
    if isinstance(value, str) and (value or not needed):
        return
    if value is None and not needed:
        return
    raise RequestInvalid(
        f"`{param}.{field}` must be a string"
        + (f"; a message of role {message['role']} needs it." if needed else "."),
        param=f"{param}.{field}",
    )


def _check_tool_calls(calls: Any, param: str) -> None:
    if not isinstance(calls, list):
        raise RequestInvalid(
            f"`{param}` must be an array of calls, not {json_word(calls)}.", param=param
        )
    for place, call in enumerate(calls):
        _check_tool_call(call, f"{param}[{place}]")


def _check_tool_call(call: object, param: str) -> None:
    if not isinstance(call, dict) or not isinstance(call.get("id"), str):
        raise RequestInvalid(f"`{param}` must be an object with an `id`.", param=param)
    if call.get("type", "function") != "function":
        # Other kinds of calls are their provider's.
        return
    function = call.get("function")
    fields = function if isinstance(function, dict) else {}
    for field in ("name", "arguments"):
        if not isinstance(fields.get(field), str):
            raise RequestInvalid(
                f"`{param}.function.{field}` must be a string.", param=f"{param}.function.{field}"
            )
