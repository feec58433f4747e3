"""Errors in OpenAI's shape: `{"error": {"message", "type", "param", "code"}}`.

`code` is Potok's own, the same on every face; `type` is OpenAI's word for who acts next.
"""

from potok.dialects.error_facts import facts_of
from potok.dialects.line_safe import encode_json
from potok.errors import (
    CallerError,
    HostRefused,
    IdempotencyConflict,
    OriginRefused,
    PotokError,
    PromptTooLong,
    RunNotFound,
    Unauthorized,
    UpstreamBusy,
    UpstreamLimited,
    UpstreamRejected,
)

__all__ = ["encode_openai_error", "failure_body", "failure_status"]

# From the narrowest class to the widest; whatever is in none of them is the server's.
_TYPES: tuple[tuple[type[PotokError], str], ...] = (
    (Unauthorized, "authentication_error"),
    (OriginRefused, "permission_error"),
    (HostRefused, "permission_error"),
    (RunNotFound, "not_found_error"),
    (IdempotencyConflict, "idempotency_error"),
    (UpstreamBusy, "rate_limit_exceeded"),
    (UpstreamLimited, "rate_limit_exceeded"),
    (UpstreamRejected, "invalid_request_error"),
    (PromptTooLong, "invalid_request_error"),
    (CallerError, "invalid_request_error"),
    (PotokError, "server_error"),
)

# HTTP status of a run that failed where a whole answer was asked for, by the run's error code.
# 499 for a cancelled one: clients repeat 408, 409, 429 and 5xx by themselves, and somebody who
# stopped an answer must not pay for it again.
_STATUSES = {
    "cancelled": 499,
    "context_length_exceeded": 400,
    "upstream_rejected": 400,
    "upstream_limited": 429,
    "upstream_busy": 503,
    "upstream_stalled": 504,
    "upstream_unreachable": 502,
    "upstream_refused": 502,
    "upstream_lost": 502,
    "upstream_malformed": 502,
    "upstream_error": 502,
    "frame_too_large": 502,
    "answer_unfit": 502,
    "model_unusable": 502,
    "log_unavailable": 503,
    "server_draining": 503,
    "worker_lost": 503,
}
_TYPES_BY_CODE = {
    "cancelled": "cancelled",
    "upstream_busy": "rate_limit_exceeded",
    "upstream_limited": "rate_limit_exceeded",
    "upstream_rejected": "invalid_request_error",
    "context_length_exceeded": "invalid_request_error",
}


def encode_openai_error(error: PotokError) -> bytes:
    """Return the JSON body of a refused request."""
    kind = next(name for owner, name in _TYPES if isinstance(error, owner))
    facts = facts_of(error)
    return _encode(
        message=error.message, kind=kind, param=facts.pop("param", None), code=error.code, **facts
    )


def failure_body(*, code: str, message: str) -> bytes:
    """Return the error object of a run that failed or was cancelled, by its `run-end`."""
    kind = _TYPES_BY_CODE.get(code, "server_error")
    return _encode(message=message, kind=kind, param=None, code=code)


def failure_status(code: str) -> int:
    """Return the HTTP status that fits a run's error code; 500 for one not known here."""
    return _STATUSES.get(code, 500)


def _encode(*, message: str, kind: str, param: object, code: str, **facts: object) -> bytes:
    return encode_json(
        {"error": {"message": message, "type": kind, "param": param, "code": code, **facts}}
    )
