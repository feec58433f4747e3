"""The `chat.completion` object: a run's whole answer, for clients that did not ask for a stream."""

from typing import Any

from potok.dialects.dialect import Reading
from potok.dialects.line_safe import encode_json
from potok.dialects.openai_errors import failure_body, failure_status
from potok.events.fold import Message, Part
from potok.events.kinds import Usage

__all__ = ["completion_body", "completion_failure", "completion_id", "encode_usage"]


def completion_id(run: str) -> str:
    """Return the `id` of a run's chunks and of its completion."""
    return f"chatcmpl-{run}"


def completion_body(message: Message, *, reading: Reading) -> bytes:
    """Return the `chat.completion` of a finished run.

    `usage` is left out where the model did not tell it. For a run that failed or was cancelled
    see `completion_failure`.
    """
    body: dict[str, object] = {
        "id": completion_id(reading.run),
        "object": "chat.completion",
        "created": reading.created,
        "model": reading.model,
        "choices": [_choice(message, choice) for choice in range(_count_choices(message))],
    }
    if message.usage is not None:
        body["usage"] = _usage(message.usage)
    return encode_json(body)


def completion_failure(message: Message) -> tuple[int, bytes] | None:
    """Return HTTP status and error body of a run that has no whole answer; None if it has one."""
    if message.error is not None:
        code = message.error.code
        return failure_status(code), failure_body(code=code, message=message.error.message)
    if message.outcome == "cancelled":
        why = "The run was cancelled before its answer was whole."
        return failure_status("cancelled"), failure_body(code="cancelled", message=why)
    return None


def encode_usage(usage: Usage) -> bytes:
    """Return the `usage` object."""
    return encode_json(_usage(usage))


def _usage(usage: Usage) -> dict[str, object]:
    # A provider's own sum stands, should it count more than the two.
    counts: dict[str, object] = {
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
        **(usage.extra or {}),
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
    }
    if usage.reasoning_tokens:
        known = counts.get("completion_tokens_details")
        details = known if isinstance(known, dict) else {}
        counts["completion_tokens_details"] = {
            **details,
            "reasoning_tokens": usage.reasoning_tokens,
        }
    return counts


def _count_choices(message: Message) -> int:
    parts = max((part.choice for part in message.parts), default=0) + 1
    return max(parts, len(message.finish_reasons or ()))


def _choice(message: Message, choice: int) -> dict[str, object]:
    parts = [part for part in message.parts if part.choice == choice]
    thinking = "".join(part.text for part in parts if part.type == "reasoning")
    calls = [_call(part) for part in parts if part.type == "tool"]
    refusal = "".join(part.text for part in parts if part.refusal)
    text = _text_of([part for part in parts if not part.refusal])
    is_silent = bool(calls or refusal)
    said: dict[str, object] = {"role": "assistant", "content": text or (None if is_silent else "")}
    said["refusal"] = refusal or None
    if thinking:
        said["reasoning_content"] = thinking
    if calls:
        said["tool_calls"] = calls
    reasons = message.finish_reasons or ()
    reason = reasons[choice] if choice < len(reasons) else message.finish_reason
    return {
        "index": choice,
        "message": said,
        "logprobs": _logprobs(parts),
        "finish_reason": reason or "stop",
    }


def _text_of(parts: list[Part]) -> str:
    return "".join(part.text for part in parts if part.type == "text" and part.channel == "answer")


def _logprobs(parts: list[Part]) -> dict[str, list[Any] | None] | None:
    known = [part.logprobs for part in parts if part.logprobs is not None]
    if not known:
        return None
    # Clients of this API look for both of its lists.
    joined: dict[str, list[Any] | None] = {"content": None, "refusal": None}
    for lists in known:
        for name, entries in lists.items():
            joined[name] = [*(joined.get(name) or []), *entries]
    return joined


def _call(part: Part) -> dict[str, object]:
    return {
        "id": part.id,
        "type": "function",
        "function": {"name": part.name or "", "arguments": part.text},
    }
