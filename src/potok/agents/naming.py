"""Gives the parts of one call the names that they have in the run, and their speaker's. Pure."""

from typing import Literal

import msgspec

from potok.events.fold import Message
from potok.events.kinds import (
    Event,
    PartDiscard,
    ReasoningDelta,
    ReasoningEnd,
    ReasoningStart,
    TextDelta,
    TextEnd,
    TextStart,
    ToolDelta,
    ToolEnd,
    ToolResult,
    ToolStart,
)

__all__ = ["Naming"]

_End = type[TextEnd] | type[ReasoningEnd] | type[ToolEnd]


class Naming:
    """Renames one call's events; knows which of its parts are open."""

    __slots__ = ("_agent", "_channel", "_head", "_open", "_stage")

    def __init__(
        self,
        call: str,
        *,
        agent: str | None,
        stage: str | None,
        channel: Literal["answer", "code"],
    ) -> None:
        self._head = f"{call}/"
        self._agent = agent
        self._stage = stage
        self._channel = channel
        self._open: dict[str, _End] = {}

    def recall(self, said: Message) -> None:
        """Learn which parts were open when the call was interrupted."""
        ends: dict[str, _End] = {"text": TextEnd, "reasoning": ReasoningEnd, "tool": ToolEnd}
        for part in said.parts:
            if part.state == "open" and part.type in ends:
                self._open[self._head + part.id] = ends[part.type]

    def renamed(self, event: Event) -> Event:
        """Return an event of the model as an event of the run."""
        head = self._head
        match event:
            case TextDelta(part=part, text=text, logprobs=None, extra=None):
                # The one that comes in thousands.
                return TextDelta(
                    part=head + part, text=text, choice=event.choice, tokens=event.tokens
                )
            case TextStart(part=part):
                self._open[head + part] = TextEnd
                return TextStart(
                    part=head + part,
                    channel=self._channel if event.channel == "answer" else event.channel,
                    choice=event.choice,
                    agent=self._agent,
                    stage=self._stage,
                )
            case ReasoningStart(part=part):
                self._open[head + part] = ReasoningEnd
                return ReasoningStart(
                    part=head + part, choice=event.choice, agent=self._agent, stage=self._stage
                )
            case ToolStart(call=call):
                self._open[head + call] = ToolEnd
                changes = {"call": head + call, "agent": self._agent, "stage": self._stage}
                return msgspec.structs.replace(event, **changes)
            case TextEnd(part=part) | ReasoningEnd(part=part):
                self._open.pop(head + part, None)
                return msgspec.structs.replace(event, part=head + part)
            case PartDiscard(part=part):
                if not event.keep:
                    self._open.pop(head + part, None)
                return msgspec.structs.replace(event, part=head + part)
            case TextDelta(part=part) | ReasoningDelta(part=part):
                return msgspec.structs.replace(event, part=head + part)
            case ToolEnd(call=call):
                self._open.pop(head + call, None)
                return msgspec.structs.replace(event, call=head + call)
            case ToolDelta(call=call) | ToolResult(call=call):
                return msgspec.structs.replace(event, call=head + call)
        return event

    def cut(self) -> list[Event]:
        """Return the ends of what is open, which its model did not end."""
        ends: list[Event] = []
        for name, kind in self._open.items():
            ends.append(kind(name, cut=True))
        self._open.clear()
        return ends
