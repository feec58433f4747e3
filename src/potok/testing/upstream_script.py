"""What a scripted upstream says to one request, and the bytes of it."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from potok.testing.gates import Gate

__all__ = ["CHAT_COMPLETIONS", "Script", "Speech", "frame_of"]

_COMMENT = b": keep-alive\n\n"
_CREATED = 1_790_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """One reply: what comes, when, and what goes wrong.

    Attributes:
        tokens: Pieces of the answer; each is one frame and one write.
        thinking: Pieces of thinking before them, counted as tokens like these.
        then: What follows the last token: an orderly end, a connection that breaks (`drop`), a
            body that ends without a finish reason (`end`), silence until the client goes
            (`stall`), an error frame, a frame that is no JSON, or a good end without `[DONE]`.
        gate: Every token waits here first.
        headers_gate: The status line waits here.
        comments: Comments before each token; `stall` then sends one per pass of the gate.
        status: Another status than 200 sends `body` and no tokens.
        body: A whole body instead of tokens, with `headers` as they are given.
        pieces: The bytes of a recorded stream instead of tokens, one write each.
        write_bytes_max: Cuts each write into smaller ones, in the middle of letters too.
        interval_seconds: A real pause before each token; for processes, not for tests in one.
    """

    tokens: tuple[str, ...] = ("Hello", ", ", "world", "!")
    thinking: tuple[str, ...] = ()
    then: Literal["finish", "drop", "end", "stall", "error", "malformed", "no-done"] = "finish"
    gate: Gate | None = None
    headers_gate: Gate | None = None
    comments: int = 0
    finish_reason: str = "stop"
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    pieces: tuple[bytes, ...] | None = None
    error: Any = field(default_factory=lambda: {"message": "out of order", "type": "server_error"})
    write_bytes_max: int | None = None
    interval_seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Speech:
    """How a script sounds in one API.

    Attributes:
        before: The pieces up to the last token, each with whether it is a token, for a script and
            the request's body.
        after: The pieces that follow the last token; none for `drop`, `end` and `stall`.
        sign_of_life: What `stall` sends.
    """

    content_type: str
    sign_of_life: bytes
    before: Callable[[Script, Mapping[str, Any]], Iterator[tuple[bytes, bool]]]
    after: Callable[[Script, Mapping[str, Any]], Iterator[bytes]]


def frame_of(model: str, **choice: Any) -> bytes:
    """Return one chunk with one choice as a frame."""
    return _frame(model, [{"index": 0, "delta": {}, "finish_reason": None, **choice}])


def _frames_before(script: Script, asked: Mapping[str, Any]) -> Iterator[tuple[bytes, bool]]:
    model = asked.get("model", "scripted-1")
    if script.pieces is not None:
        yield from ((piece, True) for piece in script.pieces)
        return
    yield frame_of(model, delta={"role": "assistant", "content": ""}), False
    for field_name, pieces in (("reasoning_content", script.thinking), ("content", script.tokens)):
        for piece in pieces:
            for _ in range(script.comments):
                yield _COMMENT, False
            yield frame_of(model, delta={field_name: piece}), True


def _frames_after(script: Script, asked: Mapping[str, Any]) -> Iterator[bytes]:
    if script.pieces is not None:
        return
    model = asked.get("model", "scripted-1")
    if script.then == "error":
        yield b"data: " + _json({"error": script.error}) + b"\n\n"
    elif script.then == "malformed":
        yield b'data: {"choices": [{"index": 0, "delta": {"content"\n\n'
    elif script.then in ("finish", "no-done"):
        yield frame_of(model, finish_reason=script.finish_reason)
        if (asked.get("stream_options") or {}).get("include_usage") is True:
            said = len(script.tokens) + len(script.thinking)
            usage = {"prompt_tokens": 7, "completion_tokens": said, "total_tokens": 7 + said}
            yield _frame(model, [], usage=usage)
        if script.then == "finish":
            yield b"data: [DONE]\n\n"


def _frame(model: str, choices: list[Any], **more: Any) -> bytes:
    chunk = {
        "id": "chatcmpl-scripted",
        "object": "chat.completion.chunk",
        "created": _CREATED,
        "model": model,
        "choices": choices,
        **more,
    }
    return b"data: " + _json(chunk) + b"\n\n"


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


CHAT_COMPLETIONS = Speech(
    content_type="text/event-stream",
    sign_of_life=_COMMENT,
    before=_frames_before,
    after=_frames_after,
)
