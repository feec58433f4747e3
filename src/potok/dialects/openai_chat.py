"""OpenAI's Chat Completions stream: events in, `chat.completion.chunk` frames out.

A run gives: one chunk with the role alone (no `content`, not even an empty one: an empty string
is already content), chunks of content, one finish chunk with an empty delta per choice, usage if
asked for, `[DONE]`. Status, stages, data and results of tools have no chunk: a client that knows
only OpenAI would break on them, or on a block without data.

This protocol cannot take anything back: a `part-discard` of something shown ends the stream as
failed. Text of the channel `code` is not shown, as it is not part of a message's text.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import msgspec

from potok.dialects.dialect import Encoder, Reading
from potok.dialects.encoder import RunEncoder
from potok.dialects.line_safe import encode_json, keep_one_line
from potok.dialects.openai_chat_body import completion_id, encode_usage
from potok.dialects.openai_errors import encode_openai_error, failure_body
from potok.errors import PotokError
from potok.events.envelope import StoredEvent
from potok.events.kinds import (
    Event,
    PartDiscard,
    ReasoningDelta,
    ReasoningStart,
    RunEnd,
    RunStart,
    TextDelta,
    TextStart,
    ToolDelta,
    ToolStart,
    Usage,
)

__all__ = ["OpenAiChatSse"]

_encode = msgspec.json.Encoder().encode

# What an upstream's unknown fields may not overwrite.
_OWN_FIELDS = frozenset({"role", "content", "reasoning_content", "tool_calls"})


class _Shown(NamedTuple):
    """A part that has chunks: the bytes around the JSON text of its deltas."""

    choice: int
    field: str
    """Field of the delta that takes the text; of a call, its `tool_calls` entry does."""
    call_index: int
    before: bytes
    after: bytes


class OpenAiChatSse:
    """`chat.completion.chunk` objects over server-sent events."""

    name = "openai-chat"
    media_type = "text/event-stream"
    can_retract = False
    needs_history = True

    def encoder(self, reading: Reading) -> Encoder:
        return _Encoder(reading)

    def encode_error(self, error: PotokError) -> bytes:
        return encode_openai_error(error)


class _Encoder(RunEncoder):
    """Holds what later chunks need: parts shown, choices begun, calls counted, the last usage."""

    __slots__ = (
        "_calls",
        "_choices",
        "_head",
        "_include_usage",
        "_parts",
        "_tail",
        "_touched",
        "_usage",
    )

    def __init__(self, reading: Reading) -> None:
        super().__init__(reading)
        head = {
            "id": completion_id(reading.run),
            "object": "chat.completion.chunk",
            "created": reading.created,
            "model": reading.model,
        }
        self._head = encode_json(head)[:-1] + b',"choices":['
        # With usage asked for, every other chunk says null, as OpenAI's do.
        self._tail = b'],"usage":null}' if reading.include_usage else b"]}"
        self._include_usage = reading.include_usage
        self._usage: Usage | None = None
        self._parts: dict[str, _Shown] = {}
        # Parts of which something was shown.
        self._touched: set[str] = set()
        self._choices = 0
        self._calls: dict[int, int] = {}

    def pass_over(self, events: Sequence[StoredEvent], *, frame: int = 0) -> list[bytes]:
        if not frame:
            self._note(events)
            return []
        self._note(events[:-1])
        return super().pass_over(events[-1:], frame=frame)

    def _note(self, events: Sequence[StoredEvent]) -> None:
        for stored in events:
            if self._is_ended:
                break
            event = stored.event
            if type(event) is not TextDelta:
                self._frames_of(stored)
            elif event.part in self._parts:
                self._touched.add(event.part)

    def encode(self, events: Sequence[StoredEvent]) -> list[bytes]:
        frames: list[bytes] = []
        for stored in events:
            if self._is_ended:
                break
            event = stored.event
            # Nearly all events are plain deltas.
            if type(event) is TextDelta and event.extra is None and event.logprobs is None:
                frames += self._splice(event.part, event.text, stored.offset)
            elif type(event) is ToolDelta and event.extra is None:
                frames += self._splice(event.call, event.text, stored.offset)
            elif type(event) is ReasoningDelta and event.extra is None:
                frames += self._splice(event.part, event.text, stored.offset)
            else:
                frames += self._frames_of(stored)
        return frames

    def _splice(self, name: str, text: str, offset: int) -> tuple[bytes, ...]:
        # The frame around the text was made when the part began.
        part = self._parts.get(name)
        if part is None:
            return ()
        self._touched.add(name)
        said = keep_one_line(_encode(text))
        return (b"%b%b%b%d\n\n" % (part.before, said, part.after, offset),)

    def _frames_of(self, stored: StoredEvent) -> list[bytes]:
        step = _STEPS.get(type(stored.event))
        payloads = step(self, stored.event) if step is not None else []
        return self._numbered(payloads, stored.offset)

    def _run_start(self, _: RunStart) -> list[bytes]:
        return self._begin_choice(0)

    def _begin_choice(self, choice: int) -> list[bytes]:
        # Clients keep choices in a list: none may appear before those of lower index.
        begun = range(self._choices, choice + 1)
        self._choices = max(self._choices, choice + 1)
        return [self._chunk(one, {"role": "assistant"}) for one in begun]

    def _text_start(self, event: TextStart) -> list[bytes]:
        if event.channel != "answer":
            return []
        self._show(event.part, event.choice, "content")
        return self._begin_choice(event.choice)

    def _reasoning_start(self, event: ReasoningStart) -> list[bytes]:
        self._show(event.part, event.choice, "reasoning_content")
        return self._begin_choice(event.choice)

    def _tool_start(self, event: ToolStart) -> list[bytes]:
        # Clients keep calls in a list, too; several models of an agent may each begin at 0.
        index = self._calls.get(event.choice, 0)
        self._calls[event.choice] = index + 1
        self._show(event.call, event.choice, "tool_calls", index)
        self._touched.add(event.call)
        call = {
            **(event.extra or {}),
            "index": index,
            "id": event.call,
            "type": "function",
            "function": {"name": event.name, "arguments": ""},
        }
        role = self._begin_choice(event.choice)
        return [*role, self._chunk(event.choice, {"tool_calls": [call]})]

    def _show(self, name: str, choice: int, field: str, call_index: int = 0) -> None:
        before, after = b'{"index":%d,"delta":{"%b":' % (choice, field.encode()), b"}"
        if field == "tool_calls":
            before += b'[{"index":%d,"function":{"arguments":' % call_index
            after = b"}}]}"
        self._parts[name] = _Shown(
            choice=choice,
            field=field,
            call_index=call_index,
            before=b"data: " + self._head + before,
            after=after
            + b',"finish_reason":null}'
            + self._tail
            + b"\nid: "
            + self._id_head.encode(),
        )

    def _delta(self, event: TextDelta | ReasoningDelta | ToolDelta) -> list[bytes]:
        name = event.call if isinstance(event, ToolDelta) else event.part
        part = self._parts.get(name)
        if part is None:
            return []
        self._touched.add(name)
        extra = event.extra or {}
        if part.field == "tool_calls":
            call = {"index": part.call_index, "function": {"arguments": event.text}}
            return [self._chunk(part.choice, {"tool_calls": [{**extra, **call}]})]
        delta = {field: value for field, value in extra.items() if field not in _OWN_FIELDS}
        if part.field != "content" or not extra.get("refusal"):
            # The words of a refusal stand in a field of their own, in `extra`.
            delta[part.field] = event.text
        return [self._chunk(part.choice, delta, logprobs=getattr(event, "logprobs", None))]

    def _discard(self, event: PartDiscard) -> list[bytes]:
        if event.part not in self._touched:
            self._parts.pop(event.part, None)
            return []
        self._is_ended = True
        return [
            failure_body(
                code="part_discarded",
                message="A part of this answer was taken back, which this protocol cannot say."
                " Ask again, or read the run's own stream.",
            )
        ]

    def _keep_usage(self, event: Usage) -> list[bytes]:
        self._usage = event
        return []

    def _run_end(self, event: RunEnd) -> list[bytes]:
        self._is_ended = True
        if event.outcome == "cancelled":
            message = event.message or "The run was cancelled; its text so far is kept."
            return [failure_body(code="cancelled", message=message)]
        if event.outcome == "failed":
            message = event.message or "The run failed."
            return [failure_body(code=event.code or "failed", message=message)]
        reasons = event.finish_reasons or ()
        payloads = self._begin_choice(max(len(reasons), 1) - 1)
        for choice in range(self._choices):
            reason = reasons[choice] if choice < len(reasons) else event.finish_reason
            payloads.append(self._chunk(choice, {}, finish_reason=reason or "stop"))
        if self._include_usage and self._usage is not None:
            payloads.append(self._head + b'],"usage":' + encode_usage(self._usage) + b"}")
        payloads.append(b"[DONE]")
        return payloads

    def _chunk(
        self,
        choice: int,
        delta: dict[str, Any],
        *,
        finish_reason: str | None = None,
        logprobs: Any = None,
    ) -> bytes:
        fields: dict[str, Any] = {"index": choice, "delta": delta}
        if logprobs is not None:
            fields["logprobs"] = logprobs
        fields["finish_reason"] = finish_reason
        return self._head + encode_json(fields) + self._tail


_STEPS: dict[type[Event], Callable[[_Encoder, Any], list[bytes]]] = {
    RunStart: _Encoder._run_start,
    TextStart: _Encoder._text_start,
    TextDelta: _Encoder._delta,
    ReasoningStart: _Encoder._reasoning_start,
    ReasoningDelta: _Encoder._delta,
    ToolStart: _Encoder._tool_start,
    ToolDelta: _Encoder._delta,
    PartDiscard: _Encoder._discard,
    Usage: _Encoder._keep_usage,
    RunEnd: _Encoder._run_end,
}
