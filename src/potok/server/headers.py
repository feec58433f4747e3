"""Reads a request's headers and writes the ones that every reply has."""

from collections.abc import Callable

from starlette.types import Message, Scope, Send

__all__ = ["NOTHING_BUT_SELF", "header_of", "language_of", "with_headers", "with_request_id"]

NOTHING_BUT_SELF = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
"""The policy of every reply that is no page: a browser that renders it loads nothing."""

_LANGUAGES = ("en", "ru")
_REQUEST_ID = b"x-request-id"

_EVERY_REPLY = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"content-security-policy", NOTHING_BUT_SELF.encode()),
    (b"cache-control", b"no-store"),
)


def header_of(scope: Scope, name: str) -> str | None:
    """Return a request header's value, the first if it came twice; `name` in lower case."""
    wanted = name.encode()
    for key, value in scope["headers"]:
        if key == wanted:
            text: str = value.decode("latin-1")
            return text.strip()
    return None


def with_headers(send: Send, *more: tuple[bytes, bytes]) -> Send:
    """Return a `send` that adds the safety headers, and `more`, to the reply's start.

    Headers that the reply has itself stay as they are.
    """

    def guarded(message: Message) -> object:
        if message["type"] == "http.response.start":
            headers = list(message.get("headers", ()))
            given = {key.lower() for key, _ in headers}
            headers.extend(pair for pair in _EVERY_REPLY if pair[0] not in given)
            headers.extend(more)
            message = {**message, "headers": headers}
        # Not a coroutine of its own: a stream sends thousands of messages through here.
        return send(message)

    return guarded  # type: ignore[return-value]


def with_request_id(send: Send, new_id: Callable[[], str]) -> Send:
    """Return a `send` that gives the reply an `x-request-id`, unless it has one."""

    def named(message: Message) -> object:
        if message["type"] == "http.response.start":
            headers = list(message.get("headers", ()))
            if not any(key.lower() == _REQUEST_ID for key, _ in headers):
                headers.append((_REQUEST_ID, new_id().encode()))
            message = {**message, "headers": headers}
        return send(message)

    return named  # type: ignore[return-value]


def language_of(scope: Scope, *, default: str = "en") -> str:
    """Return the best language that Potok speaks by `Accept-Language` (RFC 9110 12.5.4)."""
    best, best_weight = default, 0.0
    for choice in (header_of(scope, "accept-language") or "")[:1_000].split(","):
        tag, _, parameters = choice.partition(";")
        language = tag.strip().lower().partition("-")[0]
        weight = _weight_of(parameters)
        if language in _LANGUAGES and weight > best_weight:
            best, best_weight = language, weight
    return best


def _weight_of(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    if name.strip().lower() != "q":
        return 1.0
    try:
        return min(max(float(value), 0.0), 1.0)
    except ValueError:
        return 0.0
