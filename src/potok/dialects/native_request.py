"""The request of `POST /api/runs`: checked, and turned into a run request (spec 7.1).

A model's parameters stand at the top level, beside `model` and `messages`, as in Chat Completions.
"""

import re

from potok.dialects.model_parameters import check_model_name, check_parameters
from potok.errors import RequestInvalid
from potok.events.messages import check_messages, json_word
from potok.events.run_request import JsonObject, OnDisconnect, RunRequest
from potok.limits import FALLBACKS_MAX, NAME_CHARACTERS_MAX

__all__ = ["parse_run_request"]

_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,4}", re.ASCII)

_ON_FAILURE = "on_upstream_failure"
_POLICY_FIELDS = (_ON_FAILURE, "fallback")
_FAILURE_POLICIES = ("continue", "restart", "fail")

_OWN_FIELDS = frozenset(
    {
        "model",
        "messages",
        "agent",
        "input",
        "chat_id",
        "on_disconnect",
        "policy",
        "language",
        "stream",
        "stream_options",
    }
)


def parse_run_request(body: JsonObject, *, language: str = "en") -> RunRequest:
    """Check a body and return the run that it asks for.

    Args:
        body: Decoded JSON (without half surrogate pairs, as `potok.wire` decodes it).
        language: Of status texts, where the body has no `language`.

    Raises:
        RequestInvalid: a field is wrong; `param` names it.
        BodyTooLarge: one message is over its limit.
    """
    _refuse_other_protocols(body)
    parameters = {name: value for name, value in body.items() if name not in _OWN_FIELDS}
    has_agent = body.get("agent") is not None
    return RunRequest(
        model=None if has_agent else check_model_name(body.get("model")),
        messages=() if has_agent else check_messages(body.get("messages")),
        parameters=check_parameters(parameters),
        agent=_read_name(body, "agent") if has_agent else None,
        input=_read_input(body) if has_agent else None,
        chat=_read_name(body, "chat_id"),
        on_disconnect=_read_on_disconnect(body),
        policy=_read_policy(body),
        language=_read_language(body) or language,
        face="native",
    )


def _refuse_other_protocols(body: JsonObject) -> None:
    given = {name for name, value in body.items() if value is not None}
    if "agent" in given and ("model" in given or "messages" in given):
        raise RequestInvalid(
            "Send either `model` with `messages`, or `agent` with `input`.", param="agent"
        )
    if "agent" not in given and "input" in given and "messages" not in given:
        raise RequestInvalid(
            "`input` goes with `agent` here; a body of the Responses API goes to"
            " POST /v1/responses.",
            param="input",
        )
    if body.get("stream") or "stream_options" in given:
        raise RequestInvalid(
            "POST /api/runs answers at once with the run; read its stream at the path in `events`."
            " A body of Chat Completions goes to POST /v1/chat/completions.",
            param="stream",
        )
    if "parameters" in given:
        raise RequestInvalid(
            "Put the model's parameters beside `model` and `messages`, not into `parameters`.",
            param="parameters",
        )


def _read_name(body: JsonObject, field: str) -> str | None:
    value = body.get(field)
    if value is None:
        return None
    if not isinstance(value, str) or not 0 < len(value) <= NAME_CHARACTERS_MAX:
        raise RequestInvalid(
            f"`{field}` must be a string of 1 to {NAME_CHARACTERS_MAX} characters.", param=field
        )
    return value


def _read_input(body: JsonObject) -> object:
    value: object = body.get("input")
    if value is None:
        raise RequestInvalid("`input` is missing; an agent's run needs it.", param="input")
    return value


def _read_on_disconnect(body: JsonObject) -> OnDisconnect:
    match body.get("on_disconnect"):
        case None | "keep":
            return "keep"
        case "cancel":
            return "cancel"
    raise RequestInvalid("`on_disconnect` must be keep or cancel.", param="on_disconnect")


def _read_policy(body: JsonObject) -> JsonObject | None:
    policy = body.get("policy")
    if policy is None:
        return None
    if not isinstance(policy, dict):
        raise RequestInvalid(
            f"`policy` must be an object, not {json_word(policy)}.", param="policy"
        )
    unknown = next((name for name in policy if name not in _POLICY_FIELDS), None)
    if unknown is not None:
        raise RequestInvalid(
            f"`policy` has no field {unknown[:80]!r}; it has {' and '.join(_POLICY_FIELDS)}.",
            param="policy",
        )
    if policy.get(_ON_FAILURE) not in (None, *_FAILURE_POLICIES):
        raise RequestInvalid(
            f"`policy.{_ON_FAILURE}` must be continue, restart or fail.",
            param=f"policy.{_ON_FAILURE}",
        )
    _check_fallback(policy.get("fallback"))
    return policy


def _check_fallback(names: object) -> None:
    if names is None:
        return
    param = "policy.fallback"
    if not isinstance(names, list) or len(names) > FALLBACKS_MAX:
        raise RequestInvalid(
            f"`{param}` must be an array of up to {FALLBACKS_MAX} names of models.", param=param
        )
    for place, name in enumerate(names):
        if not isinstance(name, str) or not 0 < len(name) <= NAME_CHARACTERS_MAX:
            at = f"{param}[{place}]"
            raise RequestInvalid(
                f"`{at}` must be a name of 1 to {NAME_CHARACTERS_MAX} characters.", param=at
            )


def _read_language(body: JsonObject) -> str | None:
    language = body.get("language")
    if language is None:
        return None
    if not isinstance(language, str) or not _LANGUAGE.fullmatch(language):
        raise RequestInvalid(
            "`language` must be a language tag such as en or ru.", param="language"
        )
    return language
