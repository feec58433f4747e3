"""The JSON of Chat Completions replies, decoded only as far as events need it. Pure."""

from typing import Any

import msgspec

from potok.models.json_pieces import PieceDecoder

__all__ = ["WireChoice", "WireChunk", "new_chunk_decoder"]

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
    timings: dict[str, Json] | None = None
    """What llama.cpp measured, in milliseconds and tokens."""
    x_groq: dict[str, Json] | None = None
    """Groq's own place for usage."""


_chunks = msgspec.json.Decoder(WireChunk)


def new_chunk_decoder() -> PieceDecoder[WireChunk]:
    """Return a decoder for the chunks of one reply."""
    return PieceDecoder(_chunks, growing=frozenset({"delta"}))
