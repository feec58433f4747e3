"""The `response` object: what was asked, and what was answered so far."""

from potok.dialects.dialect import Reading
from potok.dialects.openai_responses_items import Json, items_of
from potok.events.fold import Message
from potok.events.kinds import Usage

__all__ = ["response_error", "response_id", "response_object", "run_of_response"]

_PREFIX = "resp_"
# What a response says where nothing was asked.
_DEFAULTS: Json = {
    "background": False,
    "instructions": None,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "previous_response_id": None,
    "reasoning": {"effort": None, "summary": None},
    "store": True,
    "temperature": None,
    "text": {"format": {"type": "text"}},
    "tool_choice": "auto",
    "tools": [],
    "top_logprobs": 0,
    "top_p": None,
    "truncation": "disabled",
    "user": None,
}
# Why an answer that came to its end is not the whole one.
_INCOMPLETE = {"length": "max_output_tokens", "content_filter": "content_filter"}
_RATE_CODES = frozenset({"upstream_busy", "upstream_limited"})


def response_id(run: str) -> str:
    """Return the id of the response that a run makes."""
    return _PREFIX + run


def run_of_response(response: str) -> str:
    """Return the run that makes a response; an empty string for what is no response's id."""
    return response.removeprefix(_PREFIX) if response.startswith(_PREFIX) else ""


def response_object(
    message: Message,
    *,
    asked: Json,
    reading: Reading,
    is_queued: bool = False,
    error: Json | None = None,
) -> Json:
    """Return the response as far as its run has come.

    Args:
        message: The fold of the run's events.
        asked: The request's own words (`RunRequest.input["asked"]`), which a response repeats.
        is_queued: The run waits for its first event.
        error: Why the response failed for its reader, whatever became of its run.
    """
    status, reason = _status(message, is_queued=is_queued)
    if error is None and message.error is not None:
        error = response_error(code=message.error.code, message=message.error.message)
    return {
        "id": response_id(reading.run),
        "object": "response",
        "created_at": reading.created,
        "status": "failed" if error is not None else status,
        "error": error,
        "incomplete_details": None if reason is None or error is not None else {"reason": reason},
        "model": reading.model,
        "output": list(items_of(message.parts, run=reading.run)),
        **_DEFAULTS,
        **asked,
        "usage": None if message.usage is None else _usage(message.usage),
    }


def response_error(*, code: str, message: str) -> Json:
    """Return a response's `error`; OpenAI's own codes are few, so Potok's stands in `reason`."""
    kind = "rate_limit_exceeded" if code in _RATE_CODES else "server_error"
    return {"code": kind, "message": message, "reason": code}


def _status(message: Message, *, is_queued: bool) -> tuple[str, str | None]:
    if message.outcome is None:
        return ("queued" if is_queued else "in_progress"), None
    if message.outcome != "finished":
        return message.outcome, None
    said = message.finish_reasons[0] if message.finish_reasons else message.finish_reason
    reason = _INCOMPLETE.get(said or "stop")
    return ("completed" if reason is None else "incomplete"), reason


def _usage(usage: Usage) -> Json:
    details = (usage.extra or {}).get("prompt_tokens_details")
    cached = details.get("cached_tokens") if isinstance(details, dict) else 0
    return {
        "input_tokens": usage.prompt_tokens,
        "input_tokens_details": {
            "cached_tokens": cached if isinstance(cached, int) else 0,
            "cache_write_tokens": 0,
        },
        "output_tokens": usage.completion_tokens,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
    }
