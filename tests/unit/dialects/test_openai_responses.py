import json
from typing import Any

import pytest
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

from potok.dialects.dialect import Encoder, Reading
from potok.dialects.openai_responses import FrameCounter, OpenAiResponsesSse
from potok.dialects.openai_responses_body import response_object, run_of_response
from potok.events.fold import Fold
from potok.events.kinds import (
    Event,
    PartDiscard,
    RunEnd,
    RunStart,
    TextDelta,
    TextEnd,
    TextStart,
    ToolDelta,
    ToolEnd,
    ToolStart,
)
from potok.testing.samples import CREATED, RUN, SAMPLES, store
from potok.wire.sse import SseDecoder

READING = Reading(run=RUN, model="demo", created=CREATED)
EVENT: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)
ASKED = {"instructions": "Be brief.", "metadata": {"a": "b"}, "background": True}

each_sample = pytest.mark.parametrize("sample", SAMPLES.values(), ids=SAMPLES.keys())


def encoder() -> Encoder:
    return OpenAiResponsesSse(ASKED).encoder(READING)


def events_of(*events: Event) -> list[Any]:
    body = b"".join(encoder().encode(store(events)))
    return [json.loads(frame.data) for frame in SseDecoder().feed(body)]


@each_sample
def test_every_event_is_valid_for_the_official_client(sample: tuple[Event, ...]) -> None:
    for event in events_of(*sample):
        checked = EVENT.validate_python(event, strict=True)

        assert checked.type == event["type"]
        assert type(checked).__name__.startswith("Response")


@each_sample
def test_numbers_count_the_events(sample: tuple[Event, ...]) -> None:
    numbers = [event["sequence_number"] for event in events_of(*sample)]

    assert numbers == list(range(len(numbers)))


@each_sample
def test_the_last_event_holds_what_is_retrieved_later(sample: tuple[Event, ...]) -> None:
    fold = Fold()
    for event in sample:
        fold.feed(event)
    last = events_of(*sample)[-1]

    retrieved = response_object(fold.message, asked=ASKED, reading=READING)

    Response.model_validate(retrieved, strict=True)
    if (last["response"]["error"] or {}).get("reason") != "part_discarded":
        assert last["response"] == retrieved


@each_sample
def test_items_add_up_to_the_output(sample: tuple[Event, ...]) -> None:
    events = events_of(*sample)

    done = [event for event in events if event["type"] == "response.output_item.done"]
    output = events[-1]["response"]["output"]

    if (events[-1]["response"]["error"] or {}).get("reason") != "part_discarded":
        ordered = sorted(done, key=lambda event: event["output_index"])
        assert [event["item"] for event in ordered] == output
        assert [event["output_index"] for event in ordered] == list(range(len(output)))


@each_sample
def test_a_number_is_found_at_the_place_of_its_event(sample: tuple[Event, ...]) -> None:
    events = store(sample)
    frames = encoder().encode(events)

    for number in range(len(frames)):
        counter = FrameCounter(encoder(), number)
        for stored in events:
            counter.feed([stored])
        assert counter.place is not None
        seen = [stored for stored in events if stored.offset <= counter.place.offset]
        again = encoder()
        rest = again.pass_over(seen, frame=counter.place.frame)
        rest += again.encode(events[len(seen) :])
        assert rest == frames[number + 1 :]


def test_a_number_that_no_event_has_is_found_nowhere() -> None:
    events = store(SAMPLES["an answer"])
    counter = FrameCounter(encoder(), len(encoder().encode(events)))

    counter.feed(events)

    assert counter.place is None


def test_a_response_repeats_what_was_asked() -> None:
    created = events_of(*SAMPLES["an answer"])[0]

    assert created["type"] == "response.created"
    assert created["response"]["instructions"] == "Be brief."
    assert created["response"]["metadata"] == {"a": "b"}
    assert created["response"]["tools"] == []
    assert created["response"]["id"] == f"resp_{RUN}"


def test_a_part_that_is_taken_back_before_its_first_word_costs_nothing() -> None:
    events = events_of(*SAMPLES["a part nobody saw is taken back"])

    assert events[-1]["type"] == "response.completed"
    assert [item["id"] for item in events[-1]["response"]["output"]] == [f"msg_{RUN}_0"]


def test_a_part_that_is_taken_back_later_fails_the_response() -> None:
    events = events_of(*SAMPLES["a part is taken back"])

    assert events[-1]["type"] == "response.failed"
    assert events[-1]["response"]["error"]["reason"] == "part_discarded"


def test_parts_are_shown_in_the_order_of_their_starts() -> None:
    events = events_of(
        RunStart(run=RUN, version=1, model="demo"),
        TextStart(part="t1"),
        ToolStart(call="c1", name="f"),
        ToolDelta(call="c1", text="{}"),
        TextDelta(part="t1", text="late"),
        TextEnd(part="t1"),
        ToolEnd(call="c1"),
        RunEnd(outcome="finished", finish_reason="tool_calls"),
    )

    kinds = [item["type"] for item in events[-1]["response"]["output"]]
    assert kinds == ["message", "function_call"]


@pytest.mark.parametrize(
    ("end", "kind", "status", "reason"),
    [
        (RunEnd(outcome="finished", finish_reason="stop"), "completed", "completed", None),
        (
            RunEnd(outcome="finished", finish_reason="length"),
            "incomplete",
            "incomplete",
            "max_output_tokens",
        ),
        (
            RunEnd(outcome="finished", finish_reason="content_filter"),
            "incomplete",
            "incomplete",
            "content_filter",
        ),
        (RunEnd(outcome="failed", code="upstream_lost", message="Lost."), "failed", "failed", None),
        (RunEnd(outcome="cancelled"), "incomplete", "cancelled", None),
    ],
)
def test_how_a_run_ends(end: RunEnd, kind: str, status: str, reason: str | None) -> None:
    last = events_of(RunStart(run=RUN, version=1, model="demo"), end)[-1]

    assert last["type"] == f"response.{kind}"
    assert last["response"]["status"] == status
    assert (last["response"]["incomplete_details"] or {}).get("reason") == reason


def test_a_discard_of_what_was_never_shown_changes_nothing() -> None:
    events = events_of(
        RunStart(run=RUN, version=1, model="demo"),
        TextStart(part="code", channel="code"),
        TextDelta(part="code", text="print()"),
        PartDiscard(part="code", reason="restart"),
        RunEnd(outcome="finished"),
    )

    assert [event["type"] for event in events[2:]] == ["response.completed"]


def test_only_a_responses_id_names_a_run() -> None:
    assert run_of_response(f"resp_{RUN}") == RUN
    assert run_of_response(RUN) == ""


def test_a_refusal_has_events_and_content_of_its_own() -> None:
    events = events_of(*SAMPLES["a refusal, and another choice"])

    said = [one["delta"] for one in events if one["type"] == "response.refusal.delta"]
    done = next(one for one in events if one["type"] == "response.refusal.done")
    assert (said, done["refusal"]) == (["I can", "not."], "I cannot.")
    assert events[-1]["response"]["output"][0]["content"] == [
        {"type": "refusal", "refusal": "I cannot."}
    ]
    assert not any(one["type"].startswith("response.output_text") for one in events)


def test_a_text_that_is_done_has_all_of_its_log_probabilities() -> None:
    events = events_of(*SAMPLES["logprobs and fields of another provider"])

    done = next(one for one in events if one["type"] == "response.output_text.done")
    part = events[-1]["response"]["output"][0]["content"][0]
    assert [entry["token"] for entry in done["logprobs"]] == ["Hi"]
    assert part["logprobs"] == done["logprobs"]
