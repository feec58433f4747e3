"""What a parser made of a reply, and what people and programs see of it; for every parser."""

from collections.abc import Callable
from typing import NamedTuple

from potok.errors import PeerError
from potok.events.fold import Fold, Message
from potok.events.grammar import GrammarChecker
from potok.events.kinds import GRAMMAR_VERSION, Event, RunStart
from potok.models.answer import ReplyParser

__all__ = [
    "Outcome",
    "Said",
    "assert_cuts_change_nothing",
    "assert_same",
    "fold",
    "parse_all",
    "said",
]


class Outcome(NamedTuple):
    """What a parser made of a reply."""

    events: list[Event]
    fault: PeerError | None
    is_done: bool


class Said(NamedTuple):
    """What people and programs see of a reply."""

    text: str = ""
    thinking: str = ""
    calls: tuple[tuple[str, str, str], ...] = ()
    reason: str | None = "stop"
    completion_tokens: int | None = None


def parse_all(parser: ReplyParser, *chunks: bytes) -> Outcome:
    """Feed all chunks and the end of the body."""
    events = [event for chunk in chunks for event in parser.feed(chunk)]
    events += parser.finish()
    return Outcome(events, parser.fault, parser.is_done)


def fold(events: list[Event]) -> Message:
    """Fold the events of one reply, and check that the grammar admits each of them."""
    checker, folded = GrammarChecker(), Fold()
    for event in [RunStart(run="r" * 16, version=GRAMMAR_VERSION, model="test"), *events]:
        checker.admit(event)
        folded.feed(event)
    return folded.message


def said(events: list[Event]) -> Said:
    """Return what the events of one reply say."""
    message = fold(events)
    return Said(
        text=message.text,
        thinking=message.reasoning,
        calls=tuple((p.id, p.name or "", p.text) for p in message.parts if p.type == "tool"),
        reason=message.finish_reason,
        completion_tokens=message.usage.completion_tokens if message.usage else None,
    )


def assert_same(one: Outcome, other: Outcome) -> None:
    """Check that two outcomes are the same, their errors by kind and words."""
    assert one.events == other.events
    assert (type(one.fault), str(one.fault)) == (type(other.fault), str(other.fault))


def assert_cuts_change_nothing(parse: Callable[..., Outcome], stream: bytes) -> None:
    """Check that a reply means the same wherever its bytes are cut, and one byte at a time."""
    whole = parse(stream)
    for cut in range(len(stream) + 1):
        assert_same(parse(stream[:cut], stream[cut:]), whole)
    assert_same(parse(*(stream[at : at + 1] for at in range(len(stream)))), whole)
