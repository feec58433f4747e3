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
from potok.protocol.continuation import Said

__all__ = ["fold_of", "parts_of", "state_of"]


def parts_of(message: Message) -> list[Part]:
    """Return the parts that a model made."""
    return [part for part in message.parts if part.type != "data"]


def state_of(message: Message, *, is_whole: bool) -> tuple[Said, bool]:
    """Return the most that readers have seen of an answer, and whether there are words in it.

    Args:
        is_whole: The answer is worth nothing in parts.
    """
    parts = parts_of(message)
    has_words = any(part.type == "text" and part.text.strip() for part in parts)
    has_calls = any(part.type == "tool" for part in parts)
    if is_whole and (has_words or has_calls):
        return "part_of_whole", has_words
    if has_calls:
        return "call", has_words
    if has_words:
        return "words", True
    has_thought = any(part.type == "reasoning" and part.text for part in parts)
    return ("thinking" if has_thought else "nothing"), False


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

