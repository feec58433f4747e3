"""The parts of one choice of a Chat Completions answer: deltas in, events out. Pure."""

from typing import Any, Literal

from potok.events.kinds import (
    Event,
    ReasoningDelta,
    ReasoningEnd,
    ReasoningStart,
    TextDelta,
    TextEnd,
    TextStart,
)
from potok.limits import DELTA_CHARACTERS_MAX
from potok.models.openai_chat_calls import PartNames, ToolCalls
from potok.models.openai_chat_chunks import WireChoice

__all__ = ["ChoiceParts"]

Json = Any

_Kind = Literal["text", "refusal", "reasoning"]

_KNOWN = frozenset({"role", "content", "reasoning_content", "reasoning", "refusal", "tool_calls"})


class ChoiceParts:
    """Knows which part of one choice is open, and what its deltas mean for it.

    Fields of a delta that nobody knows are kept in `extra` unless they are empty; a refusal is
    a text of its own, with its words in `extra` as well.
    """

    __slots__ = ("_calls", "_counts", "_kind", "_names", "_part", "finish_reason", "index")

    def __init__(self, *, index: int, names: PartNames, provider: str) -> None:
        self.index = index
        self.finish_reason: str | None = None
        self._names = names
        self._calls = ToolCalls(choice=index, names=names, provider=provider)
        self._kind: _Kind | None = None
        self._part = ""
        self._counts = {"text": 0, "reasoning": 0}

    @property
    def reason(self) -> str:
        """Why the choice ended; a provider that did not say so made calls, or just stopped."""
        return self.finish_reason or ("tool_calls" if self._calls.count else "stop")

    def take(self, wire: WireChoice, events: list[Event]) -> None:
        """Append what one chunk says of this choice.

        Raises:
            UpstreamMalformed: a call without a name.
        """
        delta = wire.delta if wire.delta is not None else wire.message
        if delta:
            text = delta.get("content")
            if (
                len(delta) == 1
                and self._kind == "text"
                and wire.logprobs is None
                and type(text) is str
                and 0 < len(text) <= DELTA_CHARACTERS_MAX
            ):
                # Nearly every chunk of nearly every stream is this one.
                events.append(TextDelta(part=self._part, text=text, choice=self.index))
            else:
                self._take_delta(delta, wire.logprobs, events)
        elif wire.logprobs is not None:
            self._take_delta({}, wire.logprobs, events)
        if wire.finish_reason:
            self.finish_reason = wire.finish_reason
            self.close(events)

    def close(self, events: list[Event]) -> None:
        """Append the ends of all open parts and calls.

        Raises:
            UpstreamMalformed: a call never got its name.
        """
        self._close_part(events)
        self._calls.close(events)

    def _take_delta(self, delta: dict[str, Json], logprobs: Json, events: list[Event]) -> None:
        extra = {name: value for name, value in delta.items() if name not in _KNOWN and value}
        thinking, text = _texts_of(delta)
        refusal = delta.get("refusal")
        fragments = delta.get("tool_calls")
        if not isinstance(fragments, list):
            fragments = []
        if thinking:
            # What came beside belongs to the text, if there is any.
            self._say(
                "reasoning", thinking, None if text else logprobs, {} if text else extra, events
            )
            if not text:
                logprobs, extra = None, {}
        if isinstance(refusal, str) and refusal:
            if text:
                self._say("text", text, None, {}, events)
            self._say("refusal", refusal, logprobs, extra, events)
            extra = {}
        elif text or logprobs is not None or (extra and not fragments):
            kind = self._kind if self._kind and not text else "text"
            self._say(kind, text, logprobs, extra, events)
            extra = {}
        for fragment in fragments:
            if isinstance(fragment, dict):
                self._close_part(events)
                self._calls.take(fragment, extra, events)
                extra = {}

    def _say(
        self,
        kind: _Kind,
        text: str,
        logprobs: Json,
        extra: dict[str, Json],
        events: list[Event],
    ) -> None:
        if kind != self._kind:
            self._open_part(kind, events)
        part, choice = self._part, self.index
        if kind == "reasoning" and logprobs is not None:
            extra, logprobs = {**extra, "logprobs": logprobs}, None
        for at in range(0, max(len(text), 1), DELTA_CHARACTERS_MAX):
            piece = text[at : at + DELTA_CHARACTERS_MAX]
            # What belongs to the whole text stands at its first piece.
            tokens, own = (1 if text and at == 0 else 0), (extra or None) if at == 0 else None
            if kind == "refusal":
                own = {**(own or {}), "refusal": piece}
            if kind != "reasoning":
                probabilities = logprobs if at == 0 else None
                events.append(
                    TextDelta(
                        part=part,
                        text=piece,
                        choice=choice,
                        tokens=tokens,
                        logprobs=probabilities,
                        extra=own,
                    )
                )
            else:
                events.append(
                    ReasoningDelta(part=part, text=piece, choice=choice, tokens=tokens, extra=own)
                )

    def _open_part(self, kind: _Kind, events: list[Event]) -> None:
        self._close_part(events)
        name = "reasoning" if kind == "reasoning" else "text"
        self._counts[name] += 1
        self._kind = kind
        suffix = f".{self.index}" if self.index else ""
        self._part = self._names.take(f"{name}-{self._counts[name]}{suffix}")
        start = ReasoningStart if kind == "reasoning" else TextStart
        events.append(start(part=self._part, choice=self.index))

    def _close_part(self, events: list[Event]) -> None:
        if self._kind is not None:
            end = ReasoningEnd if self._kind == "reasoning" else TextEnd
            events.append(end(part=self._part))
            self._kind = None


def _texts_of(delta: dict[str, Json]) -> tuple[str, str]:
    # Thinking under either of its names, some servers send it under both; then the answer.
    thinking = delta.get("reasoning_content") or delta.get("reasoning")
    content = delta.get("content")
    if isinstance(content, list):
        pieces = [piece for piece in content if isinstance(piece, dict)]
        return (
            "".join(_text_of_piece(piece, "thinking") for piece in pieces),
            "".join(_text_of_piece(piece, "text") for piece in pieces),
        )
    return (
        thinking if isinstance(thinking, str) else "",
        content if isinstance(content, str) else "",
    )


def _text_of_piece(piece: dict[str, Json], kind: str) -> str:
    # Mistral's thinking is a list of text pieces again.
    value = piece.get(kind) if piece.get("type") == kind else None
    if isinstance(value, list):
        return "".join(_text_of_piece(item, "text") for item in value if isinstance(item, dict))
    return value if isinstance(value, str) else ""
