import json
from typing import Any

import pytest

from potok.dialects.ai_sdk_ui import AiSdkUiSse
from potok.dialects.dialect import Encoder, Reading
from potok.events.kinds import (
    Data,
    Event,
    PartDiscard,
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
from potok.testing.samples import CREATED, RUN, SAMPLES, store
from potok.wire.sse import SseDecoder

START = RunStart(run=RUN, version=1, model="demo")
STOP = RunEnd(outcome="finished", finish_reason="stop")
BEGUN = [{"type": "start", "messageId": f"msg_{RUN}"}, {"type": "start-step"}]


def encoder() -> Encoder:
    return AiSdkUiSse().encoder(Reading(run=RUN, model="demo", created=CREATED))


def chunks_of(*events: Event) -> list[Any]:
    body = b"".join(encoder().encode(store(events)))
    said = [frame.data for frame in SseDecoder().feed(body)]
    return [one if one == "[DONE]" else json.loads(one) for one in said]


def after_start(*events: Event) -> list[Any]:
    return chunks_of(START, *events)[2:]


def test_a_run_is_one_message_with_one_step() -> None:
    chunks = chunks_of(*SAMPLES["an answer"])

    assert chunks[:3] == [*BEGUN, {"type": "text-start", "id": "t1"}]
    assert [chunk["delta"] for chunk in chunks[3:7]] == ["Привет", ", ", "мир", "!"]
    assert [chunk if chunk == "[DONE]" else chunk["type"] for chunk in chunks[7:]] == [
        "text-end",
        "data-usage",
        "finish-step",
        "finish",
        "[DONE]",
    ]


def test_a_run_that_goes_on_with_a_message_has_that_messages_id() -> None:
    start = RunStart(run=RUN, version=1, model="demo", message="m7")

    chunks = chunks_of(start)

    assert chunks[0] == {"type": "start", "messageId": "m7"}


def test_a_call_is_streamed_and_then_given_whole() -> None:
    chunks = after_start(
        ToolStart(call="c1", name="weather"),
        ToolDelta(call="c1", text='{"city": '),
        ToolDelta(call="c1", text='"Perm"}'),
        ToolEnd(call="c1"),
    )

    call = {"toolCallId": "c1"}
    assert chunks == [
        {"type": "tool-input-start", **call, "toolName": "weather"},
        {"type": "tool-input-delta", **call, "inputTextDelta": '{"city": '},
        {"type": "tool-input-delta", **call, "inputTextDelta": '"Perm"}'},
        {
            "type": "tool-input-available",
            **call,
            "toolName": "weather",
            "input": {"city": "Perm"},
        },
    ]


def test_a_call_without_arguments_has_none() -> None:
    chunks = after_start(ToolStart(call="c1", name="now"), ToolEnd(call="c1"))

    assert chunks[-1]["type"] == "tool-input-available"
    assert chunks[-1]["input"] == {}


@pytest.mark.parametrize(("text", "cut"), [('{"a', False), ('{"a', True), ("{}", True)])
def test_a_call_that_must_not_be_made_is_an_error(text: str, cut: bool) -> None:
    chunks = after_start(
        ToolStart(call="c1", name="now"),
        ToolDelta(call="c1", text=text),
        ToolEnd(call="c1", cut=cut),
    )

    assert chunks[-1]["type"] == "tool-input-error"
    assert chunks[-1]["errorText"]


def test_what_follows_a_tools_result_is_another_step() -> None:
    chunks = chunks_of(*SAMPLES["an agent's calls, each counted from 0"])

    kinds = [chunk["type"] for chunk in chunks if chunk != "[DONE]"]
    assert kinds == [
        *("start", "start-step"),
        *("tool-input-start", "tool-input-delta", "tool-input-available", "tool-output-available"),
        *("finish-step", "start-step"),
        *("tool-input-start", "tool-input-available", "tool-output-error"),
        *("finish-step", "start-step"),
        *("text-start", "text-delta", "text-end"),
        *("finish-step", "finish"),
    ]


def test_a_late_result_finds_its_call_in_an_earlier_step() -> None:
    chunks = after_start(
        ToolStart(call="c1", name="a"),
        ToolEnd(call="c1"),
        ToolResult(call="c1", result=1),
        TextStart(part="t1"),
        ToolResult(call="c1", result=2),
    )

    assert chunks[-1] == {"type": "tool-output-available", "output": 2, "toolCallId": "c1"}


def test_a_part_that_is_taken_back_resets_its_step_and_says_the_rest_again() -> None:
    chunks = after_start(
        Data(name="found", data=3),
        TextStart(part="t1"),
        TextDelta(part="t1", text="Right, "),
        TextEnd(part="t1"),
        TextStart(part="t2"),
        TextDelta(part="t2", text="wrong"),
        PartDiscard(part="t2", reason="restart"),
    )

    reset = next(at for at, chunk in enumerate(chunks) if chunk["type"] == "reset-step")
    assert chunks[reset + 1 :] == [
        {"type": "data-found", "id": "found", "data": 3},
        {"type": "text-start", "id": "t1"},
        {"type": "text-delta", "id": "t1", "delta": "Right, "},
        {"type": "text-end", "id": "t1"},
    ]


def test_the_end_of_an_open_part_that_is_taken_back_leaves_it_open() -> None:
    chunks = chunks_of(*SAMPLES["the end of a part is taken back"])

    reset = chunks.index({"type": "reset-step"})
    said = "".join(chunk["delta"] for chunk in chunks[reset:] if "delta" in chunk)
    assert said == "🎉 party right"
    assert [chunk["type"] for chunk in chunks[reset:-1]].count("text-end") == 1


def test_a_call_that_is_said_again_keeps_its_result() -> None:
    chunks = after_start(
        ToolStart(call="c1", name="a"),
        ToolStart(call="c2", name="b"),
        ToolEnd(call="c1"),
        ToolResult(call="c1", result=1),
        PartDiscard(part="c2", reason="restart"),
    )

    assert [chunk["type"] for chunk in chunks[-4:]] == [
        "reset-step",
        "tool-input-start",
        "tool-input-available",
        "tool-output-available",
    ]


def test_a_part_of_an_earlier_step_cannot_be_taken_back() -> None:
    chunks = after_start(
        TextStart(part="t1"),
        TextEnd(part="t1"),
        ToolStart(call="c1", name="a"),
        ToolEnd(call="c1"),
        ToolResult(call="c1", result=1),
        TextStart(part="t2"),
        PartDiscard(part="t1", reason="restart"),
        TextDelta(part="t2", text="never shown"),
    )

    assert [chunk if chunk == "[DONE]" else chunk["type"] for chunk in chunks[-4:]] == [
        "error",
        "finish-step",
        "finish",
        "[DONE]",
    ]


def test_sources_are_parts_of_the_message_once_each() -> None:
    page = {"url": "https://example.com/a", "title": "A"}
    chunks = after_start(
        Data(name="sources", data=[page, "noise", {}]),
        Data(name="sources", data=[page, {"title": "Book", "filename": "b.pdf"}]),
    )

    sources = [chunk for chunk in chunks if chunk["type"].startswith("source-")]
    assert sources == [
        {
            "type": "source-url",
            "sourceId": "https://example.com/a",
            "url": "https://example.com/a",
            "title": "A",
        },
        {
            "type": "source-document",
            "sourceId": "Book",
            "mediaType": "text/plain",
            "title": "Book",
            "filename": "b.pdf",
        },
    ]


def test_what_the_client_has_no_chunk_for_is_data() -> None:
    chunks = after_start(
        Status(text="Думаю...", code="thinking"),
        StageStart(stage="coder", text="Пишу"),
        StageEnd(stage="coder", outcome="failed"),
        SourceChange(reason="upstream_lost", attempt=2, how="prefill"),
        Usage(prompt_tokens=1, completion_tokens=2),
    )

    stage = {"stage": "coder", "attempt": 1, "text": "Пишу"}
    assert [(chunk["type"], chunk.get("transient", False)) for chunk in chunks] == [
        ("data-status", True),
        ("data-stage", False),
        ("data-stage", False),
        ("data-source-change", True),
        ("data-usage", True),
    ]
    assert chunks[1]["data"] == {**stage, "state": "started"}
    assert chunks[2]["data"] == {**stage, "state": "failed"}
    assert chunks[1]["id"] == chunks[2]["id"] == "coder"


def test_other_choices_are_not_shown() -> None:
    chunks = chunks_of(*SAMPLES["several choices"])

    assert [chunk["delta"] for chunk in chunks if "delta" in chunk] == ["one"]
    assert chunks[-2] == {"type": "finish", "finishReason": "stop"}


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("stop", "stop"),
        ("length", "length"),
        ("content_filter", "content-filter"),
        ("tool_calls", "tool-calls"),
        ("eos", "other"),
        (None, "stop"),
    ],
)
def test_a_finish_has_the_clients_own_word_for_its_reason(reason: str | None, said: str) -> None:
    chunks = after_start(RunEnd(outcome="finished", finish_reason=reason))

    assert chunks == [{"type": "finish-step"}, {"type": "finish", "finishReason": said}, "[DONE]"]


def test_a_failed_run_is_an_error_and_ends_orderly() -> None:
    chunks = after_start(RunEnd(outcome="failed", code="upstream_lost", message="It went away."))

    assert chunks == [
        {"type": "error", "errorText": "It went away."},
        {"type": "finish-step"},
        {"type": "finish", "finishReason": "error"},
        "[DONE]",
    ]


def test_a_cancelled_run_is_an_abort() -> None:
    chunks = chunks_of(*SAMPLES["cancelled"])

    assert chunks[-2]["type"] == "abort"
    assert chunks[-1] == "[DONE]"


def test_a_replay_is_the_same_to_the_byte() -> None:
    events = store(SAMPLES["two calls at once"])

    assert encoder().encode(events) == encoder().encode(events)


def test_what_is_for_the_runs_own_agent_is_no_chunk() -> None:
    chunks = chunks_of(Data(name="journal/plan.1", data={"text": "a plan"}))

    assert [chunk for chunk in chunks if chunk["type"].startswith("data-")] == []
