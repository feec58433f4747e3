"""Bodies of 001's requests: checked, and turned into values. Unknown fields are not looked at."""

from typing import Any

import msgspec

from potok.errors import BodyTooLarge, ChatNotFound, RequestInvalid
from potok.events.messages import json_word
from potok.events.run_request import JsonObject
from potok.limits import (
    CLIENT_ID_CHARACTERS_MAX,
    INSTRUCTIONS_CHARACTERS_MAX,
    MESSAGE_BYTES_MAX,
    NAME_CHARACTERS_MAX,
    TITLE_CHARACTERS_MAX,
)

__all__ = [
    "SendRequest",
    "id_in_path",
    "parse_send",
    "read_boolean",
    "read_content",
    "read_id",
    "read_instructions",
    "read_model",
    "read_name",
    "read_text",
]

# JavaScript counts no further exactly, and databases not much further.
_ID_DIGITS_MAX = 15


class SendRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A message to send. Without `has_parent` it goes to the end of what is shown."""

    content: str
    model: str | None
    client_id: str | None
    has_parent: bool
    parent_id: int | None


def parse_send(body: JsonObject) -> SendRequest:
    """Check the body of `POST .../messages/stream`.

    Raises:
        RequestInvalid: a field is wrong; `param` names it.
        BodyTooLarge: the text is over its limit.
    """
    if "messages" in body and "content" not in body:
        raise RequestInvalid(
            "Send the text in `content`; a body with `messages` goes to POST /api/runs or"
            " POST /v1/chat/completions.",
            param="content",
        )
    return SendRequest(
        content=read_content(body),
        model=read_model(body),
        client_id=read_name(body, "client_id", characters_max=CLIENT_ID_CHARACTERS_MAX),
        has_parent="parent_id" in body,
        parent_id=read_id(body, "parent_id"),
    )


def id_in_path(text: str, what: str) -> int:
    """Return the number in a path; one that is none names nothing (`ChatNotFound`)."""
    if not (text.isascii() and text.isdigit() and len(text) <= _ID_DIGITS_MAX):
        raise ChatNotFound(what, text)
    return int(text)


def read_content(body: JsonObject) -> str:
    """Return a message's text, which must hold something."""
    content = body.get("content")
    if not isinstance(content, str) or not content.strip():
        raise RequestInvalid("`content` must be a text that is not empty.", param="content")
    if len(content.encode()) > MESSAGE_BYTES_MAX:
        raise BodyTooLarge(what="message `content`", limit_bytes=MESSAGE_BYTES_MAX)
    return content


def read_model(body: JsonObject) -> str | None:
    """Return the model's name, None for whatever there is."""
    return read_name(body, "model", characters_max=NAME_CHARACTERS_MAX)


def read_instructions(body: JsonObject) -> str | None:
    """Return a project's instructions, None if they are not given."""
    return read_text(body, "instructions", characters_max=INSTRUCTIONS_CHARACTERS_MAX)


def read_name(
    body: JsonObject, field: str, *, characters_max: int = TITLE_CHARACTERS_MAX
) -> str | None:
    """Return a short text that is not empty, None if it is not given."""
    text = read_text(body, field, characters_max=characters_max)
    if text is not None and not text.strip():
        raise RequestInvalid(f"`{field}` must not be empty.", param=field)
    if text is not None and "\0" in text:
        # PostgreSQL keeps none, and a name that is kept in another form is another name.
        raise RequestInvalid(f"`{field}` must not hold a NUL character.", param=field)
    return text


def read_text(body: JsonObject, field: str, *, characters_max: int) -> str | None:
    """Return a text, None if it is not given."""
    value = body.get(field)
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > characters_max:
        raise RequestInvalid(
            f"`{field}` must be a string of at most {characters_max} characters.", param=field
        )
    return value


def read_id(body: JsonObject, field: str) -> int | None:
    """Return an id, None if it is null or not given."""
    value: Any = body.get(field)
    if value is None:
        return None
    if type(value) is not int or not 0 <= value < 10**_ID_DIGITS_MAX:
        raise RequestInvalid(f"`{field}` must be an id, not {json_word(value)}.", param=field)
    return int(value)


def read_boolean(body: JsonObject, field: str) -> bool | None:
    """Return a truth, None if it is not given."""
    value: Any = body.get(field)
    if value is None or isinstance(value, bool):
        return value
    raise RequestInvalid(f"`{field}` must be true or false.", param=field)
