"""The AI SDK's UI message stream, version 1: events in, `UIMessageChunk` frames out.

A run is one message with a `messageId` that every replay repeats; the client resets that message
at the first `start` of a replay. A step ends where a tool's result was followed by something new.
What a step showed is remembered until the step ends, because this protocol takes a part back by
resetting the whole step (`reset-step`, since version 7 of `ai`): the rest of the step is then said
again. A part of an earlier step cannot be taken back; the stream then ends as failed.

The client knows one answer, so choices beyond the first have no chunk. What it has no chunk for
travels as `data-*` chunks: `data-stage` and an agent's own data stay in the message, `data-status`,
`data-usage` and `data-source-change` are transient.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from potok.dialects.ai_sdk_ui_parts import Other, Speech, Step, ToolCall
from potok.dialects.ai_sdk_ui_sources import source_chunks
from potok.dialects.dialect import Encoder, Reading
from potok.dialects.encoder import RunEncoder
from potok.dialects.line_safe import encode_json, keep_one_line
from potok.dialects.native_bodies import error_body
from potok.errors import PotokError
from potok.events.envelope import StoredEvent
from potok.events.kinds import (
    JOURNAL,
    Data,
    Event,
    PartDiscard,
    ReasoningDelta,
    ReasoningEnd,
    ReasoningStart,
    RunEnd,
    RunStart,
    SourceChange,
    StageEnd,
    StageStart,
    Status,
    TextDelta,
    TextEnd,
    TextStart,
    ToolDelta,
    ToolEnd,
    ToolResult,
    ToolStart,
    Usage,
)

__all__ = ["AiSdkUiSse", "ui_message_id"]

_encode = msgspec.json.Encoder().encode

Chunk = dict[str, Any]

_DONE = b"[DONE]"
_FINISH_REASONS = {
    "stop": "stop",
    "length": "length",
    "content_filter": "content-filter",
    "tool_calls": "tool-calls",
    "function_call": "tool-calls",
}


def ui_message_id(run: str) -> str:
    """Return the id of the message that a run makes, unless it goes on with an older one."""
    return f"msg_{run}"


class AiSdkUiSse:
    """`UIMessageChunk` objects over server-sent events."""

    name = "ai-sdk-ui"
    media_type = "text/event-stream"
    can_retract = True
    needs_history = True

    def encoder(self, reading: Reading) -> Encoder:
        return _Encoder(reading)

    def encode_error(self, error: PotokError) -> bytes:
        # The client shows the whole body of a refusal as its error's message.
        return error_body(error)


class _Encoder(RunEncoder):
    """Holds the current step, and which parts stand in the steps before it."""

    __slots__ = ("_earlier", "_run", "_sources", "_stages", "_step")

    def __init__(self, reading: Reading) -> None:
        super().__init__(reading)
        self._run = reading.run
        self._step = Step()
        # Names of parts in finished steps; a call's result may still come.
        self._earlier: set[str] = set()
        self._sources: set[str] = set()
        self._stages: dict[str, Chunk] = {}

    def _frames_of(self, stored: StoredEvent) -> list[bytes]:
        event = stored.event
        if type(event) is TextDelta or type(event) is ReasoningDelta:
            return self._delta(event.part, event.text, stored.offset)
        if type(event) is ToolDelta:
            return self._delta(event.call, event.text, stored.offset)
        step = _STEPS.get(type(event))
        chunks = step(self, event) if step is not None else []
        payloads = [encode_json(chunk) for chunk in chunks]
        if self._is_ended:
            payloads.append(_DONE)
        return self._numbered(payloads, stored.offset)

    def _delta(self, name: str, text: str, offset: int) -> list[bytes]:
        # Nearly all events come this way: the frame around the text was made with the part.
        part = self._step.part(name)
        if part is None:
            return []
        part.pieces.append(text)
        said = keep_one_line(_encode(text))
        return [b"%b%b}\nid: %b%d\n\n" % (part.before, said, self._id_head.encode(), offset)]

    def _run_start(self, event: RunStart) -> list[Chunk]:
        message = event.message or ui_message_id(event.run)
        return [{"type": "start", "messageId": message}, {"type": "start-step"}]

    def _begin(self) -> list[Chunk]:
        """Begin another step if the current one has come to its tools' results."""
        if not self._step.is_over:
            return []
        self._earlier.update(self._step.names)
        self._step = Step()
        return [{"type": "finish-step"}, {"type": "start-step"}]

    def _text_start(self, event: TextStart) -> list[Chunk]:
        more = {} if event.channel == "answer" else {"channel": event.channel}
        return self._speech_start("text", event, **more)

    def _reasoning_start(self, event: ReasoningStart) -> list[Chunk]:
        return self._speech_start("reasoning", event)

    def _speech_start(
        self, kind: str, event: TextStart | ReasoningStart, **facts: str
    ) -> list[Chunk]:
        if event.choice:
            return []
        start: Chunk = {"type": f"{kind}-start", "id": event.part}
        for name in ("agent", "stage"):
            if (fact := getattr(event, name)) is not None:
                facts[name] = fact
        if facts:
            start["providerMetadata"] = {"potok": facts}
        chunks = self._begin()
        self._step.add(event.part, Speech(kind, start))
        return [*chunks, start]

    def _speech_end(self, event: TextEnd | ReasoningEnd) -> list[Chunk]:
        part = self._step.part(event.part)
        return [] if part is None else part.end(cut=event.cut)

    def _tool_start(self, event: ToolStart) -> list[Chunk]:
        if event.choice:
            return []
        start: Chunk = {
            "type": "tool-input-start",
            "toolCallId": event.call,
            "toolName": event.name,
        }
        chunks = self._begin()
        self._step.add(event.call, ToolCall(start))
        return [*chunks, start]

    def _tool_end(self, event: ToolEnd) -> list[Chunk]:
        part = self._step.part(event.call)
        return [] if part is None else part.end(cut=event.cut)

    def _tool_result(self, event: ToolResult) -> list[Chunk]:
        if event.error is None:
            chunk: Chunk = {"type": "tool-output-available", "output": event.result}
        else:
            chunk = {"type": "tool-output-error", "errorText": event.error}
        chunk["toolCallId"] = event.call
        if event.call in self._earlier:
            return [chunk]
        part = self._step.part(event.call)
        if not isinstance(part, ToolCall):
            return []
        part.output = chunk
        return [chunk]

    def _data(self, event: Data) -> list[Chunk]:
        if event.name.startswith(JOURNAL):
            return []
        chunk: Chunk = {
            "type": f"data-{event.name}",
            "id": f"{event.agent}:{event.name}" if event.agent else event.name,
            "data": event.data,
        }
        sources = source_chunks(event.data) if event.name == "sources" else []
        fresh = [one for one in sources if one["sourceId"] not in self._sources]
        self._sources.update(one["sourceId"] for one in fresh)
        self._step.add_other(f"{chunk['type']}\n{chunk['id']}", Other([chunk]))
        for source in fresh:
            self._step.add_other(f"source\n{source['sourceId']}", Other([source]))
        return [chunk, *fresh]

    def _stage_start(self, event: StageStart) -> list[Chunk]:
        facts = {"agent": event.agent, "text": event.text}
        data = {"stage": event.stage, "attempt": event.attempt, "state": "started"}
        data.update({name: fact for name, fact in facts.items() if fact is not None})
        return self._stage(event.stage, data)

    def _stage_end(self, event: StageEnd) -> list[Chunk]:
        data = {**self._stages.get(event.stage, {}), "state": event.outcome}
        if event.text is not None:
            data["text"] = event.text
        return self._stage(event.stage, data)

    def _stage(self, name: str, data: Chunk) -> list[Chunk]:
        self._stages[name] = data
        chunk = {"type": "data-stage", "id": name, "data": data}
        self._step.add_other(f"data-stage\n{name}", Other([chunk]))
        return [chunk]

    def _status(self, event: Status) -> list[Chunk]:
        return [_transient("status", event)]

    def _usage(self, event: Usage) -> list[Chunk]:
        return [_transient("usage", event)]

    def _source_change(self, event: SourceChange) -> list[Chunk]:
        return [_transient("source-change", event)]

    def _discard(self, event: PartDiscard) -> list[Chunk]:
        if event.part in self._earlier:
            self._is_ended = True
            message = "A part of an earlier step was taken back. Load the message again."
            return _failure(message)
        if not self._step.discard(event.part, keep=event.keep):
            return []
        return [{"type": "reset-step"}, *self._step.said_again()]

    def _run_end(self, event: RunEnd) -> list[Chunk]:
        self._is_ended = True
        if event.outcome == "cancelled":
            reason = event.message or "The run was cancelled; its text so far is kept."
            return [{"type": "abort", "reason": reason}]
        if event.outcome == "failed":
            return _failure(event.message or "The run failed.")
        said = event.finish_reasons[0] if event.finish_reasons else event.finish_reason
        reason = _FINISH_REASONS.get(said or "stop", "other")
        return [{"type": "finish-step"}, {"type": "finish", "finishReason": reason}]


def _failure(message: str) -> list[Chunk]:
    return [
        {"type": "error", "errorText": message},
        {"type": "finish-step"},
        {"type": "finish", "finishReason": "error"},
    ]


def _transient(name: str, event: Event) -> Chunk:
    fields = msgspec.to_builtins(event)
    fields.pop("event")
    return {"type": f"data-{name}", "data": fields, "transient": True}


_STEPS: dict[type[Event], Callable[[_Encoder, Any], list[Chunk]]] = {
    RunStart: _Encoder._run_start,
    Status: _Encoder._status,
    StageStart: _Encoder._stage_start,
    StageEnd: _Encoder._stage_end,
    TextStart: _Encoder._text_start,
    TextEnd: _Encoder._speech_end,
    ReasoningStart: _Encoder._reasoning_start,
    ReasoningEnd: _Encoder._speech_end,
    ToolStart: _Encoder._tool_start,
    ToolEnd: _Encoder._tool_end,
    ToolResult: _Encoder._tool_result,
    Data: _Encoder._data,
    Usage: _Encoder._usage,
    SourceChange: _Encoder._source_change,
    PartDiscard: _Encoder._discard,
    RunEnd: _Encoder._run_end,
}
