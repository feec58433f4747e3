"""Chat Completions streams as a local model's server sends them."""

import json

__all__ = ["stream_of"]


def stream_of(*texts: str, reason: str = "stop", choice: int = 0) -> bytes:
    """Return a whole reply whose choice says `texts`, one chunk each."""
    deltas = [{"role": "assistant", "content": None}, *({"content": text} for text in texts)]
    chunks = [_chunk(delta, None, choice) for delta in deltas]
    return b"".join([*chunks, _chunk({}, reason, choice), b"data: [DONE]\n\n"])


def _chunk(delta: object, reason: str | None, choice: int) -> bytes:
    body = {"choices": [{"index": choice, "delta": delta, "finish_reason": reason}]}
    return f"data: {json.dumps(body, ensure_ascii=False)}\n\n".encode()
