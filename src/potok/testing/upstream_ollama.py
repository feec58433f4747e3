"""How a scripted upstream sounds in Ollama's own API: `/api/chat`, `/api/generate`, `/api/tags`.

It does not imitate: calls of tools (give their lines as `pieces`), models that are loaded first,
options that change the answer.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from potok.testing.upstream_script import Script, Speech

__all__ = ["OLLAMA", "line_of", "tags_of"]

_MADE = "2026-03-01T12:00:00.123456789Z"
_SECOND = 1_000_000_000
_CONTEXT_TOKENS = 8192


def line_of(asked: Mapping[str, Any], *, text: str = "", thinking: str = "", **more: Any) -> bytes:
    """Return one line of a reply to `asked`: in the form of a chat if it has messages."""
    said: dict[str, Any] = {"thinking": thinking} if thinking else {}
    if "messages" in asked:
        said = {"message": {"role": "assistant", "content": text, **said}}
    else:
        said = {"response": text, **said}
    line = {"model": asked.get("model"), "created_at": _MADE, **said, "done": False, **more}
    return json.dumps(line, ensure_ascii=False).encode() + b"\n"


def tags_of(models: Sequence[str]) -> bytes:
    """Return the list of models as `GET /api/tags` gives it."""
    entries = [
        {
            "name": name,
            "model": name,
            "modified_at": _MADE,
            "size": 1,
            "details": {"family": "scripted", "context_length": _CONTEXT_TOKENS},
            "capabilities": ["completion", "tools"],
        }
        for name in models
    ]
    return json.dumps({"models": entries}).encode()


def _before(script: Script, asked: Mapping[str, Any]) -> Iterator[tuple[bytes, bool]]:
    if script.pieces is not None:
        yield from ((piece, True) for piece in script.pieces)
        return
    for piece in script.thinking:
        yield line_of(asked, thinking=piece), True
    for piece in script.tokens:
        yield line_of(asked, text=piece), True


def _after(script: Script, asked: Mapping[str, Any]) -> Iterator[bytes]:
    if script.pieces is not None:
        return
    said = len(script.tokens) + len(script.thinking)
    if script.then == "error":
        yield json.dumps({"error": script.error}).encode() + b"\n"
    elif script.then == "malformed":
        yield b'{"message": {"content"\n'
    elif script.then in ("finish", "no-done"):
        yield line_of(
            asked,
            done=True,
            done_reason=script.finish_reason,
            total_duration=3 * _SECOND,
            load_duration=_SECOND,
            prompt_eval_count=7,
            prompt_eval_duration=_SECOND,
            eval_count=said,
            eval_duration=_SECOND,
        )


OLLAMA = Speech(
    content_type="application/x-ndjson", sign_of_life=b"\n", before=_before, after=_after
)
