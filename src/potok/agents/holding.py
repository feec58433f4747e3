"""Holds an answer back until somebody has said that it is the JSON that was asked for. Pure."""

from collections.abc import Sequence

import msgspec

from potok.events.fold import Fold
from potok.events.kinds import (
    Event,
    ReasoningDelta,
    ReasoningEnd,
    ReasoningStart,
    RunEnd,
    Status,
    TextDelta,
    TextEnd,
    TextStart,
    ToolDelta,
    ToolEnd,
    ToolStart,
    Usage,
)
from potok.limits import DELTA_CHARACTERS_MAX, JSON_ANSWER_CHARACTERS_MAX

__all__ = ["Held", "as_choice"]

_THINKING = (ReasoningStart, ReasoningDelta, ReasoningEnd)
_OF_CHOICE = (TextStart, TextDelta, ReasoningStart, ReasoningDelta, ToolStart, ToolDelta)


class Held:
    """What one call of a model said, apart from the thinking that came before it."""

    def __init__(self) -> None:
        self._events: list[Event] = []
        self._fold = Fold()
        self._characters = 0
        self.usage: Usage | None = None
        self.ending: RunEnd | None = None

    @property
    def tokens(self) -> int:
        """The pieces that are held."""
        return self._fold.message.tokens

    @property
    def has_said(self) -> bool:
        """Whether anything is held."""
        return bool(self._events)

    @property
    def is_too_long(self) -> bool:
        """Whether it is more than an answer in JSON may be."""
        return self._characters > JSON_ANSWER_CHARACTERS_MAX

    def take(self, events: Sequence[Event]) -> list[Event]:
        """Take the next events; return those that readers may see at once."""
        told: list[Event] = []
        for event in events:
            match event:
                case Usage():
                    self.usage = event
                case RunEnd():
                    self.ending = event
                case Status():
                    told.append(event)
                case ReasoningStart() | ReasoningDelta() | ReasoningEnd() if not self._events:
                    told.append(event)
                case _:
                    self._hold(event)
        return told

    def _hold(self, event: Event) -> None:
        self._events.append(event)
        if isinstance(event, TextDelta | ToolDelta):
            self._characters += len(event.text)
        if not isinstance(event, _THINKING):
            self._fold.feed(event)

    def texts(self, *, choices: int = 1) -> dict[int, str]:
        """Return the texts that have to be JSON, by choice, at least of so many choices.

        A choice that calls tools, that refuses, or that its model could not finish, need not be.
        """
        message = self._fold.message
        others = {part.choice for part in message.parts if part.type == "tool" or part.refusal}
        known = {part.choice for part in message.parts} | set(range(choices))
        return {
            choice: message.text_of(choice)
            for choice in sorted(known - others)
            if self._reason(choice) in (None, "stop")
        }

    def _reason(self, choice: int) -> str | None:
        if self.ending is None:
            return None
        reasons = self.ending.finish_reasons
        if reasons is None:
            return self.ending.finish_reason
        return reasons[choice] if choice < len(reasons) else None

    def say(self, choice: int, text: str) -> None:
        """Put a text in the place of what a choice says, unless that is what it says."""
        if text != self._fold.message.text_of(choice):
            self.replace(choice, _speech(choice, text))

    def replace(self, choice: int, events: Sequence[Event], *, reason: str | None = None) -> None:
        """Put other events in the place of a choice's own; `reason` is why they ended."""
        own = {part.id for part in self._fold.message.parts if part.choice == choice}
        kept = [event for event in self._events if _owner(event) not in own]
        self._events = [*kept, *events]
        if reason is not None and self.ending is not None:
            self.ending = _with_reason(self.ending, choice, reason)

    def release(self) -> list[Event]:
        """Return all that is held."""
        return self._events


def as_choice(events: Sequence[Event], choice: int) -> list[Event]:
    """Return the events of a call's only choice as those of another one."""
    return [
        msgspec.structs.replace(event, choice=choice) if isinstance(event, _OF_CHOICE) else event
        for event in events
    ]


def _owner(event: Event) -> str | None:
    match event:
        case TextStart(part=name) | TextDelta(part=name) | TextEnd(part=name):
            return name
        case ToolStart(call=name) | ToolDelta(call=name) | ToolEnd(call=name):
            return name
    return None


def _speech(choice: int, text: str) -> list[Event]:
    name = f"json-{choice}"
    pieces = range(0, len(text), DELTA_CHARACTERS_MAX)
    deltas = [
        TextDelta(part=name, text=text[at : at + DELTA_CHARACTERS_MAX], choice=choice)
        for at in pieces
    ]
    return [TextStart(part=name, choice=choice), *deltas, TextEnd(part=name)]


def _with_reason(ending: RunEnd, choice: int, reason: str) -> RunEnd:
    reasons = ending.finish_reasons
    if reasons is None:
        return msgspec.structs.replace(ending, finish_reason=reason)
    told = tuple(reason if at == choice else one for at, one in enumerate(reasons))
    return msgspec.structs.replace(ending, finish_reason=told[0], finish_reasons=told)
