"""Shows a run's events to a person: the answer plain, everything around it dimmed."""

from typing import Literal

from potok.cli.exits import complain
from potok.cli.terminal import Terminal
from potok.events.fold import Fold
from potok.events.kinds import (
    Event,
    PartDiscard,
    ReasoningDelta,
    RunEnd,
    SourceChange,
    Status,
    TextDelta,
    ToolDelta,
    ToolEnd,
    ToolStart,
)

__all__ = ["AnswerWriter"]


class AnswerWriter:
    """Writes one run's text as it comes; of several choices, the first.

    Args:
        shows_remarks: Write thinking, statuses and tool calls too; else the answer's text alone.
        fold: Holds the run from its first event, to write text again that a discard left standing.
    """

    def __init__(self, out: Terminal, *, shows_remarks: bool, fold: Fold | None = None) -> None:
        self._out = out
        self._shows_remarks = shows_remarks
        self._fold = fold
        self._last: Literal["text", "thought", "call", "none"] = "none"

    def take(self, event: Event) -> None:
        """Show the next event; the fold must have taken it before."""
        match event:
            case TextDelta(choice=0):
                self._flow("text", event.text)
            case PartDiscard():
                self._take_back()
            case RunEnd():
                self._out.break_line()
                self._out.reset()
            case _ if self._shows_remarks:
                self._remark(event)

    def _remark(self, event: Event) -> None:
        match event:
            case ReasoningDelta(choice=0):
                self._flow("thought", event.text)
            case ToolStart(choice=0):
                self._flow("call", f"calls {event.name}(")
            case ToolDelta(choice=0):
                self._flow("call", event.text)
            case ToolEnd():
                self._flow("call", ")\n")
            case Status():
                self._line(event.text)
            case SourceChange():
                self._line(f"[goes on after: {event.reason}]")

    def _take_back(self) -> None:
        sentence = "What stands above was taken back; the answer is:"
        if self._shows_remarks:
            self._line(f"[{sentence}]")
        else:
            self._out.break_line()
            complain(sentence)
        if self._fold is not None:
            self._flow("text", self._fold.message.text)

    def _flow(self, what: Literal["text", "thought", "call"], text: str) -> None:
        # Between thinking and answer an empty line; within one of them no character is added.
        if self._last not in (what, "none"):
            self._out.line()
        self._out.write(text, dim=what != "text")
        self._last = what

    def _line(self, text: str) -> None:
        self._out.line(text, dim=True)
        self._last = "none"
