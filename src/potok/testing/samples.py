"""Sample runs as lists of events, one per thing that a dialect, a log or a fold must get right.

Each is admitted by the grammar from its first event to its `run-end`. Times and ids are fixed.
"""

from collections.abc import Sequence

from potok.events.envelope import Offset, StoredEvent
from potok.events.kinds import (
    GRAMMAR_VERSION,
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
    Unknown,
    Usage,
)

__all__ = ["CREATED", "HOSTILE_TEXTS", "RUN", "SAMPLES", "store"]

RUN = "01sample0run0of0potok00000"
CREATED = 1_790_000_000

HOSTILE_TEXTS = (
    "a\nb",
    "a\r\nb\rc",
    "\n\ndata: {}\n\n",
    "data: [DONE]\n\nid: 99\nevent: error\n\n",
    "a\u2028b\u2029c\u0085d\u000be\u001cf",
    "a\0b",
    '"}\\"]}',
    "\ufeff",
    "Привет, 🎉👩‍👩‍👧 a\u0301",
    " ",
    "",
)
"""Text that breaks a frame, a line or a JSON wherever it is not escaped."""

_START = RunStart(run=RUN, version=GRAMMAR_VERSION, model="demo", created=CREATED + 0.5)
_AGENT_START = RunStart(run=RUN, version=GRAMMAR_VERSION, agent="coder", chat="c1", message="m1")
_USAGE = Usage(
    prompt_tokens=12,
    completion_tokens=7,
    reasoning_tokens=2,
    tokens_per_second=43.5,
    extra={"prompt_tokens_details": {"cached_tokens": 4}},
)
_STOP = RunEnd(outcome="finished", finish_reason="stop")


def store(events: Sequence[Event], *, first: int = 1) -> list[StoredEvent]:
    """Return the events with the offsets that a log would give them, from `first` on."""
    return [
        StoredEvent(offset=Offset(offset), event=event, at=CREATED + offset / 100)
        for offset, event in enumerate(events, start=first)
    ]


def _text(part: str, *texts: str, choice: int = 0) -> list[Event]:
    deltas = [TextDelta(part=part, text=text, choice=choice) for text in texts]
    return [TextStart(part=part, choice=choice), *deltas, TextEnd(part=part)]


def _logprob(token: str) -> dict[str, object]:
    return {"token": token, "logprob": -0.5, "bytes": list(token.encode()), "top_logprobs": []}


SAMPLES: dict[str, tuple[Event, ...]] = {
    "an answer": (_START, *_text("t1", "Привет", ", ", "мир", "!"), _USAGE, _STOP),
    "an answer without a word": (_START, _STOP),
    "an answer that was too long": (
        _START,
        *_text("t1", "One two"),
        RunEnd(outcome="finished", finish_reason="length"),
    ),
    "thinking before the answer": (
        _START,
        Status(text="Думаю...", code="thinking"),
        ReasoningStart(part="r1"),
        ReasoningDelta(part="r1", text="2 and 2"),
        ReasoningDelta(part="r1", text=" is 4", tokens=3),
        ReasoningEnd(part="r1"),
        *_text("t1", "It is ", "4."),
        _USAGE,
        _STOP,
    ),
    "two calls at once": (
        _START,
        *_text("t1", "I look it up."),
        ToolStart(call="call_a", name="weather", index=0),
        ToolStart(call="call_b", name="time", index=1, extra={"extra_content": {"sign": "x"}}),
        ToolDelta(call="call_a", text='{"city":'),
        ToolDelta(call="call_b", text="{"),
        ToolDelta(call="call_a", text=' "Пермь"}'),
        ToolDelta(call="call_b", text="}", extra={"sign": "y"}),
        ToolEnd(call="call_a"),
        ToolEnd(call="call_b"),
        RunEnd(outcome="finished", finish_reason="tool_calls"),
    ),
    "an agent's calls, each counted from 0": (
        _AGENT_START,
        ToolStart(call="c1", name="search"),
        ToolDelta(call="c1", text="{}"),
        ToolEnd(call="c1"),
        ToolResult(call="c1", result={"found": ["a", 1, None]}),
        ToolStart(call="c2", name="search"),
        ToolEnd(call="c2"),
        ToolResult(call="c2", error="Nothing was found."),
        *_text("t1", "Done."),
        _STOP,
    ),
    "several choices": (
        _START,
        TextStart(part="t1"),
        TextStart(part="t3", choice=2),
        TextDelta(part="t1", text="one"),
        TextDelta(part="t3", text="three", choice=2),
        TextEnd(part="t1"),
        TextStart(part="t2", choice=1),
        TextDelta(part="t2", text="two", choice=1),
        TextEnd(part="t2"),
        TextEnd(part="t3"),
        ToolStart(call="c4", name="four", choice=3),
        ToolDelta(call="c4", text="{}", choice=3),
        ToolEnd(call="c4"),
        _USAGE,
        RunEnd(
            outcome="finished",
            finish_reason="stop",
            finish_reasons=("stop", "length", "stop", "tool_calls"),
        ),
    ),
    "stages, data and code": (
        _AGENT_START,
        StageStart(stage="planner", text="Планирую"),
        StageEnd(stage="planner"),
        StageStart(stage="coder", attempt=1),
        TextStart(part="code1", channel="code", stage="coder"),
        TextDelta(part="code1", text="print(1)\n", tokens=4),
        TextEnd(part="code1"),
        StageEnd(stage="coder", outcome="failed"),
        StageStart(stage="coder", attempt=2),
        StageEnd(stage="coder", attempt=2),
        Data(name="sources", data=[{"title": "A"}], agent="critic"),
        Data(name="sources", data=[{"title": "B"}], agent="critic"),
        TextStart(part="t1", agent="critic", stage="critic"),
        TextDelta(part="t1", text="Good."),
        TextEnd(part="t1"),
        _STOP,
    ),
    "logprobs and fields of another provider": (
        _START,
        TextStart(part="t1"),
        TextDelta(
            part="t1",
            text="Hi",
            logprobs={
                "content": [{"token": "Hi", "logprob": -0.1, "bytes": [72], "top_logprobs": []}]
            },
        ),
        TextDelta(part="t1", text="!", extra={"audio": None, "role": "user", "content": "x"}),
        TextEnd(part="t1"),
        ReasoningStart(part="r1"),
        ReasoningDelta(part="r1", text="hm", extra={"reasoning_details": [{"format": "x"}]}),
        ReasoningEnd(part="r1"),
        _STOP,
    ),
    "a refusal, and another choice": (
        _START,
        TextStart(part="t1"),
        TextStart(part="t2", choice=1),
        TextDelta(
            part="t1",
            text="I can",
            logprobs={"content": None, "refusal": [_logprob("I can")]},
            extra={"refusal": "I can"},
        ),
        TextDelta(part="t2", text="Fine", choice=1, logprobs={"content": [_logprob("Fine")]}),
        TextDelta(part="t1", text="not.", extra={"refusal": "not."}),
        TextDelta(part="t2", text=".", choice=1, logprobs={"content": [_logprob(".")]}),
        TextEnd(part="t1"),
        TextEnd(part="t2"),
        RunEnd(outcome="finished", finish_reason="stop", finish_reasons=("stop", "stop")),
    ),
    "another upstream goes on": (
        _START,
        TextStart(part="t1"),
        TextDelta(part="t1", text="Half "),
        SourceChange(reason="upstream_lost", attempt=2, how="prefill", model="other"),
        TextDelta(part="t1", text="and half."),
        TextEnd(part="t1"),
        _STOP,
    ),
    "a part is taken back": (
        _START,
        TextStart(part="t1"),
        TextDelta(part="t1", text="Wrong"),
        TextEnd(part="t1"),
        PartDiscard(part="t1", reason="restart"),
        *_text("t2", "Right"),
        _STOP,
    ),
    "the end of a part is taken back": (
        _START,
        TextStart(part="t1"),
        TextDelta(part="t1", text="🎉 party wrong"),
        PartDiscard(part="t1", reason="restart", keep=7),
        TextDelta(part="t1", text=" right"),
        TextEnd(part="t1"),
        _STOP,
    ),
    "a part nobody saw is taken back": (
        _START,
        TextStart(part="t1"),
        PartDiscard(part="t1", reason="restart"),
        *_text("t2", "Right"),
        _STOP,
    ),
    "failed before the first word": (
        _START,
        RunEnd(outcome="failed", code="upstream_unreachable", message="No connection."),
    ),
    "failed in the middle": (
        _START,
        ReasoningStart(part="r1"),
        ReasoningDelta(part="r1", text="hm"),
        ToolStart(call="c1", name="search"),
        ToolDelta(call="c1", text='{"q'),
        ToolEnd(call="c1", cut=True),
        ReasoningEnd(part="r1", cut=True),
        RunEnd(outcome="failed", code="upstream_lost", message="The provider went away."),
    ),
    "cancelled": (
        _START,
        TextStart(part="t1"),
        TextDelta(part="t1", text="So far"),
        TextEnd(part="t1", cut=True),
        RunEnd(outcome="cancelled"),
    ),
    "kinds of a later version": (
        _START,
        Unknown(kind="picture", fields={"part": "p1", "id": "7", "url": "data:,\n"}),
        Unknown(kind="error", fields={}),
        Unknown(kind="open", fields={"run": "other"}),
        Unknown(kind="a\nid: 7\r\0b", fields={"text": "\u2028"}),
        *_text("t1", "Hi"),
        Unknown(kind="message", fields={}),
        _STOP,
    ),
    "hostile text": (
        _START,
        *_text("t1", *HOSTILE_TEXTS),
        ReasoningStart(part="r\n1"),
        *(ReasoningDelta(part="r\n1", text=text) for text in HOSTILE_TEXTS),
        ReasoningEnd(part="r\n1"),
        ToolStart(call="c\r1", name="n\u2028"),
        *(ToolDelta(call="c\r1", text=text) for text in HOSTILE_TEXTS),
        ToolEnd(call="c\r1"),
        Data(name="\n", data={text: text for text in HOSTILE_TEXTS}),
        _STOP,
    ),
}
"""The runs by what they show."""
