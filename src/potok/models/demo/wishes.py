"""Wishes about an answer's form: JSON by a schema, several choices, log probabilities."""

import re
from collections.abc import Iterable, Iterator

import msgspec

from potok.events.fold import Message
from potok.events.kinds import (
    Event,
    RunEnd,
    TextDelta,
    TextEnd,
    TextStart,
    Usage,
)
from potok.events.run_request import JsonObject, text_of
from potok.models.contract import ChatRequest
from potok.models.demo.forms import Findings, fill

__all__ = ["answer_in_json", "choice_events", "choices_wanted", "with_logprobs"]

_QUOTED_LIST = r"(?:[\"'`«“][\w -]{1,64}[\"'`»”](?:,? (?:and|or|и|или) |, ?)?)+"
_KEYS = r"(?:keys?|fields?|propert(?:y|ies)|ключ\w*|пол(?:е|я|ем|ями|ей))\b"
_NAMED_KEYS = re.compile(
    rf"(?P<before>{_QUOTED_LIST}) ?{_KEYS}|{_KEYS}:? (?P<after>{_QUOTED_LIST})", re.IGNORECASE
)
_ONE_QUOTED = re.compile(r"[\"'`«“]([\w -]{1,64})[\"'`»”]")


def answer_in_json(request: ChatRequest, answer: str) -> str | None:
    """Return the answer as the JSON that `response_format` asks for, None if it asks for none."""
    wish = request.parameters.get("response_format")
    kind = wish.get("type") if isinstance(wish, dict) else None
    if not isinstance(wish, dict) or kind not in ("json_object", "json_schema"):
        return None
    asked = [message for message in request.messages if message.get("role") == "user"]
    question = text_of(asked[-1]) if asked else ""
    if kind == "json_object":
        return _object_of(question, answer)
    named = wish.get("json_schema")
    schema = named.get("schema") if isinstance(named, dict) else None
    return msgspec.json.encode(fill(schema or {}, Findings(question), answer=answer)).decode()


def _object_of(question: str, answer: str) -> str:
    """Return an object with the keys that a question names, or with the answer alone."""
    keys: list[str] = []
    for found in _NAMED_KEYS.finditer(question):
        keys += _ONE_QUOTED.findall(found["before"] or found["after"])
    if not keys:
        return msgspec.json.encode({"answer": answer}).decode()
    schema = {"type": "object", "properties": {key: {"type": "string"} for key in keys}}
    findings = Findings(_NAMED_KEYS.sub(" ", question))
    return msgspec.json.encode(fill(schema, findings, answer=answer)).decode()


def choices_wanted(parameters: JsonObject) -> int:
    """Return how many choices are asked for, at least one."""
    count = parameters.get("n")
    return count if type(count) is int and count > 1 else 1


def choice_events(
    pieces: tuple[str, ...],
    *,
    count: int,
    usage: Usage,
    finish_reason: str,
    said: Message | None,
) -> Iterator[Event]:
    """Return the events of several choices, which all say the same: the model is no dice.

    With `said` only what follows it comes.
    """
    parts = {part.id: part for part in said.parts} if said is not None else {}
    for choice in range(count):
        name = f"text-{choice + 1}"
        part = parts.get(name)
        if part is None:
            yield TextStart(part=name, choice=choice)
        elif part.state != "open":
            continue
        left = len(part.text) if part is not None else 0
        for piece in pieces:
            if rest := piece[left:]:
                yield TextDelta(part=name, text=rest, choice=choice)
            left = max(0, left - len(piece))
        yield TextEnd(part=name)
    yield msgspec.structs.replace(usage, completion_tokens=usage.completion_tokens * count)
    reasons = (finish_reason,) * count
    yield RunEnd(outcome="finished", finish_reason=finish_reason, finish_reasons=reasons)


def with_logprobs(events: Iterable[Event], parameters: JsonObject) -> Iterator[Event]:
    """Give each piece the log probability of the only one possible, 0, if that is asked for."""
    if parameters.get("logprobs") is not True:
        yield from events
        return
    for event in events:
        if isinstance(event, TextDelta) and event.text:
            one = {"token": event.text, "logprob": 0.0, "bytes": list(event.text.encode())}
            top = [one] if parameters.get("top_logprobs") else []
            told = {"content": [{**one, "top_logprobs": top}], "refusal": None}
            yield msgspec.structs.replace(event, logprobs=told)
        else:
            yield event
