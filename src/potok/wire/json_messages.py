"""Text messages of a WebSocket: one JSON object each, refused with the place of the fault."""

import re

import msgspec

from potok import limits
from potok.errors import MessageMalformed, MessageTooLarge

__all__ = ["parse_message"]

_PLACE = re.compile(r"(?P<why>.*?) \((?P<place>byte \d+)\)")


def parse_message(text: str | bytes, *, bytes_max: int) -> dict[str, object]:
    """Return the JSON object that `text` holds.

    Args:
        bytes_max: Largest message, in bytes of UTF-8.

    Raises:
        MessageTooLarge: It is larger.
        MessageMalformed: It is not UTF-8, not JSON (NaN and half surrogate pairs are not), not an
            object, or nested deeper than `limits.JSON_DEPTH_MAX`. `place` is `byte N`, where
            reading stopped, counted from 0, or `the end`, or `the whole message`.
    """
    raw = _encode_within(text, bytes_max)
    try:
        # msgspec counts a broken letter's place from its string, not from the message.
        raw.decode()
        message = msgspec.json.decode(raw)
    except UnicodeDecodeError as error:
        raise MessageMalformed("it is not UTF-8", place=f"byte {error.start}") from error
    except RecursionError as error:
        raise _too_deep() from error
    except msgspec.DecodeError as error:
        raise _locate(error) from error
    if not isinstance(message, dict):
        raise MessageMalformed("it is not a JSON object", place="the whole message")
    # Fewer brackets than the limit cannot nest deeper: nearly all messages stop here.
    if raw.count(b"{") + raw.count(b"[") > limits.JSON_DEPTH_MAX:
        _check_depth(message)
    return message


def _encode_within(text: str | bytes, bytes_max: int) -> bytes:
    # No letter is shorter than a byte: an oversized text is refused without being copied.
    if len(text) > bytes_max:
        raise MessageTooLarge(limit_bytes=bytes_max)
    if isinstance(text, bytes):
        return text
    try:
        raw = text.encode()
    except UnicodeEncodeError as error:
        place = f"byte {len(text[: error.start].encode())}"
        raise MessageMalformed("it holds half of a surrogate pair", place=place) from error
    if len(raw) > bytes_max:
        raise MessageTooLarge(limit_bytes=bytes_max)
    return raw


def _locate(error: msgspec.DecodeError) -> MessageMalformed:
    # The parser's words are "<sentence> (byte N)", or a sentence without a place: then either the
    # text stopped too early or a number is beyond what can be kept.
    words = str(error)
    found = _PLACE.fullmatch(words)
    if found:
        return MessageMalformed(found["why"], place=found["place"])
    if isinstance(error, msgspec.ValidationError):
        return MessageMalformed("a number in it is out of range", place="the whole message")
    return MessageMalformed("it is cut off", place="the end")


def _check_depth(message: dict[str, object]) -> None:
    # Level by level and without recursion; so no value can exhaust the stack.
    level: list[dict[str, object] | list[object]] = [message]
    for _ in range(limits.JSON_DEPTH_MAX):
        below: list[object] = []
        for container in level:
            below.extend(container.values() if isinstance(container, dict) else container)
        level = [value for value in below if isinstance(value, dict | list)]
        if not level:
            return
    raise _too_deep()


def _too_deep() -> MessageMalformed:
    why = f"it is nested deeper than {limits.JSON_DEPTH_MAX} levels"
    return MessageMalformed(why, place="the whole message")
