"""`POST /v1/embeddings`: its request checked, its reply made. Numbers are 32-bit floats."""

import base64
import struct
from collections.abc import Sequence

import msgspec

from potok.dialects.line_safe import encode_json
from potok.dialects.model_parameters import check_model_name
from potok.errors import RequestInvalid
from potok.events.messages import json_word
from potok.events.run_request import JsonObject
from potok.limits import EMBEDDING_DIMENSIONS_MAX, EMBEDDING_INPUTS_MAX

__all__ = ["EmbeddingRequest", "embeddings_body", "parse_embedding_request"]


class EmbeddingRequest(msgspec.Struct, frozen=True):
    """A checked request; `parameters` are the model's own."""

    model: str
    inputs: tuple[str | tuple[int, ...], ...]
    parameters: JsonObject
    is_base64: bool = False


def parse_embedding_request(body: JsonObject) -> EmbeddingRequest:
    """Check a body and return what it asks for; raises `RequestInvalid`."""
    model = check_model_name(body.get("model"))
    form = body.get("encoding_format")
    if form not in (None, "float", "base64"):
        raise RequestInvalid("`encoding_format` must be float or base64.", param="encoding_format")
    dimensions = body.get("dimensions")
    fits = type(dimensions) is int and 1 <= dimensions <= EMBEDDING_DIMENSIONS_MAX
    if dimensions is not None and not fits:
        raise RequestInvalid(
            f"`dimensions` must be an integer from 1 to {EMBEDDING_DIMENSIONS_MAX}.",
            param="dimensions",
        )
    own = ("model", "input", "encoding_format")
    return EmbeddingRequest(
        model=model,
        inputs=_read_inputs(body.get("input")),
        parameters={name: value for name, value in body.items() if name not in own},
        is_base64=form == "base64",
    )


def embeddings_body(
    vectors: Sequence[Sequence[float]], *, model: str, prompt_tokens: int, is_base64: bool
) -> bytes:
    """Return the `list` of embeddings."""
    data = [
        {
            "object": "embedding",
            "index": index,
            "embedding": _packed(vector) if is_base64 else vector,
        }
        for index, vector in enumerate(vectors)
    ]
    usage = {"prompt_tokens": prompt_tokens, "total_tokens": prompt_tokens}
    return encode_json({"object": "list", "data": data, "model": model, "usage": usage})


def _packed(vector: Sequence[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()


def _read_inputs(value: object) -> tuple[str | tuple[int, ...], ...]:
    if isinstance(value, list) and value and all(type(one) is int for one in value):
        value = [value]
    items = value if isinstance(value, list) else [value]
    if value in ("", []):
        raise RequestInvalid("`input` is empty; send a text.", param="input")
    if len(items) > EMBEDDING_INPUTS_MAX:
        raise RequestInvalid(
            f"`input` has {len(items)} texts; send at most {EMBEDDING_INPUTS_MAX}.", param="input"
        )
    return tuple(
        _read_input(one, f"input[{place}]" if isinstance(value, list) else "input")
        for place, one in enumerate(items)
    )


def _read_input(value: object, param: str) -> str | tuple[int, ...]:
    if isinstance(value, str) and value:
        return value
    if isinstance(value, list) and value and all(type(one) is int and one >= 0 for one in value):
        return tuple(value)
    raise RequestInvalid(
        f"`{param}` must be a text or an array of tokens, not empty and not {json_word(value)}."
        if not isinstance(value, str | list)
        else f"`{param}` must be a text or an array of tokens, and not empty.",
        param=param,
    )
