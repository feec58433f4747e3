"""JSON bodies of simple chat: a whole answer, and errors as one sentence under `error`."""

from potok.dialects.dialect import Reading
from potok.dialects.error_facts import facts_of
from potok.dialects.line_safe import encode_json
from potok.errors import PotokError
from potok.events.fold import Message
from potok.events.kinds import Usage

__all__ = ["encode_simple_error", "simple_chat_body", "simple_chat_failure"]


def simple_chat_body(message: Message, *, reading: Reading) -> bytes:
    """Return the answer of `POST /api/chat`; `usage` is null where the model did not tell it."""
    return encode_json(
        {
            "message": message.text,
            "model": reading.model,
            "usage": None if message.usage is None else _usage(message.usage),
            "run": reading.run,
        }
    )


def simple_chat_failure(message: Message, *, run: str) -> tuple[str, bytes] | None:
    """Return error code and body of a run that has no whole answer; None if it has one.

    The text so far is not in it: clients that do not look at the status would take it for the
    answer. It is kept, and read by the run's id.
    """
    if message.error is not None:
        code, why = message.error.code, message.error.message
    elif message.outcome == "cancelled":
        code, why = "cancelled", "The run was cancelled before its answer was whole."
    else:
        return None
    return code, encode_json({"error": why, "code": code, "run": run})


def encode_simple_error(error: PotokError) -> bytes:
    """Return `{"error": sentence, "code", ...facts}`."""
    return encode_json({"error": error.message, "code": error.code, **facts_of(error)})


def _usage(usage: Usage) -> dict[str, int]:
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
    }
