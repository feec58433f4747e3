"""The parts of one choice of a Chat Completions answer: deltas in, events out. Pure."""

from typing import Any, Literal

import msgspec

from potok.errors import UpstreamMalformed
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
from potok.limits import DELTA_CHARACTERS_MAX, EVENT_BYTES_MAX
from potok.models.openai_chat_chunks import WireChoice

__all__ = ["ChoiceParts", "PartNames"]

Json = Any

_KNOWN = frozenset({"role", "content", "reasoning_content", "reasoning", "refusal", "tool_calls"})
_CALL_KNOWN = frozenset({"index", "id", "type", "function", "custom"})


class PartNames:
    """Gives every part and call of an answer a name of its own, the same for the same reply."""

    __slots__ = ("_taken",)

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def take(self, wanted: str) -> str:
        """Return `wanted`, or with a number behind it if another part has that name."""
        name, number = wanted, 1
        while name in self._taken:
            number += 1
            name = f"{wanted}~{number}"
        self._taken.add(name)
        return name


class _Call:
    """A tool call whose fragments are still coming.

    `name` is empty until the provider tells it; what comes before is `held`, for a call cannot
    begin without a name.
    """

    __slots__ = ("held", "index", "is_begun", "name", "own_id", "part")

    def __init__(self, *, index: int, own_id: str, part: str) -> None:
        self.index = index
        self.own_id = own_id
        self.part = part
        self.name = ""
        self.held = ""
        self.is_begun = False


class ChoiceParts:
    """Knows which parts of one choice are open, and what its deltas mean for them.

    Fields of a delta that nobody knows are kept in `extra` unless they are empty; a refusal is
    text, with its words in `extra` as well. Fragments of calls are matched by index, by id where
    there is no index; a new id with a name begins a new call even under an old index.
    """

    __slots__ = (
        "_calls",
        "_calls_count",
        "_counts",
        "_kind",
        "_names",
        "_open_calls",
        "_part",
        "_provider",
        "finish_reason",
        "index",
    )

    def __init__(self, *, index: int, names: PartNames, provider: str) -> None:
        self.index = index
        self.finish_reason: str | None = None
        self._names = names
        self._provider = provider
        self._kind: Literal["text", "reasoning"] | None = None
        self._part = ""
        self._counts = {"text": 0, "reasoning": 0}
        # The newest call under each index or id of the provider's.
        self._calls: dict[int | str, _Call] = {}
        self._open_calls: list[_Call] = []
        self._calls_count = 0

    @property
    def reason(self) -> str:
        """Why the choice ended; a provider that did not say so made calls, or just stopped."""
        return self.finish_reason or ("tool_calls" if self._calls_count else "stop")

    def take(self, wire: WireChoice, events: list[Event]) -> None:
        """Append what one chunk says of this choice.

        Raises:
            UpstreamMalformed: a call without a name, or with endless arguments.
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
        """Append the ends of all open parts.

        Raises:
            UpstreamMalformed: a call never got its name.
        """
        self._close_part(events)
        for call in self._open_calls:
            if not call.is_begun:
                raise self._malformed("called a tool without naming it")
            events.append(ToolEnd(call=call.part))
        self._open_calls.clear()
        self._calls.clear()

    def _take_delta(self, delta: dict[str, Json], logprobs: Json, events: list[Event]) -> None:
        extra = {name: value for name, value in delta.items() if name not in _KNOWN and value}
        thinking, text = _texts_of(delta)
        refusal = delta.get("refusal")
        if isinstance(refusal, str) and refusal:
            text += refusal
            extra["refusal"] = refusal
        fragments = delta.get("tool_calls")
        if not isinstance(fragments, list):
            fragments = []
        if thinking:
            self._say("reasoning", thinking, None, {} if text else extra, events)
            extra = extra if text else {}
        if text or logprobs is not None or (extra and not fragments):
            kind = self._kind if self._kind and not text else "text"
            self._say(kind, text, logprobs, extra, events)
            extra = {}
        for fragment in fragments:
            if isinstance(fragment, dict):
                self._take_fragment(fragment, extra, events)
                extra = {}

    def _say(
        self,
        kind: Literal["text", "reasoning"],
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
            if kind == "text":
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

    def _open_part(self, kind: Literal["text", "reasoning"], events: list[Event]) -> None:
        self._close_part(events)
        self._counts[kind] += 1
        self._kind = kind
        self._part = self._named(f"{kind}-{self._counts[kind]}")
        start = TextStart if kind == "text" else ReasoningStart
        events.append(start(part=self._part, choice=self.index))

    def _close_part(self, events: list[Event]) -> None:
        if self._kind is not None:
            end = TextEnd if self._kind == "text" else ReasoningEnd
            events.append(end(part=self._part))
            self._kind = None

    def _take_fragment(
        self, fragment: dict[str, Json], extra: dict[str, Json], events: list[Event]
    ) -> None:
        own = {name: value for name, value in fragment.items() if name not in _CALL_KNOWN and value}
        kind = fragment.get("type")
        if kind and kind != "function":
            own["type"] = kind
        body = fragment.get("function") or fragment.get("custom")
        body = body if isinstance(body, dict) else {}
        call = self._call_of(fragment.get("index"), fragment.get("id"), body.get("name"))
        text = body.get("arguments", body.get("input"))
        if not isinstance(text, str):
            text = msgspec.json.encode(text).decode() if text else ""
        self._extend_call(call, text, {**extra, **own}, events)

    def _call_of(self, index: Json, own_id: Json, name: Json) -> _Call:
        # Some servers leave the index out, some give every call index 0.
        index = index if isinstance(index, int) else None
        own_id = own_id if isinstance(own_id, str) else ""
        name = name if isinstance(name, str) else ""
        call: _Call | None
        if index is None and not own_id:
            call = self._open_calls[-1] if self._open_calls else None
            is_other = bool(name)
        else:
            call = self._calls.get(own_id if index is None else index)
            is_other = bool(name and own_id and call and call.own_id not in ("", own_id))
        if call is None or is_other:
            call = self._new_call(index, own_id)
        call.name = call.name or name
        return call

    def _new_call(self, index: int | None, own_id: str) -> _Call:
        place = self._calls_count
        self._calls_count += 1
        part = self._names.take(own_id) if own_id else self._named(f"call-{place}")
        call = _Call(index=place, own_id=own_id, part=part)
        self._open_calls.append(call)
        if index is not None:
            self._calls[index] = call
        if own_id:
            self._calls[own_id] = call
        return call

    def _extend_call(
        self, call: _Call, text: str, extra: dict[str, Json], events: list[Event]
    ) -> None:
        text = call.held + text
        if not call.name:
            if len(text) > EVENT_BYTES_MAX:
                raise self._malformed("called a tool without naming it")
            call.held = text
            return
        call.held = ""
        if not call.is_begun:
            call.is_begun = True
            self._close_part(events)
            events.append(
                ToolStart(
                    call=call.part,
                    name=call.name,
                    index=call.index,
                    choice=self.index,
                    extra=extra or None,
                )
            )
            extra = {}
        for at in range(0, max(len(text), 1 if extra else 0), DELTA_CHARACTERS_MAX):
            events.append(
                ToolDelta(
                    call=call.part,
                    text=text[at : at + DELTA_CHARACTERS_MAX],
                    choice=self.index,
                    tokens=1 if at == 0 else 0,
                    extra=(extra or None) if at == 0 else None,
                )
            )

    def _named(self, name: str) -> str:
        return self._names.take(f"{name}.{self.index}" if self.index else name)

    def _malformed(self, what: str) -> UpstreamMalformed:
        return UpstreamMalformed(f"The provider {self._provider} {what}. Try again.")


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
