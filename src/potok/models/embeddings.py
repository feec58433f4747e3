"""Embeddings: the contract of models that make them, and OpenAI's reply read. Pure but for it."""

from typing import Any, Protocol, runtime_checkable

import msgspec

from potok.events.run_request import JsonObject

__all__ = ["Embedder", "EmbeddingInput", "Embeddings", "parse_embeddings"]

EmbeddingInput = str | tuple[int, ...]
"""A text, or its tokens by a tokenizer that the model knows."""


class Embeddings(msgspec.Struct, frozen=True):
    """One vector per input, in their order."""

    vectors: tuple[tuple[float, ...], ...]
    prompt_tokens: int


@runtime_checkable
class Embedder(Protocol):
    """What a model adapter has besides, if its model may make embeddings."""

    async def embed(self, inputs: tuple[EmbeddingInput, ...], parameters: JsonObject) -> Embeddings:
        """Return the vectors of texts.

        Args:
            parameters: OpenAI's own (`dimensions`, `user`) and unknown ones.

        Raises:
            PeerError: the upstream failed, or refuses this model or these inputs.
            UpstreamBusy: no place for one more upstream call.
        """
        ...


def parse_embeddings(body: bytes, *, count: int) -> Embeddings | None:
    """Return what a reply to `POST /embeddings` holds; None if it is not `count` vectors."""
    try:
        reply = msgspec.json.decode(body)
        vectors = {one["index"]: _vector(one["embedding"]) for one in reply["data"]}
        usage = reply.get("usage") or {}
        tokens = usage.get("prompt_tokens", 0)
    except (msgspec.DecodeError, RecursionError, KeyError, TypeError, AttributeError, ValueError):
        return None
    if vectors.keys() != set(range(count)) or type(tokens) is not int:
        return None
    return Embeddings(tuple(vectors[index] for index in range(count)), tokens)


def _vector(value: Any) -> tuple[float, ...]:
    if not isinstance(value, list) or not value:
        raise TypeError("a vector is a list of numbers")
    return tuple(float(number) for number in value)
