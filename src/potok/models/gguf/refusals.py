"""What llama.cpp's refusals mean, where its status does not tell. Pure."""

from typing import Any

import msgspec

from potok.errors import PromptTooLong, UpstreamRefused, UpstreamRejected

__all__ = ["refusal_of"]

Json = Any

_TOO_LONG = "exceed_context_size_error"
# Answered with 500 though the request is at fault: asking again would not help.
_WORDS_OF_REQUESTS = ("not supported", "too large to process", "does not support")


def refusal_of(body: bytes, *, model: str) -> UpstreamRefused | None:
    """Return the error for the body of a refusal; None where its status says it all."""
    try:
        error: Json = msgspec.json.decode(body)["error"]
        kind, words = error.get("type"), str(error.get("message", ""))
    except (msgspec.DecodeError, KeyError, TypeError, AttributeError):
        return None
    if kind == _TOO_LONG:
        return PromptTooLong(
            model=model, tokens=_count(error, "n_prompt_tokens"), tokens_max=_count(error, "n_ctx")
        )
    if any(phrase in words for phrase in _WORDS_OF_REQUESTS):
        return UpstreamRejected(
            f"The model {model} does not take this request: {words[:200]}.", status=400
        )
    return None


def _count(error: dict[str, Json], name: str) -> int:
    count = error.get(name)
    return count if isinstance(count, int) else 0
