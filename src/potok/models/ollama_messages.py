"""Messages as OpenAI writes them, in the form that Ollama reads. Pure."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import msgspec

from potok.errors import RequestInvalid
from potok.events.run_request import JsonObject

__all__ = ["ollama_messages"]

Json = Any

_ROLES = {"developer": "system", "function": "tool"}
_READ_OTHERWISE = frozenset({"content", "role", "name", "tool_calls", "images"})
_THINKING = ("thinking", "reasoning_content", "reasoning")


def ollama_messages(messages: Sequence[JsonObject]) -> list[JsonObject]:
    """Return the messages for `/api/chat`; fields that nobody knows stay as they are.

    Text parts become one text, pictures go to `images`, the arguments of calls become objects,
    and a tool's answer names its tool, which Ollama knows by its name alone.

    Raises:
        RequestInvalid: a part that Ollama cannot take: a picture by its address, sound, a file.
    """
    names: dict[str, str] = {}
    return [_message(message, names) for message in messages]


def _message(message: JsonObject, names: dict[str, str]) -> JsonObject:
    role = message.get("role")
    text, images = _parts_of(message.get("content"))
    own_images = message.get("images")
    if isinstance(own_images, list):
        images = [*own_images, *images]
    known = {*_READ_OTHERWISE, *_THINKING}
    result: JsonObject = {
        **{name: value for name, value in message.items() if name not in known},
        "role": _ROLES.get(role, role) if isinstance(role, str) else role,
        "content": text,
    }
    if images:
        result["images"] = images
    thinking = next((message[name] for name in _THINKING if message.get(name)), None)
    if isinstance(thinking, str):
        result["thinking"] = thinking
    calls = message.get("tool_calls")
    if isinstance(calls, list):
        result["tool_calls"] = [_call(call, names) for call in calls if isinstance(call, dict)]
    if result["role"] == "tool" and "tool_name" not in result:
        name = message.get("name") or names.get(str(message.get("tool_call_id")))
        if name is not None:
            result["tool_name"] = name
    return result


def _parts_of(content: Json) -> tuple[str, list[str]]:
    if not isinstance(content, list):
        return (content if isinstance(content, str) else ""), []
    texts: list[str] = []
    images: list[str] = []
    for part in content:
        kind = part.get("type") if isinstance(part, dict) else None
        if isinstance(part, dict) and isinstance(part.get("text"), str):
            texts.append(part["text"])
        elif kind == "image_url":
            images.append(_image(part.get("image_url")))
        else:
            raise RequestInvalid(
                f"A model of Ollama takes text and pictures, and no part of type {str(kind)[:40]!r}"
                " in a message. Leave it out.",
                param="messages",
            )
    return "".join(texts), images


def _image(picture: Json) -> str:
    url = picture.get("url") if isinstance(picture, dict) else picture
    head, comma, data = str(url).partition(",")
    # Ollama fetches nothing, and a server that fetches what callers name reaches too far.
    if not (comma and head.startswith("data:") and head.endswith(";base64")):
        raise RequestInvalid(
            "A model of Ollama takes a picture only in the message itself: send it as"
            " data:image/png;base64,... instead of its address.",
            param="messages",
        )
    return data


def _call(call: JsonObject, names: dict[str, str]) -> JsonObject:
    function = call.get("function")
    function = function if isinstance(function, dict) else {}
    name = function.get("name")
    if isinstance(name, str) and isinstance(call.get("id"), str):
        names[call["id"]] = name
    rest = {key: value for key, value in call.items() if key not in ("type", "index", "function")}
    return {**rest, "function": {"name": name, "arguments": _arguments(function.get("arguments"))}}


def _arguments(arguments: Json) -> JsonObject:
    if isinstance(arguments, str):
        with suppress(msgspec.DecodeError, RecursionError):
            arguments = msgspec.json.decode(arguments) if arguments.strip() else {}
    # What a model once wrote wrongly must not end the chat: it is handed back under some name.
    return arguments if isinstance(arguments, dict) else {"arguments": arguments}
