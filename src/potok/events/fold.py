"""Folds events into a message: the only place where text is accumulated (spec 6).

The TypeScript client has a twin of it; both pass `spec/vectors/fold.json`.
"""

from typing import Any

import msgspec

from potok.events.kinds import (
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

__all__ = ["Fold", "Message", "Part", "RunError", "Stage"]


class Part(msgspec.Struct, omit_defaults=True):
    """One part of a message, in the order of its start.

    `type` is `text`, `reasoning`, `tool` or `data`; `state` is `open`, `done` or `cut`. `text`
    holds a text's words or a call's argument text; `name` a tool's or a data's name. `refusal`
    says that a text is the model's no. `logprobs` are lists by name, as they came with its deltas.
    """

    type: str
    id: str
    text: str = ""
    state: str = "open"
    channel: str = "answer"
    choice: int = 0
    name: str | None = None
    agent: str | None = None
    stage: str | None = None
    result: Any = None
    error: str | None = None
    data: Any = None
    refusal: bool = False
    logprobs: dict[str, list[Any]] | None = None


class Stage(msgspec.Struct, omit_defaults=True):
    """One attempt of a stage; `outcome` is None while it is open."""

    stage: str
    attempt: int = 1
    outcome: str | None = None
    agent: str | None = None


class RunError(msgspec.Struct):
    """Why a run failed: a stable code, and a sentence for people."""

    code: str
    message: str


class Message(msgspec.Struct, omit_defaults=True):
    """What people see of a run so far; `text` of choice 0 is the answer (channel `answer`)."""

    run: str = ""
    model: str | None = None
    agent: str | None = None
    outcome: str | None = None
    finish_reason: str | None = None
    finish_reasons: tuple[str, ...] | None = None
    parts: list[Part] = msgspec.field(default_factory=list)
    stages: list[Stage] = msgspec.field(default_factory=list)
    status: Status | None = None
    usage: Usage | None = None
    sources: list[SourceChange] = msgspec.field(default_factory=list)
    error: RunError | None = None
    tokens: int = 0
    """Upstream pieces of text and thinking so far."""

    def text_of(self, choice: int = 0) -> str:
        """Return the answer's text of one choice."""
        return "".join(
            part.text
            for part in self.parts
            if part.type == "text" and part.channel == "answer" and part.choice == choice
        )

    @property
    def text(self) -> str:
        """The answer's text of choice 0."""
        return self.text_of(0)

    @property
    def reasoning(self) -> str:
        """The thinking of choice 0."""
        return "".join(
            part.text for part in self.parts if part.type == "reasoning" and part.choice == 0
        )


class Fold:
    """Accumulates one run's events; feed each event once, in order."""

    __slots__ = ("_data_parts", "_message", "_pieces", "_positions")

    def __init__(self) -> None:
        self._message = Message()
        self._positions: dict[str, Part] = {}
        # Apart, so that no part of an agent can have the name of its data.
        self._data_parts: dict[str, Part] = {}
        # Text is kept in pieces and joined when somebody looks: a long answer stays linear.
        self._pieces: dict[str, list[str]] = {}

    @property
    def message(self) -> Message:
        """The message so far; changes as more events are fed."""
        for name, pieces in self._pieces.items():
            if len(pieces) > 1:
                pieces[:] = ["".join(pieces)]
            if pieces:
                self._positions[name].text = pieces[0]
        return self._message

    def feed(self, event: Event) -> None:
        """Take the next event; unknown kinds change nothing."""
        step = _STEPS.get(type(event))
        if step is not None:
            step(self, event)

    def _open(self, part: Part) -> None:
        self._message.parts.append(part)
        self._positions[part.id] = part
        self._pieces[part.id] = []

    def _run_start(self, event: RunStart) -> None:
        self._message.run = event.run
        self._message.model = event.model
        self._message.agent = event.agent

    def _text_start(self, event: TextStart) -> None:
        self._open(
            Part(
                type="text",
                id=event.part,
                channel=event.channel,
                choice=event.choice,
                agent=event.agent,
                stage=event.stage,
            )
        )

    def _reasoning_start(self, event: ReasoningStart) -> None:
        self._open(
            Part(
                type="reasoning",
                id=event.part,
                choice=event.choice,
                agent=event.agent,
                stage=event.stage,
            )
        )

    def _tool_start(self, event: ToolStart) -> None:
        self._open(
            Part(
                type="tool",
                id=event.call,
                name=event.name,
                choice=event.choice,
                agent=event.agent,
                stage=event.stage,
            )
        )

    def _text_delta(self, event: TextDelta) -> None:
        self._pieces[event.part].append(event.text)
        self._message.tokens += event.tokens
        if event.extra is not None and event.extra.get("refusal"):
            self._positions[event.part].refusal = True
        if isinstance(event.logprobs, dict):
            part = self._positions[event.part]
            part.logprobs = part.logprobs or {}
            for name, entries in event.logprobs.items():
                if isinstance(entries, list):
                    part.logprobs.setdefault(name, []).extend(entries)

    def _reasoning_delta(self, event: ReasoningDelta) -> None:
        self._pieces[event.part].append(event.text)
        self._message.tokens += event.tokens

    def _tool_delta(self, event: ToolDelta) -> None:
        self._pieces[event.call].append(event.text)

    def _part_end(self, event: TextEnd | ReasoningEnd) -> None:
        self._positions[event.part].state = "cut" if event.cut else "done"

    def _tool_end(self, event: ToolEnd) -> None:
        self._positions[event.call].state = "cut" if event.cut else "done"

    def _tool_result(self, event: ToolResult) -> None:
        part = self._positions[event.call]
        part.result, part.error = event.result, event.error

    def _data(self, event: Data) -> None:
        name = f"data:{event.agent or ''}:{event.name}"
        part = self._data_parts.get(name)
        if part is None:
            part = Part(type="data", id=name, name=event.name, agent=event.agent, state="done")
            self._message.parts.append(part)
            self._data_parts[name] = part
        part.data = event.data

    def _discard(self, event: PartDiscard) -> None:
        part = self._positions[event.part]
        if event.keep:
            # Python counts Unicode code points, as the field does; UTF-16 twins must convert.
            self._pieces[event.part] = ["".join(self._pieces[event.part])[: event.keep]]
            # Nobody knows which of them belong to what is left.
            part.logprobs = None
            return
        self._message.parts.remove(part)
        del self._positions[event.part]
        del self._pieces[event.part]

    def _stage_start(self, event: StageStart) -> None:
        self._message.stages.append(
            Stage(stage=event.stage, attempt=event.attempt, agent=event.agent)
        )

    def _stage_end(self, event: StageEnd) -> None:
        for stage in reversed(self._message.stages):
            if stage.stage == event.stage and stage.outcome is None:
                stage.outcome = event.outcome
                return

    def _status(self, event: Status) -> None:
        self._message.status = event

    def _usage(self, event: Usage) -> None:
        self._message.usage = event

    def _source_change(self, event: SourceChange) -> None:
        self._message.sources.append(event)

    def _run_end(self, event: RunEnd) -> None:
        message = self._message
        message.outcome = event.outcome
        message.finish_reason = event.finish_reason
        message.finish_reasons = event.finish_reasons
        message.status = None
        if event.outcome == "failed":
            message.error = RunError(
                code=event.code or "failed", message=event.message or "The run failed."
            )


_STEPS: dict[type, Any] = {
    RunStart: Fold._run_start,
    TextStart: Fold._text_start,
    TextDelta: Fold._text_delta,
    TextEnd: Fold._part_end,
    ReasoningStart: Fold._reasoning_start,
    ReasoningDelta: Fold._reasoning_delta,
    ReasoningEnd: Fold._part_end,
    ToolStart: Fold._tool_start,
    ToolDelta: Fold._tool_delta,
    ToolEnd: Fold._tool_end,
    ToolResult: Fold._tool_result,
    Data: Fold._data,
    PartDiscard: Fold._discard,
    StageStart: Fold._stage_start,
    StageEnd: Fold._stage_end,
    Status: Fold._status,
    Usage: Fold._usage,
    SourceChange: Fold._source_change,
    RunEnd: Fold._run_end,
}
