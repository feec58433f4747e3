"""JSON bodies of requirement 001: `MessageRead` exactly as its document has it, and its neighbours.

New keys are only added: `parent_id` and `sibling_ids` for the tree, and in `metadata` what became
of the run.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from potok.events.fold import Message
from potok.events.run_request import JsonObject

__all__ = ["answer_metadata", "iso_time", "message_read"]


def iso_time(seconds: float) -> str:
    """Return a time as UTC ISO 8601 with milliseconds: `2026-11-21T03:04:05.678Z`."""
    moment = datetime.fromtimestamp(round(seconds, 3), UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def message_read(
    *,
    id: int | None,
    chat_id: int | None,
    role: str,
    content: str,
    created_at: float,
    metadata: Mapping[str, Any],
    parent_id: int | None = None,
    sibling_ids: tuple[int, ...] = (),
) -> JsonObject:
    """Return a message as clients of 001 read it."""
    return {
        "id": id,
        "chat_id": chat_id,
        "role": role,
        "content": content,
        "created_at": iso_time(created_at),
        "metadata": dict(metadata),
        "parent_id": parent_id,
        "sibling_ids": list(sibling_ids),
    }


def answer_metadata(
    message: Message, *, before: Mapping[str, Any], seconds: float | None
) -> JsonObject:
    """Return the metadata of an answer, as far as its run has come.

    Args:
        before: What the message had when the run began: a continued answer adds to it.
        seconds: From the run's start to its end, None while it lives.
    """
    status = message.outcome or "streaming"
    model = (message.model or message.agent or "").partition("/")
    thinking = f"{before.get('thinkingText', '')}{message.reasoning}"
    # A source that repeats itself to go on counts all of its answer; its pieces are the new ones.
    is_repeated = bool(before) and any(one.how == "replay" for one in message.sources)
    usage = None if is_repeated else message.usage
    tokens = usage.completion_tokens if usage is not None else 0
    found: JsonObject = {
        "model": model[2] or model[0] or before.get("model"),
        "tokens": int(before.get("tokens", 0)) + (tokens or message.tokens),
        "hasThinkingProcess": bool(thinking),
        "thinkingExpanded": bool(before.get("thinkingExpanded", False)),
        "status": status,
        "run": message.run or None,
    }
    if thinking:
        found["thinkingText"] = thinking
    if seconds is not None:
        spent = int(before.get("processingTime", 0))
        found["processingTime"] = spent + max(0, round(seconds * 1000))
    if message.finish_reason is not None:
        found["finishReason"] = message.finish_reason
    if status == "cancelled":
        found["cancelled"] = True
    if message.error is not None:
        found["error"] = {"code": message.error.code, "message": message.error.message}
    return found
