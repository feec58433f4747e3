"""Turns a reply that is JSON of our own form into calls and answers, as it comes. Pure."""

from typing import Literal

import msgspec

from potok.errors import PeerError
from potok.events.kinds import (
    Event,
    RunEnd,
    TextDelta,
    TextEnd,
    TextStart,
    ToolDelta,
    ToolEnd,
    ToolStart,
)
from potok.models.answer import ReplyParser
from potok.models.gguf.calls_reader import CallsReader, Piece

__all__ = ["CallingParser"]


class CallingParser:
    """A parser around another one: its texts are replies in our form, see `calling`.

    Everything else passes through. Calls are named `<call_prefix>-<choice>-<number>`, the same for
    the same request.

    Attributes:
        fault, is_answered, is_done: Those of the parser inside.
    """

    def __init__(self, inner: ReplyParser, *, call_prefix: str) -> None:
        self._inner = inner
        self._call_prefix = call_prefix
        self._choices: dict[int, _Choice] = {}
        self._choice_of_part: dict[str, _Choice] = {}

    @property
    def fault(self) -> PeerError | None:
        return self._inner.fault

    @property
    def is_answered(self) -> bool:
        return self._inner.is_answered

    @property
    def is_done(self) -> bool:
        return self._inner.is_done

    def feed(self, chunk: bytes) -> list[Event]:
        """Return the events that `chunk` completes."""
        return self._translate(self._inner.feed(chunk))

    def finish(self) -> list[Event]:
        """Take the end of the body."""
        return self._translate(self._inner.finish())

    def _translate(self, events: list[Event]) -> list[Event]:
        out: list[Event] = []
        for event in events:
            match event:
                case TextStart(part=part, choice=choice):
                    self._choice_of_part[part] = self._choices.setdefault(
                        choice, _Choice(choice, f"{self._call_prefix}-{choice}")
                    )
                case TextDelta(part=part):
                    self._choice_of_part[part].take(event, out)
                case TextEnd(part=part):
                    self._choice_of_part[part].close(out)
                case RunEnd():
                    out.append(self._ended(event))
                case _:
                    out.append(event)
        return out

    def _ended(self, end: RunEnd) -> RunEnd:
        reasons = end.finish_reasons or (end.finish_reason or "stop",)
        told = tuple(
            self._choices[at].reason(said) if at in self._choices else said
            for at, said in enumerate(reasons)
        )
        return msgspec.structs.replace(
            end, finish_reason=told[0], finish_reasons=told if len(told) > 1 else None
        )


class _Choice:
    """One choice: its reader, and which part or call of it is open."""

    def __init__(self, index: int, call_prefix: str) -> None:
        self._index = index
        self._call_prefix = call_prefix
        self._reader = CallsReader()
        self._open: Literal["text", "call"] | None = None
        self._call = ""
        self._calls = 0

    def take(self, delta: TextDelta, out: list[Event]) -> None:
        tokens = delta.tokens
        for piece in self._reader.feed(delta.text):
            if self._take_piece(piece, delta, tokens, out):
                # What the model wrote in one go is counted once.
                tokens = 0

    def close(self, out: list[Event]) -> None:
        """The model wrote its last word; what is open then is cut."""
        if self._open == "text":
            out.append(TextEnd(part=_text_part(self._index)))
        elif self._open == "call":
            out.append(ToolEnd(call=self._call, cut=True))
        self._open = None

    def reason(self, said: str) -> str:
        return "tool_calls" if self._calls and said == "stop" else said

    def _take_piece(self, piece: Piece, delta: TextDelta, tokens: int, out: list[Event]) -> bool:
        kind, text = piece
        part = _text_part(self._index)
        if kind == "answer":
            if self._open != "text":
                self._open = "text"
                out.append(TextStart(part=part, choice=self._index))
            out.append(TextDelta(part=part, text=text, choice=self._index, tokens=tokens))
        elif kind == "name":
            self._call = f"{self._call_prefix}-{self._calls}"
            self._open = "call"
            out.append(ToolStart(call=self._call, name=text, index=self._calls, choice=self._index))
            self._calls += 1
            return False
        elif kind == "arguments":
            out.append(ToolDelta(call=self._call, text=text, choice=self._index, tokens=tokens))
        else:
            out.append(ToolEnd(call=self._call))
            self._open = None
            return False
        return True


def _text_part(choice: int) -> str:
    return f"text-1.{choice}" if choice else "text-1"
