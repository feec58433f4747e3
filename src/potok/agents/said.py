"""What an answer holds so far, as its continuation sees it. Pure."""

from collections.abc import Iterable
from typing import Literal

from potok.events.fold import Fold, Message, Part
from potok.events.kinds import (
    Event,
    ReasoningDelta,
    ReasoningEnd,
    ReasoningStart,
    TextDelta,
    TextEnd,
    TextStart,
    ToolDelta,
    ToolEnd,
    ToolStart,
)
from potok.events.run_request import RunRequest
from potok.protocol.continuation import Said

__all__ = ["RENAMED", "fold_of", "is_one_voice", "parts_of", "state_of"]

RENAMED = "@"
"""Stands in the names of parts that a further source of the run made."""


def parts_of(message: Message) -> list[Part]:
    """Return the parts that a model made."""
    return [part for part in message.parts if part.type != "data"]


def state_of(message: Message, request: RunRequest) -> tuple[Said, bool]:
    """Return the most that readers have seen of an answer, and whether there are words in it."""
    parts = parts_of(message)
    has_words = any(part.type == "text" and part.text.strip() for part in parts)
    has_calls = any(part.type == "tool" for part in parts)
    is_several = _is_several(request)
    if not is_several and parts and _is_closed(parts):
        return "all", has_words
    if (has_words or has_calls) and (is_several or _is_json(request)):
        return "part_of_whole", has_words
    if has_calls:
        return "call", has_words
    if has_words:
        return "words", True
    has_thought = any(part.type == "reasoning" and part.text for part in parts)
    return ("thinking" if has_thought else "nothing"), False


def _is_closed(parts: list[Part]) -> bool:
    # Models close a text or a call when they begin the next part, or when they are done.
    is_end = parts[-1].type == "tool" or (parts[-1].type == "text" and bool(parts[-1].text))
    return is_end and parts[-1].state == "done" and all(part.state != "open" for part in parts)


def _is_several(request: RunRequest) -> bool:
    choices = request.parameters.get("n")
    return isinstance(choices, int) and choices > 1


def _is_json(request: RunRequest) -> bool:
    form = request.parameters.get("response_format")
    kind = form.get("type") if isinstance(form, dict) else None
    return kind in ("json_object", "json_schema") or request.parameters.get("format") is not None


def is_one_voice(message: Message) -> bool:
    """Whether all that stands was said by one source, under the names that it gives itself."""
    is_begun_once = all(change.how in ("restart", "replay") for change in message.sources)
    return is_begun_once and not any(RENAMED in part.id for part in message.parts)


def fold_of(message: Message) -> Fold:
    """Return a fold that goes on after a message."""
    fold = Fold()
    tokens = message.tokens
    for part in parts_of(message):
        for event in _events_of(part, tokens):
            fold.feed(event)
        if part.type != "tool":
            tokens = 0
    for change in message.sources:
        fold.feed(change)
    return fold


def _events_of(part: Part, tokens: int) -> Iterable[Event]:
    name, cut, is_open = part.id, part.state == "cut", part.state == "open"
    if part.type == "text":
        channel: Literal["answer", "code"] = "code" if part.channel == "code" else "answer"
        yield TextStart(part=name, channel=channel, choice=part.choice)
        yield TextDelta(part=name, text=part.text, tokens=tokens)
    elif part.type == "reasoning":
        yield ReasoningStart(part=name, choice=part.choice)
        yield ReasoningDelta(part=name, text=part.text, tokens=tokens)
    else:
        yield ToolStart(call=name, name=part.name or "", choice=part.choice)
        yield ToolDelta(call=name, text=part.text)
    if not is_open:
        yield _end_of(part, cut=cut)


def _end_of(part: Part, *, cut: bool) -> Event:
    if part.type == "text":
        return TextEnd(part=part.id, cut=cut)
    if part.type == "reasoning":
        return ReasoningEnd(part=part.id, cut=cut)
    return ToolEnd(call=part.id, cut=cut)
