"""Decodes the pieces of JSON that one reply comes in, also where a letter was cut in two. Pure."""

import json
from typing import Any, Generic, TypeVar

import msgspec

__all__ = ["PieceDecoder"]

Json = Any
Piece = TypeVar("Piece")


class PieceDecoder(Generic[Piece]):
    """Decodes the pieces of one reply.

    Providers that count in UTF-16 cut an emoji in two and send each half as an escape, which no
    strict JSON reader takes. A half at the end of a text waits here for its other half.

    Args:
        decoder: Says what a piece looks like.
        growing: Names of fields in or under which texts go on from piece to piece.
    """

    __slots__ = ("_decoder", "_growing", "_halves")

    def __init__(self, decoder: msgspec.json.Decoder[Piece], *, growing: frozenset[str]) -> None:
        self._decoder = decoder
        self._growing = growing
        self._halves: dict[tuple[str | int, ...], str] = {}

    def decode(self, text: str | bytes) -> Piece:
        """Return one piece.

        Raises:
            msgspec.DecodeError: not JSON, or JSON of another shape.
        """
        try:
            return self._decoder.decode(text)
        except msgspec.ValidationError:
            raise
        except msgspec.DecodeError:
            return self._decode_slowly(text)
        except RecursionError as error:
            raise msgspec.DecodeError("the JSON is nested too deeply") from error

    def _decode_slowly(self, text: str | bytes) -> Piece:
        try:
            return msgspec.convert(self._mend(json.loads(text), ()), self._decoder.type)
        except (ValueError, RecursionError) as error:
            # A ValidationError is a ValueError too: it says which field has another shape.
            raise msgspec.DecodeError(f"the JSON cannot be read: {error}") from error

    def _mend(self, value: Json, path: tuple[str | int, ...]) -> Json:
        # `path` tells the texts of a piece apart, so that halves of the same text meet.
        if isinstance(value, str):
            return self._mend_text(value, path)
        if isinstance(value, list):
            return [self._mend(item, (*path, _place(item, at))) for at, item in enumerate(value)]
        if isinstance(value, dict):
            return {_whole(key): self._mend(item, (*path, key)) for key, item in value.items()}
        return value

    def _mend_text(self, text: str, path: tuple[str | int, ...]) -> str:
        text = self._halves.pop(path, "") + text
        if text and not self._growing.isdisjoint(path) and "\ud800" <= text[-1] <= "\udbff":
            self._halves[path] = text[-1]
            text = text[:-1]
        return _whole(text)


def _place(item: Json, at: int) -> int:
    index = item.get("index") if isinstance(item, dict) else None
    return index if isinstance(index, int) else at


def _whole(text: str) -> str:
    # Joins neighbouring halves; one without its other half becomes U+FFFD.
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
