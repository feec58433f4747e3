"""JSON bodies of the native protocol: a run's state, and errors (spec 5.3, 8)."""

import msgspec

from potok.dialects.error_facts import facts_of
from potok.dialects.line_safe import encode_json
from potok.errors import PotokError
from potok.events.envelope import Offset
from potok.events.fold import Message
from potok.events.kinds import Usage
from potok.events.queueing import queue_position

__all__ = ["error_body", "run_state"]

# Named at the top of a run's state, or told by its status.
_NOT_IN_MESSAGE = ("run", "usage", "error", "outcome")


def error_body(error: PotokError) -> bytes:
    """Return `{"error": {"code", "message", ...facts}}`."""
    return encode_json({"error": {"code": error.code, "message": error.message, **facts_of(error)}})


def run_state(*, run: str, status: str, offset: Offset, message: Message) -> dict[str, object]:
    """Return a run's state as `GET /api/runs/{id}` shows it; `position` while it is queued.

    Args:
        status: `queued`, `running`, `finished`, `cancelled` or `failed`.
        offset: The last event that `message` holds: reading goes on after it.
        message: The fold of the run's events up to `offset`.
    """
    folded: dict[str, object] = msgspec.to_builtins(message)
    for name in _NOT_IN_MESSAGE:
        folded.pop(name, None)
    position = queue_position(message)
    return {
        "id": run,
        "status": status,
        **({} if position is None else {"position": position}),
        "offset": str(offset),
        "message": {
            "role": "assistant",
            "parts": folded.pop("parts", []),
            "text": message.text,
            **folded,
        },
        "usage": message.usage and _usage(message.usage),
        "error": message.error,
    }


def _usage(usage: Usage) -> dict[str, object]:
    # The counts stand there even while they are 0; other figures only where they are known.
    counts = {"prompt_tokens": usage.prompt_tokens, "completion_tokens": usage.completion_tokens}
    fields: dict[str, object] = {**counts, **msgspec.to_builtins(usage)}
    del fields["event"]
    return fields
