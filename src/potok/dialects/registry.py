"""Which dialect: by its name, or by what a reader of a path accepts."""

from typing import NamedTuple

from potok.dialects.ai_sdk_ui import AiSdkUiSse
from potok.dialects.chats_001 import Chats001Ndjson, Chats001Sse
from potok.dialects.dialect import Dialect
from potok.dialects.native import NativeNdjson, NativeSse
from potok.dialects.openai_chat import OpenAiChatSse
from potok.dialects.openai_responses import OpenAiResponsesSse
from potok.dialects.simple_chat import SimpleChatSocket, SimpleChatSse, SimpleChatText
from potok.errors import RequestInvalid

__all__ = ["DIALECTS", "dialect_for_accept", "simple_chat_for_accept"]

_SSE, _NDJSON = NativeSse(), NativeNdjson()
_SIMPLE_SSE, _SIMPLE_TEXT = SimpleChatSse(), SimpleChatText()
_FORMATS: dict[str, Dialect] = {"sse": _SSE, "ndjson": _NDJSON}

DIALECTS: dict[str, Dialect] = {
    dialect.name: dialect
    for dialect in (
        _SSE,
        _NDJSON,
        OpenAiChatSse(),
        OpenAiResponsesSse(),
        AiSdkUiSse(),
        Chats001Sse(),
        Chats001Ndjson(),
        _SIMPLE_SSE,
        _SIMPLE_TEXT,
        SimpleChatSocket(),
    )
}
"""All dialects by name, so that `DIALECTS[request.face]` is the one that started a run."""


def dialect_for_accept(accept: str | None, format: str | None = None) -> Dialect:
    """Return the native framing that a reader asks for (spec 5).

    Args:
        accept: The Accept header (RFC 9110 12.5.1), None if there was none.
        format: The query's `format`, `sse` or `ndjson`, which wins over the header.

    Whoever accepts neither gets server-sent events, as does whoever has no wish.

    Raises:
        RequestInvalid: `format` is another word.
    """
    if format:
        try:
            return _FORMATS[format]
        except KeyError:
            raise RequestInvalid(
                f"`format` must be sse or ndjson, not {format[:40]!r}.", param="format"
            ) from None
    ranges = _parse_accept(accept)
    wish, other = _wish(_SSE.media_type, ranges), _wish(_NDJSON.media_type, ranges)
    return _NDJSON if other.quality > 0 and other > wish else _SSE


def simple_chat_for_accept(accept: str | None) -> Dialect:
    """Return the framing of simple chat: bare text for who would rather have `text/plain`.

    Naming `text/plain` beside `*/*` is no such wish: some HTTP clients do so in every request.
    """
    ranges = _parse_accept(accept)
    usual, other = _wish(_SIMPLE_SSE.media_type, ranges), _wish(_SIMPLE_TEXT.media_type, ranges)
    return _SIMPLE_TEXT if other.quality > usual.quality else _SIMPLE_SSE


def _parse_accept(accept: str | None) -> list["_Range"]:
    return [_parse_range(item) for item in accept.split(",")] if accept else []


class _Range(NamedTuple):
    """One media range of an Accept header."""

    media: str
    quality: float


class _Wish(NamedTuple):
    """How much a reader wants a media type; what it spelled out beats what it only allowed."""

    quality: float
    specificity: int


def _parse_range(item: str) -> _Range:
    media, *parameters = (word.strip().lower() for word in item.split(";"))
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            return _Range(media, _parse_quality(value.strip()))
    return _Range(media, 1.0)


def _parse_quality(text: str) -> float:
    # Anything that is no number from 0 to 1 says nothing: the range counts as plainly accepted.
    whole, _, digits = text.partition(".")
    if whole not in ("0", "1") or not (digits or "0").isdecimal() or not text.isascii():
        return 1.0
    return min(float(text), 1.0)


def _wish(media_type: str, ranges: list[_Range]) -> _Wish:
    family = media_type.partition("/")[0]
    for specificity, media in ((2, media_type), (1, f"{family}/*"), (0, "*/*")):
        qualities = [one.quality for one in ranges if one.media == media]
        if qualities:
            return _Wish(max(qualities), specificity)
    return _Wish(0.0, -1)
