"""Fits the events of a further source into an answer that another one began. Pure."""

from collections.abc import Callable, Collection, Sequence
from typing import Any

import msgspec

from potok.agents.said import RENAMED
from potok.events.kinds import (
    Event,
    ReasoningDelta,
    ReasoningEnd,
    ReasoningStart,
    RunEnd,
    TextDelta,
    TextEnd,
    TextStart,
    ToolDelta,
    ToolEnd,
    ToolStart,
    Usage,
)
from potok.protocol.overlap import Join

__all__ = ["Spent", "Stitch"]

# What a parser calls a call to which its provider gave no id; other ids are the provider's own,
# which it may want to see again unchanged.
_OWN_CALL = "call-"


class Stitch:
    """Renames parts, and lets the first text go on in the one that is open.

    Args:
        ordinal: What no earlier source of the run had: names of parts never come twice.
        taken: Names of calls that the run has used; None where nobody knows all of them.
        open_text: The text part that goes on, None where the next text is a part of its own.
        join: Where the first text meets what was said; None if nothing was, or nothing is left.
    """

    def __init__(
        self,
        *,
        ordinal: int | str,
        taken: Collection[str] | None,
        open_text: str | None,
        join: Join | None,
    ) -> None:
        self._suffix = f"{RENAMED}{ordinal}"
        self._taken = taken
        self._open_text = open_text
        self._join = join
        # The source's own name of its first text part.
        self._first_text: str | None = None
        self._names: dict[str, str] = {}

    def take(self, events: Sequence[Event]) -> list[Event]:
        """Return what the events are in the answer; may be none."""
        fitted: list[Event] = []
        for event in events:
            step = _STEPS.get(type(event))
            if step is None:
                fitted.append(event)
            else:
                step(self, event, fitted)
        return fitted

    def _text_start(self, event: TextStart, fitted: list[Event]) -> None:
        if self._first_text is not None:
            self._start(event, fitted)
            return
        self._first_text = event.part
        if self._open_text is None:
            self._start(event, fitted)
        else:
            self._names[event.part] = self._open_text
            self._open_text = None

    def _text_delta(self, event: TextDelta, fitted: list[Event]) -> None:
        name = self._names[event.part]
        if self._join is not None and event.part == self._first_text:
            text = self._join.feed(event.text)
            if self._join.is_settled:
                self._join = None
            if text != event.text:
                if text:
                    # What stood beside the piece belongs to words that were said before.
                    fitted.append(TextDelta(part=name, text=text, choice=event.choice))
                return
        fitted.append(msgspec.structs.replace(event, part=name))

    def _text_end(self, event: TextEnd, fitted: list[Event]) -> None:
        name = self._names[event.part]
        if self._join is not None and event.part == self._first_text:
            text = self._join.finish()
            self._join = None
            if text:
                fitted.append(TextDelta(part=name, text=text))
        fitted.append(msgspec.structs.replace(event, part=name))

    def _start(self, event: TextStart | ReasoningStart, fitted: list[Event]) -> None:
        name = self._names[event.part] = f"{event.part}{self._suffix}"
        fitted.append(msgspec.structs.replace(event, part=name))

    def _part(self, event: ReasoningDelta | ReasoningEnd, fitted: list[Event]) -> None:
        fitted.append(msgspec.structs.replace(event, part=self._names[event.part]))

    def _tool_start(self, event: ToolStart, fitted: list[Event]) -> None:
        self._close(fitted)
        taken = self._taken
        is_used = taken is None or event.call in taken or event.call.startswith(_OWN_CALL)
        name = self._names[event.call] = f"{event.call}{self._suffix}" if is_used else event.call
        fitted.append(msgspec.structs.replace(event, call=name))

    def _tool(self, event: ToolDelta | ToolEnd, fitted: list[Event]) -> None:
        fitted.append(msgspec.structs.replace(event, call=self._names[event.call]))

    def _run_end(self, event: RunEnd, fitted: list[Event]) -> None:
        self._close(fitted)
        fitted.append(event)

    def _close(self, fitted: list[Event]) -> None:
        # The source had nothing to add to the text.
        if self._open_text is not None:
            fitted.append(TextEnd(part=self._open_text))
            self._open_text = None


_STEPS: dict[type[Event], Callable[[Stitch, Any, list[Event]], None]] = {
    TextStart: Stitch._text_start,
    TextDelta: Stitch._text_delta,
    TextEnd: Stitch._text_end,
    ReasoningStart: Stitch._start,
    ReasoningDelta: Stitch._part,
    ReasoningEnd: Stitch._part,
    ToolStart: Stitch._tool_start,
    ToolDelta: Stitch._tool,
    ToolEnd: Stitch._tool,
    RunEnd: Stitch._run_end,
}


class Spent:
    """Adds up what the calls of one answer used.

    A call that broke tells no counts: its pieces are counted as completion tokens then, and
    `estimated_tokens` in the sum's `extra` says how many of them there are.
    """

    def __init__(self) -> None:
        self._told: Usage | None = None
        self._pieces = 0

    def add_pieces(self, pieces: int) -> None:
        """Count a call that ended without its counts."""
        self._pieces += pieces

    def sum_with(self, usage: Usage) -> Usage:
        """Return the counts of the whole answer, `usage` being those of its newest call."""
        self._told = usage if self._told is None else _sum(self._told, usage)
        if not self._pieces:
            return self._told
        return msgspec.structs.replace(
            _sum(Usage(), self._told),
            completion_tokens=self._told.completion_tokens + self._pieces,
            extra={**_own_extra(self._told), "estimated_tokens": self._pieces},
        )


def _sum(told: Usage, usage: Usage) -> Usage:
    costs = [cost for cost in (told.cost, usage.cost) if cost is not None]
    return Usage(
        prompt_tokens=told.prompt_tokens + usage.prompt_tokens,
        completion_tokens=told.completion_tokens + usage.completion_tokens,
        reasoning_tokens=told.reasoning_tokens + usage.reasoning_tokens,
        cost=sum(costs) if costs else None,
        extra=_own_extra(usage) or None,
    )


def _own_extra(usage: Usage) -> dict[str, Any]:
    # A provider's own sum knows only its own call.
    return {name: fact for name, fact in (usage.extra or {}).items() if name != "total_tokens"}
