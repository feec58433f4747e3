"""What a provider's refusals mean for people: one sentence that says what to do. Pure.

A provider's own words are shown only after keys were removed from them, cut short, and not at all
when they repeat the prompt.
"""

import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any

import msgspec

from potok.errors import UpstreamLimited, UpstreamRefused, UpstreamRejected
from potok.limits import UPSTREAM_WORDS_CHARACTERS_MAX

__all__ = ["Refusals", "StreamOptionsRefused", "redact", "retry_after_seconds"]

Json = Any

_KEY_LIKE = re.compile(
    r"(?i:bearer)\s+[^\s\"',]{4,}"
    r"|\b(?:sk|pk|rk|gsk|csk|xai|hf|nvapi|pplx)[-_][\w*.-]{6,}"
    r"|\b(?:key|api|tok|token)[-_](?=[\w.-]*\d)[\w.-]{6,}"
    r"|\bAIza[\w-]{10,}"
    # Providers show a key that they refuse with stars in its middle.
    r"|\S*\*{3,}\S*"
    # A long word of letters and digits, but for the id of a request, which support asks for;
    # names of models have dashes between short ones.
    r"|(?<![A-Za-z0-9])(?<!req_)(?=[A-Za-z]*[0-9])(?=[0-9]*[A-Za-z])[A-Za-z0-9]{24,}"
)
_REMOVED = "[key removed]"
_MODEL_CHARACTERS_MAX = 200

# Characters of a provider's words that are looked at.
_WORDS_READ_MAX = 2 * UPSTREAM_WORDS_CHARACTERS_MAX
# A run of so many characters of the prompt is no coincidence.
_ECHO_CHARACTERS = 16
_NO_CREDIT = ("insufficient_quota", "billing_hard_limit_reached", "insufficient_balance")
# What providers call an error that comes without a status, inside a stream.
_STATUS_OF_TYPE = {
    "authentication_error": 401,
    "permission_error": 403,
    "not_found_error": 404,
    "invalid_request_error": 400,
    "badrequesterror": 400,
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
    "tokens": 429,
    "requests": 429,
    "insufficient_quota": 429,
    "overloaded_error": 529,
}
_STATUS_UNKNOWN = 500
# Statuses that say something of the request, not of the provider or of its settings here.
_KINDS: dict[int, type[UpstreamRefused]] = {
    400: UpstreamRejected,
    413: UpstreamRejected,
    422: UpstreamRejected,
    429: UpstreamLimited,
}


class StreamOptionsRefused(UpstreamRefused):
    """The provider does not know `stream_options`; the same call without it may succeed."""


class _Words(msgspec.Struct, frozen=True):
    message: str = ""
    kind: str = ""
    status: int | None = None


class Refusals:
    """Makes the errors of one call.

    Args:
        provider: Its name here.
        model: The model asked for, by the provider's own name.
        key_setting: The setting that holds the key; `has_key` whether one was sent.
        secrets: Texts that no error may show.
        prompts: Texts of the request: a provider's words that repeat one of them are not shown.
        advice: Other ends of the sentence "The provider x ...", by status; `{model}`, `{setting}`
            and `{status}` in them are filled in.
    """

    __slots__ = (
        "_advice",
        "_has_key",
        "_key_setting",
        "_model",
        "_prompts",
        "_provider",
        "_secrets",
    )

    def __init__(
        self,
        *,
        provider: str,
        model: str = "",
        key_setting: str = "the key",
        has_key: bool = True,
        secrets: tuple[str, ...] = (),
        prompts: tuple[str, ...] = (),
        advice: Mapping[int, str] | None = None,
    ) -> None:
        self._advice = {**_ADVICE, **(advice or {})}
        self._provider = provider
        self._model = model[:_MODEL_CHARACTERS_MAX]
        self._key_setting = key_setting
        self._has_key = has_key
        self._secrets = secrets
        self._prompts = prompts

    @property
    def provider(self) -> str:
        """The provider's name here."""
        return self._provider

    def from_reply(
        self, *, status: int, headers: Mapping[str, str], body: bytes, now: float
    ) -> UpstreamRefused:
        """Return the error for a reply with an error status.

        Args:
            headers: Names in lower case.
            now: Seconds since the epoch, for a `Retry-After` that is a date.
        """
        words = _words_of(_parse(body))
        wait = retry_after_seconds(headers, now=now)
        if status in (400, 422) and b"stream_options" in body:
            return StreamOptionsRefused(self._sentence(status, words, wait), status=status)
        if 300 <= status < 400:
            return UpstreamRefused(self._redirect(headers.get("location", "")), status=status)
        if status == 429 and words.kind in _NO_CREDIT:
            status = 402
        kind = _KINDS.get(status, UpstreamRefused)
        return kind(self._sentence(status, words, wait), status=status, retry_after_seconds=wait)

    def from_stream(self, error: Json) -> UpstreamRefused:
        """Return the error for an error object that came inside a stream, or instead of it."""
        words = _words_of(error)
        status = words.status or _STATUS_OF_TYPE.get(words.kind.lower(), _STATUS_UNKNOWN)
        if words.kind in _NO_CREDIT:
            status = 402
        kind = _KINDS.get(status, UpstreamRefused)
        return kind(self._sentence(status, words, None), status=status)

    def _sentence(self, status: int, words: _Words, wait: float | None) -> str:
        said = self._shown(words.message)
        return self._advise(status, wait) + (f" It says: {said}" if said else "")

    def _advise(self, status: int, wait: float | None) -> str:
        name = f"The provider {self._provider}"
        if status == 401 and not self._has_key:
            return f"{name} asks for a key: set {self._key_setting}."
        if status == 401:
            return f"{name} refused the key: check {self._key_setting}."
        if status == 429:
            when = f"in {wait:.0f} seconds" if wait else "a little later"
            return f"{name} limits how much it is asked: try again {when}, or use another model."
        if status >= 500:
            return f"{name} failed ({status}). Try again, or use another model."
        advice = self._advice.get(status, "did not accept the request ({status}): change it.")
        model, setting = repr(self._model), self._key_setting
        return f"{name} " + advice.format(status=status, model=model, setting=setting)

    def _redirect(self, location: str) -> str:
        target = redact(location.partition("?")[0].rpartition("@")[2], secrets=self._secrets)
        return (
            f"The provider {self._provider} sends calls on to {target[:_MODEL_CHARACTERS_MAX]!r},"
            " where the key is not sent. Put the right address into its base URL."
        )

    def _shown(self, message: str) -> str:
        message = " ".join(message.split())
        if len(message) > _WORDS_READ_MAX:
            # At a blank: half a key would not be known for one.
            message = message[:_WORDS_READ_MAX].rpartition(" ")[0]
        if not message or self._repeats_prompt(message):
            return ""
        message = redact(message, secrets=self._secrets)
        if len(message) > UPSTREAM_WORDS_CHARACTERS_MAX:
            message = message[: UPSTREAM_WORDS_CHARACTERS_MAX - 3] + "..."
        return message

    def _repeats_prompt(self, message: str) -> bool:
        # Steps of half a window find any echo that is one and a half windows long.
        step = _ECHO_CHARACTERS // 2
        ends = range(_ECHO_CHARACTERS, len(message) + 1, step)
        windows = [message[end - _ECHO_CHARACTERS : end] for end in ends]
        for prompt in self._prompts:
            flat = " ".join(prompt.split())
            if 0 < len(flat) < 2 * _ECHO_CHARACTERS and flat in message:
                return True
            if any(window in flat for window in windows):
                return True
        return False


_ADVICE = {
    402: "has no credit left for this account: add some, or use another provider.",
    403: "does not let this key use the model {model}: check {setting} and the account's rights.",
    404: "does not know the model {model}, or its base URL is wrong (does it end in /v1?).",
    408: "gave up waiting for the request. Try again.",
    409: "is busy with a conflicting request. Try again.",
    413: "finds the request too large: send fewer or shorter messages.",
}


def redact(text: str, *, secrets: tuple[str, ...] = ()) -> str:
    """Return `text` with the given secrets, and all that looks like a key, removed."""
    for secret in secrets:
        text = text.replace(secret, _REMOVED)
    return _KEY_LIKE.sub(_REMOVED, text)


def retry_after_seconds(headers: Mapping[str, str], *, now: float) -> float | None:
    """Return the wait that a reply asks for, not negative; None if it asks for none.

    Reads `retry-after-ms`, then `Retry-After` as seconds or as an HTTP date (RFC 9110, 10.2.3).
    Names of `headers` are in lower case.
    """
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    asked = headers.get("retry-after")
    seconds = _number(asked)
    if seconds is not None or not asked:
        return seconds
    try:
        return max(0.0, parsedate_to_datetime(asked).timestamp() - now)
    except (ValueError, OverflowError):
        return None


def _number(text: str | None) -> float | None:
    try:
        number = float(text) if text else None
    except ValueError:
        return None
    # NaN and infinity are no waits; neither is what one would have to travel back for.
    return number if number is not None and 0 <= number < 1e9 else None


def _parse(body: bytes) -> Json:
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        text = body.decode("utf-8", "replace")
        # A proxy's error page says nothing to people.
        return None if "<" in text else text


def _words_of(error: Json) -> _Words:
    if isinstance(error, list) and error:
        error = error[0]
    if isinstance(error, dict) and error.get("error") is not None:
        return _words_of(error["error"])
    if isinstance(error, str):
        return _Words(message=error)
    if not isinstance(error, dict):
        return _Words()
    message = error.get("message", error.get("detail"))
    if isinstance(message, dict):
        message = message.get("detail", message.get("message"))
    if isinstance(message, list):
        # Validators list faults as {"msg", "input"}; the input is the caller's own text.
        message = "; ".join(str(item["msg"]) for item in message if _has_words(item))
    code, kind = error.get("code"), error.get("type")
    return _Words(
        message=message if isinstance(message, str) else "",
        kind=code if isinstance(code, str) and not code.isdigit() else str(kind or ""),
        status=_status(code) or _status(error.get("status")),
    )


def _has_words(item: Json) -> bool:
    return isinstance(item, dict) and isinstance(item.get("msg"), str)


def _status(code: Json) -> int | None:
    if isinstance(code, str) and code.isascii() and code.isdigit() and len(code) == 3:
        code = int(code)
    return code if isinstance(code, int) and 400 <= code <= 599 else None
