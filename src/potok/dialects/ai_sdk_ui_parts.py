"""What one step of a UI message showed, kept so that it can be said again after a reset."""

from typing import Any

import msgspec

from potok.dialects.line_safe import encode_json

__all__ = ["Other", "Part", "Speech", "Step", "ToolCall"]

Chunk = dict[str, Any]

_CUT = "The call was cut off before its arguments were whole."
_MALFORMED = "The call's arguments are not valid JSON."


class Part:
    """A part whose text comes in pieces; `before` are the bytes of a delta's frame up to it."""

    __slots__ = ("before", "ends", "pieces", "start")

    def __init__(self, start: Chunk, *, delta: Chunk, field: str) -> None:
        self.start = start
        self.before = b"data: %b,%b:" % (encode_json(delta)[:-1], encode_json(field))
        self.pieces: list[str] = []
        self.ends: list[Chunk] = []

    @property
    def text(self) -> str:
        """What the pieces add up to."""
        self.pieces[:] = ["".join(self.pieces)]
        return self.pieces[0]

    def end(self, *, cut: bool) -> list[Chunk]:
        """Note the part's end and return its chunks."""
        raise NotImplementedError

    def delta(self) -> Chunk:
        """Return one chunk with all of the text."""
        raise NotImplementedError

    def said_again(self) -> list[Chunk]:
        """Return the chunks that make the part what it is now."""
        said = [self.delta()] if self.text else []
        return [self.start, *said, *self.ends]


class Speech(Part):
    """Text or thinking: `kind` is the first word of its chunks' types."""

    __slots__ = ("_kind",)

    def __init__(self, kind: str, start: Chunk) -> None:
        self._kind = kind
        super().__init__(start, delta=self._head("delta", start["id"]), field="delta")

    def _head(self, what: str, name: str) -> Chunk:
        return {"type": f"{self._kind}-{what}", "id": name}

    def end(self, *, cut: bool) -> list[Chunk]:
        # A cut part is as done as any for the client: how the run ended says the rest.
        self.ends = [self._head("end", self.start["id"])]
        return self.ends

    def delta(self) -> Chunk:
        return {**self._head("delta", self.start["id"]), "delta": self.text}


class ToolCall(Part):
    """A call of a tool; `output` is the chunk of its result."""

    __slots__ = ("output",)

    def __init__(self, start: Chunk) -> None:
        self.output: Chunk | None = None
        delta = {"type": "tool-input-delta", "toolCallId": start["toolCallId"]}
        super().__init__(start, delta=delta, field="inputTextDelta")

    def end(self, *, cut: bool) -> list[Chunk]:
        call = {"toolCallId": self.start["toolCallId"], "toolName": self.start["toolName"]}
        try:
            # No arguments at all are how some models say `{}`.
            value = msgspec.json.decode(self.text or "{}")
        except (msgspec.DecodeError, UnicodeEncodeError):
            why = _CUT if cut else _MALFORMED
            chunk = {"type": "tool-input-error", **call, "input": self.text, "errorText": why}
        else:
            chunk = {"type": "tool-input-available", **call, "input": value}
            if cut:
                chunk = {**chunk, "type": "tool-input-error", "errorText": _CUT}
        self.ends = [chunk]
        return self.ends

    def delta(self) -> Chunk:
        return {
            "type": "tool-input-delta",
            "toolCallId": self.start["toolCallId"],
            "inputTextDelta": self.text,
        }

    def said_again(self) -> list[Chunk]:
        output = [] if self.output is None else [self.output]
        return [*super().said_again(), *output]


class Other:
    """Chunks without pieces: data and sources."""

    __slots__ = ("_chunks",)

    def __init__(self, chunks: list[Chunk]) -> None:
        self._chunks = chunks

    def said_again(self) -> list[Chunk]:
        """Return the chunks."""
        return self._chunks


class Step:
    """The parts of one step in the order of their chunks."""

    __slots__ = ("_order", "_parts")

    def __init__(self) -> None:
        self._parts: dict[str, Part] = {}
        # Apart from their names, because no name of a part may be taken for one of data.
        self._order: dict[tuple[str, str], Part | Other] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its parts."""
        return tuple(self._parts)

    @property
    def is_over(self) -> bool:
        """Whether it has calls, each with its result."""
        calls = [part for part in self._parts.values() if isinstance(part, ToolCall)]
        return bool(calls) and all(call.output is not None for call in calls)

    def part(self, name: str) -> Part | None:
        """Return a part by its name."""
        return self._parts.get(name)

    def add(self, name: str, part: Part) -> None:
        """Add a part whose start is being shown."""
        self._parts[name] = part
        self._order["part", name] = part

    def add_other(self, name: str, other: Other) -> None:
        """Add data, or replace what had the same name."""
        self._order["other", name] = other

    def discard(self, name: str, *, keep: int) -> bool:
        """Take a part back, or its text after `keep` characters; False if it was never shown."""
        part = self._parts.get(name)
        if part is None:
            return False
        if keep:
            part.pieces[:] = [part.text[:keep]]
        else:
            del self._parts[name], self._order["part", name]
        return True

    def said_again(self) -> list[Chunk]:
        """Return chunks that show all of it after a reset."""
        return [chunk for part in self._order.values() for chunk in part.said_again()]
