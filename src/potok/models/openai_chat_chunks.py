"""The JSON of Chat Completions replies, decoded only as far as events need it. Pure."""

import json
from typing import Any

import msgspec

__all__ = ["ChunkDecoder", "WireChoice", "WireChunk"]

Json = Any


class WireChoice(msgspec.Struct, frozen=True, gc=False):
    """One choice of a chunk (`delta`) or of a whole reply (`message`)."""

    index: int | None = None
    delta: dict[str, Json] | None = None
    message: dict[str, Json] | None = None
    finish_reason: str | None = None
    logprobs: Json = None


class WireChunk(msgspec.Struct, frozen=True, gc=False):
    """One chunk, one whole reply, or one error; fields that no event needs are not decoded."""

    choices: list[WireChoice] | None = None
    usage: dict[str, Json] | None = None
    error: Json = None
    object: str | None = None


_decode = msgspec.json.Decoder(WireChunk).decode


class ChunkDecoder:
    """Decodes the chunks of one reply.

    Providers that count in UTF-16 cut an emoji in two and send each half as an escape, which no
    strict JSON reader takes. A half at the end of a text waits here for its other half.
    """

    __slots__ = ("_halves",)

    def __init__(self) -> None:
        self._halves: dict[tuple[str | int, ...], str] = {}

    def decode(self, text: str | bytes) -> WireChunk:
        """Return one chunk.

        Raises:
            msgspec.DecodeError: not JSON, or JSON of another shape.
        """
        try:
            return _decode(text)
        except msgspec.ValidationError:
            raise
        except msgspec.DecodeError:
            return self._decode_slowly(text)
        except RecursionError as error:
            raise msgspec.DecodeError("the JSON is nested too deeply") from error

    def _decode_slowly(self, text: str | bytes) -> WireChunk:
        try:
            return msgspec.convert(self._mend(json.loads(text), ()), WireChunk)
        except (ValueError, RecursionError) as error:
            # A ValidationError is a ValueError too: it says which field has another shape.
            raise msgspec.DecodeError(f"the JSON cannot be read: {error}") from error

    def _mend(self, value: Json, path: tuple[str | int, ...]) -> Json:
        # `path` tells the texts of a chunk apart, so that halves of the same text meet.
        if isinstance(value, str):
            return self._mend_text(value, path)
        if isinstance(value, list):
            return [self._mend(item, (*path, _place(item, at))) for at, item in enumerate(value)]
        if isinstance(value, dict):
            return {_whole(key): self._mend(item, (*path, key)) for key, item in value.items()}
        return value

    def _mend_text(self, text: str, path: tuple[str | int, ...]) -> str:
        text = self._halves.pop(path, "") + text
        if text and "delta" in path and "\ud800" <= text[-1] <= "\udbff":
            self._halves[path] = text[-1]
            text = text[:-1]
        return _whole(text)


def _place(item: Json, at: int) -> int:
    index = item.get("index") if isinstance(item, dict) else None
    return index if isinstance(index, int) else at


def _whole(text: str) -> str:
    # Joins neighbouring halves; one without its other half becomes U+FFFD.
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
