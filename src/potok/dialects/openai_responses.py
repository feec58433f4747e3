"""OpenAI's Responses stream: events in, `response.*` events out.

`sequence_number` counts a run's frames from 0. It follows from the log alone, so every replay has
the same numbers. A part is shown with its first words, so that one which is taken back before them
costs nothing; after them this protocol cannot take it back, and the stream ends as failed.
"""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from potok.dialects.dialect import Encoder, Reading
from potok.dialects.encoder import RunEncoder
from potok.dialects.line_safe import encode_json, keep_one_line
from potok.dialects.openai_errors import encode_openai_error
from potok.dialects.openai_responses_body import response_error, response_object
from potok.dialects.openai_responses_items import Json, has_item, item_id, item_of, open_item
from potok.errors import PotokError
from potok.events.envelope import Place, StoredEvent
from potok.events.fold import Fold, Part
from potok.events.kinds import (
    Event,
    PartDiscard,
    ReasoningDelta,
    ReasoningEnd,
    ReasoningStart,
    RunEnd,
    RunStart,
    TextDelta,
    TextEnd,
    TextStart,
    ToolDelta,
    ToolEnd,
    ToolStart,
)
from potok.wire.sse import encode_sse

__all__ = ["FrameCounter", "OpenAiResponsesSse"]

_encode = msgspec.json.Encoder().encode

# What the events of a part's content are called before `.delta` and `.done`.
_CONTENTS = {
    "text": "response.output_text",
    "refusal": "response.refusal",
    "reasoning": "response.reasoning_text",
    "tool": "response.function_call_arguments",
}


class OpenAiResponsesSse:
    """`response.*` events over server-sent events.

    Args:
        asked: The words of the request that each `response` repeats.
    """

    name = "openai-responses"
    media_type = "text/event-stream"
    can_retract = False
    needs_history = True

    def __init__(self, asked: Json | None = None) -> None:
        self._asked = asked or {}

    def encoder(self, reading: Reading) -> Encoder:
        return _Encoder(reading, self._asked)

    def encode_error(self, error: PotokError) -> bytes:
        return encode_openai_error(error)


class FrameCounter:
    """Finds the place of a sequence number: feed it a run's events from the first on."""

    def __init__(self, encoder: Encoder, sequence: int) -> None:
        self._encoder = encoder
        self._left = sequence + 1
        self.place: Place | None = None
        """The place of the event with the number, once it was fed."""

    def feed(self, events: Sequence[StoredEvent]) -> None:
        """Take the next events."""
        for stored in events:
            if self.place is not None:
                return
            frames = len(self._encoder.encode([stored]))
            if frames >= self._left:
                self.place = Place(run=None, offset=stored.offset, frame=self._left)
            self._left -= frames


class _Item:
    """A shown part: its place in the output, and the bytes around the text of its deltas."""

    __slots__ = ("before", "index", "name", "part")

    def __init__(self, part: Part, *, run: str, index: int) -> None:
        self.part = part
        self.index = index
        self.name = item_id(part.type, run, index)
        kind = f"{self.content}.delta"
        head = encode_json({"type": kind, **self.delta_fields()})[:-1]
        self.before = b'event: %b\ndata: %b,"delta":' % (kind.encode(), head)

    @property
    def content(self) -> str:
        """What the events of its content are called, without their last word."""
        return _CONTENTS["refusal" if self.part.refusal else self.part.type]

    @property
    def place(self) -> Json:
        """The fields that name the item."""
        return {"item_id": self.name, "output_index": self.index}

    def delta_fields(self) -> Json:
        """The fields of a delta beside its text."""
        if self.part.type == "tool":
            return self.place
        is_text = self.part.type == "text" and not self.part.refusal
        more: Json = {"logprobs": []} if is_text else {}
        return {**self.place, "content_index": 0, **more}

    def opening(self) -> list[Json]:
        """The events that show it."""
        item = open_item(self.part, self.name)
        added = {"type": "response.output_item.added", "output_index": self.index, "item": item}
        if self.part.type == "tool":
            return [added]
        part = {
            "type": "response.content_part.added",
            **self.place,
            "content_index": 0,
            "part": item_of(self.part, self.name)["content"][0],
        }
        return [added, part]

    def closing(self, part: Part) -> list[Json]:
        """The events that end it, with all it said."""
        item = item_of(part, self.name)
        done = {"type": "response.output_item.done", "output_index": self.index, "item": item}
        if part.type == "tool":
            said = {
                "type": "response.function_call_arguments.done",
                **self.place,
                "name": part.name or "",
                "arguments": part.text,
            }
            return [said, done]
        whole = item["content"][0]
        said = {
            **{"type": f"{self.content}.done", **self.place, "content_index": 0},
            **{name: whole[name] for name in ("text", "refusal", "logprobs") if name in whole},
        }
        content = {
            "type": "response.content_part.done",
            **self.place,
            "content_index": 0,
            "part": whole,
        }
        return [said, content, done]


class _Encoder(RunEncoder):
    """Holds the fold, for the last event repeats all of it, and the parts not shown yet."""

    __slots__ = ("_asked", "_fold", "_id_bytes", "_items", "_next", "_reading", "_wait")

    def __init__(self, reading: Reading, asked: Json) -> None:
        super().__init__(reading)
        self._reading = reading
        self._asked = asked
        self._id_bytes = self._id_head.encode()
        self._fold = Fold()
        self._items: dict[str, _Item] = {}
        self._wait: dict[str, Part] = {}
        self._next = 0

    def _frames_of(self, stored: StoredEvent) -> list[bytes]:
        event = stored.event
        self._fold.feed(event)
        frame = None
        if type(event) is TextDelta or type(event) is ReasoningDelta:
            if getattr(event, "logprobs", None) is None:
                frame = self._splice(event.part, event.text, stored.offset)
        elif type(event) is ToolDelta:
            frame = self._splice(event.call, event.text, stored.offset)
        if frame is not None:
            return [frame]
        step = _STEPS.get(type(event))
        return self._sequenced(step(self, event) if step is not None else [], stored.offset)

    def _splice(self, name: str, text: str, offset: int) -> bytes | None:
        # Nearly all events: the frame around the text was made with the item.
        item = self._items.get(name)
        if item is None:
            return None
        said = keep_one_line(_encode(text))
        number = self._next
        self._next += 1
        return b'%b%b,"sequence_number":%d}\nid: %b%d\n\n' % (
            item.before,
            said,
            number,
            self._id_bytes,
            offset,
        )

    def _sequenced(self, events: list[Json], offset: int) -> list[bytes]:
        place = f"{self._id_head}{offset}"
        frames = []
        for frame, event in enumerate(events, start=1):
            data = encode_json({**event, "sequence_number": self._next})
            self._next += 1
            own = place if len(events) == 1 else f"{place}.{frame}"
            frames.append(encode_sse(data=data, event=event["type"], id=own))
        return frames

    def _run_start(self, _: RunStart) -> list[Json]:
        response = self._response()
        return [
            {"type": "response.created", "response": response},
            {"type": "response.in_progress", "response": response},
        ]

    def _begin(self, event: TextStart | ReasoningStart | ToolStart) -> list[Json]:
        part = _part_of(event)
        if has_item(part):
            self._wait[part.id] = part
        # A call has a name from its start on, and a model that makes one has decided.
        return self._show(part.id) if part.type == "tool" else []

    def _show(self, name: str) -> list[Json]:
        """Show a part that waits, and those that began before it: their order is the output's."""
        events: list[Json] = []
        while name in self._wait:
            first = next(iter(self._wait))
            item = _Item(self._wait.pop(first), run=self._reading.run, index=len(self._items))
            self._items[first] = item
            events += item.opening()
        return events

    def _delta(self, event: TextDelta | ReasoningDelta | ToolDelta) -> list[Json]:
        name = event.call if isinstance(event, ToolDelta) else event.part
        waiting = self._wait.get(name)
        if waiting is not None and waiting.type == "text":
            waiting.refusal = bool((event.extra or {}).get("refusal"))
        shown = self._show(name)
        item = self._items.get(name)
        if item is None:
            return []
        delta = {"type": f"{item.content}.delta", **item.delta_fields(), "delta": event.text}
        if isinstance(event, TextDelta) and event.logprobs is not None:
            delta["logprobs"] = _logprobs(event.logprobs)
        return [*shown, delta]

    def _end(self, event: TextEnd | ReasoningEnd | ToolEnd) -> list[Json]:
        name = event.call if isinstance(event, ToolEnd) else event.part
        shown = self._show(name)
        item = self._items.get(name)
        if item is None:
            return []
        part = next(part for part in self._fold.message.parts if part.id == name)
        return [*shown, *item.closing(part)]

    def _discard(self, event: PartDiscard) -> list[Json]:
        if event.part not in self._items:
            if not event.keep:
                self._wait.pop(event.part, None)
            return []
        self._is_ended = True
        error = response_error(
            code="part_discarded",
            message="A part of this answer was taken back, which this protocol cannot say."
            " Retrieve the response once it has ended.",
        )
        return [{"type": "response.failed", "response": self._response(error)}]

    def _run_end(self, _: RunEnd) -> list[Json]:
        self._is_ended = True
        response = self._response()
        status = response["status"]
        # There is no event for a cancelled response: its status says it.
        kind = "incomplete" if status == "cancelled" else status
        return [{"type": f"response.{kind}", "response": response}]

    def _response(self, error: Json | None = None) -> Json:
        return response_object(
            self._fold.message, asked=self._asked, reading=self._reading, error=error
        )


def _part_of(event: TextStart | ReasoningStart | ToolStart) -> Part:
    match event:
        case ToolStart():
            return Part(type="tool", id=event.call, name=event.name, choice=event.choice)
        case TextStart():
            return Part(type="text", id=event.part, channel=event.channel, choice=event.choice)
    return Part(type="reasoning", id=event.part, choice=event.choice)


def _logprobs(logprobs: Any) -> list[Any]:
    content = logprobs.get("content") if isinstance(logprobs, dict) else None
    return content if isinstance(content, list) else []


_STEPS: dict[type[Event], Callable[[_Encoder, Any], list[Json]]] = {
    RunStart: _Encoder._run_start,
    TextStart: _Encoder._begin,
    TextDelta: _Encoder._delta,
    TextEnd: _Encoder._end,
    ReasoningStart: _Encoder._begin,
    ReasoningDelta: _Encoder._delta,
    ReasoningEnd: _Encoder._end,
    ToolStart: _Encoder._begin,
    ToolDelta: _Encoder._delta,
    ToolEnd: _Encoder._end,
    PartDiscard: _Encoder._discard,
    RunEnd: _Encoder._run_end,
}
