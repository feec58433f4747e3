"""The nouns: every kind of event, as frozen values. Owns their fields and wire names, no rules.

Field names are the wire names. Optional fields are left out of the JSON while they hold their
default, so readers must treat an absent field as its default (spec 3).
"""

from typing import Any, ClassVar, Literal

import msgspec

__all__ = [
    "GRAMMAR_VERSION",
    "JOURNAL",
    "KINDS",
    "Data",
    "Event",
    "PartDiscard",
    "ReasoningDelta",
    "ReasoningEnd",
    "ReasoningStart",
    "RunEnd",
    "RunStart",
    "SourceChange",
    "StageEnd",
    "StageStart",
    "Status",
    "TextDelta",
    "TextEnd",
    "TextStart",
    "ToolDelta",
    "ToolEnd",
    "ToolResult",
    "ToolStart",
    "Unknown",
    "Usage",
    "kind_of",
]

GRAMMAR_VERSION = 1
"""Carried by `run-start`; readers refuse a run whose version they do not know (spec 3.1)."""

JOURNAL = "journal/"
"""Begins the name of `data` that only the agent of its run reads; nobody else shows it."""

Json = Any
"""Any JSON value: what a dialect or a model passes through untouched."""


class _Base(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, tag_field="event"):
    """Common settings: immutable, not tracked by the garbage collector, compact on the wire."""


class RunStart(_Base, frozen=True, gc=False, tag="run-start"):
    """A run begins; always its first event. Either `model` or `agent` is set."""

    run: str
    version: int
    model: str | None = None
    agent: str | None = None
    chat: str | None = None
    message: str | None = None
    created: float = 0.0
    """Seconds since the epoch, UTC."""


class Status(_Base, frozen=True, gc=False, tag="status"):
    """Something to show people while they wait; `code` is for machines and stays the same."""

    text: str
    code: str
    agent: str | None = None
    stage: str | None = None
    extra: dict[str, Json] | None = None


class StageStart(_Base, frozen=True, gc=False, tag="stage-start"):
    """A stage of a workflow begins; `attempt` counts from 1."""

    stage: str
    attempt: int = 1
    agent: str | None = None
    text: str | None = None


class StageEnd(_Base, frozen=True, gc=False, tag="stage-end"):
    """A stage ends; its attempt is the one that was open."""

    stage: str
    outcome: Literal["finished", "cancelled", "failed"] = "finished"
    attempt: int = 1
    agent: str | None = None
    text: str | None = None


class TextStart(_Base, frozen=True, gc=False, tag="text-start"):
    """A text part begins; `part` is unique in its run."""

    part: str
    channel: Literal["answer", "code"] = "answer"
    choice: int = 0
    agent: str | None = None
    stage: str | None = None


class TextDelta(_Base, frozen=True, gc=False, tag="text-delta"):
    """More text of an open part. `tokens` counts the upstream pieces merged into it."""

    part: str
    text: str
    choice: int = 0
    tokens: int = 1
    logprobs: Json = None
    extra: dict[str, Json] | None = None


class TextEnd(_Base, frozen=True, gc=False, tag="text-end"):
    """A text part ends; `cut` says that the run ended before the model had finished the part."""

    part: str
    cut: bool = False


class ReasoningStart(_Base, frozen=True, gc=False, tag="reasoning-start"):
    """A part of the model's thinking begins."""

    part: str
    choice: int = 0
    agent: str | None = None
    stage: str | None = None


class ReasoningDelta(_Base, frozen=True, gc=False, tag="reasoning-delta"):
    """More thinking of an open reasoning part."""

    part: str
    text: str
    choice: int = 0
    tokens: int = 1
    extra: dict[str, Json] | None = None


class ReasoningEnd(_Base, frozen=True, gc=False, tag="reasoning-end"):
    """A part of thinking ends; `cut` as in `text-end`."""

    part: str
    cut: bool = False


class ToolStart(_Base, frozen=True, gc=False, tag="tool-start"):
    """A call of a tool begins; `call` is unique in its run, `index` its place among calls."""

    call: str
    name: str
    index: int = 0
    choice: int = 0
    agent: str | None = None
    stage: str | None = None
    extra: dict[str, Json] | None = None


class ToolDelta(_Base, frozen=True, gc=False, tag="tool-delta"):
    """More of a call's argument text (JSON in pieces, not valid before the call's `tool-end`)."""

    call: str
    text: str
    choice: int = 0
    tokens: int = 1
    extra: dict[str, Json] | None = None


class ToolEnd(_Base, frozen=True, gc=False, tag="tool-end"):
    """A call's arguments are whole; with `cut` they are not, and the call must not be made."""

    call: str
    cut: bool = False


class ToolResult(_Base, frozen=True, gc=False, tag="tool-result"):
    """What a call gave: `result`, or a sentence in `error`."""

    call: str
    result: Json = None
    error: str | None = None


class Data(_Base, frozen=True, gc=False, tag="data"):
    """Named JSON of an agent or a model: products, sources, progress. A later one replaces it."""

    name: str
    data: Json = None
    agent: str | None = None


class Usage(_Base, frozen=True, gc=False, tag="usage"):
    """What the run used so far; a later one replaces it."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    reasoning_tokens: int = 0
    tokens_per_second: float | None = None
    first_token_seconds: float | None = None
    cost: float | None = None
    extra: dict[str, Json] | None = None


class PartDiscard(_Base, frozen=True, gc=False, tag="part-discard"):
    """A part or call is taken back, or its text after the first `keep` Unicode code points.

    With `keep` 0 it is gone, and its name is never used again; else it stays as it was, open or
    ended.
    """

    part: str
    reason: str
    keep: int = 0


class SourceChange(_Base, frozen=True, gc=False, tag="source-change"):
    """The run goes on from another upstream, model or worker."""

    reason: str
    attempt: int
    how: Literal["prefill", "prompt", "restart", "replay"]
    """`replay`: the source is a pure function of prompt and prefix and continues exactly."""
    model: str | None = None
    worker: str | None = None


class RunEnd(_Base, frozen=True, gc=False, tag="run-end"):
    """A run ends: exactly one, its last event. `message` is a sentence for people."""

    outcome: Literal["finished", "cancelled", "failed"]
    finish_reason: str | None = None
    code: str | None = None
    message: str | None = None
    finish_reasons: tuple[str, ...] | None = None
    """One per choice, where a run has several."""


class Unknown(msgspec.Struct, frozen=True, gc=False):
    """An event of a kind that this version does not know, kept as it came."""

    kind: str
    fields: dict[str, Json]
    choice: ClassVar[int] = 0


Event = (
    RunStart
    | Status
    | StageStart
    | StageEnd
    | TextStart
    | TextDelta
    | TextEnd
    | ReasoningStart
    | ReasoningDelta
    | ReasoningEnd
    | ToolStart
    | ToolDelta
    | ToolEnd
    | ToolResult
    | Data
    | Usage
    | PartDiscard
    | SourceChange
    | RunEnd
    | Unknown
)

KINDS: dict[str, type[Event]] = {
    "run-start": RunStart,
    "status": Status,
    "stage-start": StageStart,
    "stage-end": StageEnd,
    "text-start": TextStart,
    "text-delta": TextDelta,
    "text-end": TextEnd,
    "reasoning-start": ReasoningStart,
    "reasoning-delta": ReasoningDelta,
    "reasoning-end": ReasoningEnd,
    "tool-start": ToolStart,
    "tool-delta": ToolDelta,
    "tool-end": ToolEnd,
    "tool-result": ToolResult,
    "data": Data,
    "usage": Usage,
    "part-discard": PartDiscard,
    "source-change": SourceChange,
    "run-end": RunEnd,
}
_KIND_OF: dict[type, str] = {noun: kind for kind, noun in KINDS.items()}


def kind_of(event: Event) -> str:
    """Return the event's wire name, `text-delta` for a `TextDelta`."""
    if type(event) is Unknown:
        return event.kind
    return _KIND_OF[type(event)]
