import json
from typing import Any

import pytest
from openai.types.chat import ChatCompletionChunk

from potok.dialects.dialect import Encoder, Reading
from potok.dialects.openai_chat import OpenAiChatSse
from potok.errors import OffsetInvalid, RequestInvalid
from potok.events.kinds import (
    Event,
    PartDiscard,
    ReasoningDelta,
    RunEnd,
    TextDelta,
    TextStart,
    ToolDelta,
)
from potok.testing.samples import CREATED, RUN, SAMPLES, store
from potok.wire.sse import SseDecoder, encode_sse

START = SAMPLES["an answer"][0]
STOP = RunEnd(outcome="finished", finish_reason="stop")


def encoder(*, include_usage: bool = False, model: str = "demo") -> Encoder:
    reading = Reading(
        run=RUN, model=model, created=CREATED, ids_name_run=True, include_usage=include_usage
    )
    return OpenAiChatSse().encoder(reading)


def read(frames: list[bytes]) -> list[Any]:
    data = [frame.data for frame in SseDecoder().feed(b"".join(frames))]
    return [one if one == "[DONE]" else json.loads(one) for one in data]


def payloads(*events: Event, include_usage: bool = False) -> list[Any]:
    return read(encoder(include_usage=include_usage).encode(store(events)))


def deltas(chunks: list[Any], choice: int = 0) -> list[Any]:
    return [
        one["delta"]
        for chunk in chunks
        if chunk != "[DONE]"
        for one in chunk["choices"]
        if one["index"] == choice
    ]


def test_the_life_of_an_answer() -> None:
    first, *content, finish, done = payloads(*SAMPLES["an answer"])

    assert first == {
        "id": f"chatcmpl-{RUN}",
        "object": "chat.completion.chunk",
        "created": CREATED,
        "model": "demo",
        "choices": [{"index": 0, "delta": {"role": "assistant"}, "finish_reason": None}],
    }
    assert deltas(content) == [{"content": text} for text in ("Привет", ", ", "мир", "!")]
    assert finish["choices"] == [{"index": 0, "delta": {}, "finish_reason": "stop"}]
    assert done == "[DONE]"


def test_the_first_chunk_has_a_role_and_no_content_not_even_an_empty_one() -> None:
    (first, *_) = payloads(*SAMPLES["an answer"])

    assert first["choices"][0]["delta"] == {"role": "assistant"}


def test_ids_number_the_frames_of_an_event_that_has_several() -> None:
    frames = encoder(include_usage=True).encode(store(SAMPLES["an answer"]))

    ids = [SseDecoder().feed(frame)[0].id for frame in frames]

    places = ["1", "3", "4", "5", "6", "9.1", "9.2", "9.3"]
    assert ids == [f"{RUN}.{place}" for place in places]


def test_a_spliced_chunk_is_what_the_slow_way_writes() -> None:
    texts = ("Привет\u2028", "a\n\r\0", "")
    start, part = START, TextStart(part="t1")
    spliced = encoder().encode(
        store([start, part, *(TextDelta(part="t1", text=text) for text in texts)])
    )
    # An empty `extra` changes no byte, but takes the other way.
    built = encoder().encode(
        store([start, part, *(TextDelta(part="t1", text=text, extra={}) for text in texts)])
    )

    assert spliced == built


def test_the_models_name_cannot_break_a_frame() -> None:
    frames = encoder(model='x"\n\ndata: y\u2028').encode(store(SAMPLES["an answer"]))

    assert read(frames)[1]["model"] == 'x"\n\ndata: y\u2028'
    assert all(frame.count(b"\n") == 3 for frame in frames)


def test_usage_comes_only_if_asked_for() -> None:
    plain = payloads(*SAMPLES["an answer"])
    *chunks, usage, done = payloads(*SAMPLES["an answer"], include_usage=True)

    assert all("usage" not in chunk for chunk in plain[:-1])
    assert all(chunk["usage"] is None for chunk in chunks)
    assert usage["choices"] == []
    assert usage["usage"]["total_tokens"] == 19
    assert done == "[DONE]"


def test_usage_that_nobody_told_is_not_invented() -> None:
    chunks = payloads(*SAMPLES["an answer without a word"], include_usage=True)

    assert [chunk["choices"][0]["finish_reason"] for chunk in chunks[:-1]] == [None, "stop"]


def test_thinking_is_reasoning_content() -> None:
    said = deltas(payloads(*SAMPLES["thinking before the answer"]))

    assert said[1:3] == [{"reasoning_content": "2 and 2"}, {"reasoning_content": " is 4"}]
    assert said[3] == {"content": "It is "}


def test_calls_are_told_by_their_index() -> None:
    said = deltas(payloads(*SAMPLES["two calls at once"]))[2:]

    assert said[0]["tool_calls"] == [
        {
            "index": 0,
            "id": "call_a",
            "type": "function",
            "function": {"name": "weather", "arguments": ""},
        }
    ]
    assert said[1]["tool_calls"][0]["extra_content"] == {"sign": "x"}
    assert [delta["tool_calls"][0]["index"] for delta in said[:-1]] == [0, 1, 0, 1, 0, 1]
    assert said[-2]["tool_calls"] == [{"index": 1, "function": {"arguments": "}"}, "sign": "y"}]


def test_calls_of_several_models_are_counted_through() -> None:
    said = deltas(payloads(*SAMPLES["an agent's calls, each counted from 0"]))

    starts = [delta["tool_calls"][0] for delta in said if "id" in delta.get("tool_calls", [{}])[0]]

    assert [(call["index"], call["id"]) for call in starts] == [(0, "c1"), (1, "c2")]


def test_no_choice_appears_before_those_of_lower_index() -> None:
    chunks = payloads(*SAMPLES["several choices"])
    seen = [chunk["choices"][0]["index"] for chunk in chunks if chunk != "[DONE]"]

    first_places = [seen.index(choice) for choice in range(4)]

    assert first_places == sorted(first_places)
    assert [deltas(chunks, choice)[0] for choice in range(4)] == [{"role": "assistant"}] * 4


def test_every_choice_has_its_own_finish() -> None:
    chunks = payloads(*SAMPLES["several choices"])[:-1]

    ends = [chunk["choices"][0] for chunk in chunks if chunk["choices"][0]["finish_reason"]]

    assert [(end["index"], end["finish_reason"]) for end in ends] == [
        (0, "stop"),
        (1, "length"),
        (2, "stop"),
        (3, "tool_calls"),
    ]


def test_a_choice_without_a_word_is_finished_too() -> None:
    end = RunEnd(outcome="finished", finish_reason="stop", finish_reasons=("stop", "length"))

    chunks = payloads(START, end)[:-1]

    assert [chunk["choices"][0]["index"] for chunk in chunks] == [0, 1, 0, 1]
    assert chunks[1]["choices"][0]["delta"] == {"role": "assistant"}


def test_a_run_that_gave_no_reason_just_stopped() -> None:
    chunks = payloads(START, RunEnd(outcome="finished"))

    assert chunks[1]["choices"][0]["finish_reason"] == "stop"


def test_logprobs_and_unknown_fields_come_along_but_overwrite_nothing() -> None:
    chunks = payloads(*SAMPLES["logprobs and fields of another provider"])

    assert chunks[1]["choices"][0]["logprobs"]["content"][0]["token"] == "Hi"
    assert deltas(chunks)[2] == {"audio": None, "content": "!"}
    assert deltas(chunks)[3] == {
        "reasoning_details": [{"format": "x"}],
        "reasoning_content": "hm",
    }


def test_code_stages_and_data_have_no_chunk() -> None:
    said = deltas(payloads(*SAMPLES["stages, data and code"]))

    assert said == [{"role": "assistant"}, {"content": "Good."}, {}]


@pytest.mark.parametrize(
    ("sample", "code", "words"),
    [
        ("failed in the middle", "upstream_lost", "The provider went away."),
        ("failed before the first word", "upstream_unreachable", "No connection."),
        ("cancelled", "cancelled", "The run was cancelled; its text so far is kept."),
        ("a part is taken back", "part_discarded", None),
        ("the end of a part is taken back", "part_discarded", None),
    ],
)
def test_an_end_that_is_no_success_is_an_error_and_no_done(
    sample: str, code: str, words: str | None
) -> None:
    ending = encoder()
    last = read(ending.encode(store(SAMPLES[sample])))[-1]

    assert last["error"]["code"] == code
    assert last["error"]["param"] is None
    assert words is None or last["error"]["message"] == words
    assert ending.is_ended
    assert ending.ends_cleanly


def test_an_end_without_words_gets_some() -> None:
    (_, failed) = payloads(START, RunEnd(outcome="failed"))

    assert failed["error"]["code"] == "failed"
    assert failed["error"]["message"] == "The run failed."


def test_taking_back_what_nobody_saw_changes_nothing() -> None:
    said = deltas(payloads(*SAMPLES["a part nobody saw is taken back"]))

    assert said == [{"role": "assistant"}, {"content": "Right"}, {}]


def test_taking_back_hidden_code_changes_nothing() -> None:
    code = TextStart(part="c1", channel="code")
    words = [TextDelta(part="c1", text="x"), TextDelta(part="c1", text="y", extra={"a": 1})]

    chunks = payloads(START, code, *words, PartDiscard(part="c1", reason="restart"))

    assert deltas(chunks) == [{"role": "assistant"}]


@pytest.mark.parametrize(
    ("start", "delta"),
    [
        ("an answer", TextDelta(part="t1", text="x")),
        ("thinking before the answer", ReasoningDelta(part="r1", text="x")),
        ("two calls at once", ToolDelta(call="call_a", text="x")),
    ],
)
def test_a_reader_who_saw_a_part_before_its_break_is_told_when_it_is_taken_back(
    start: str, delta: Event
) -> None:
    name = str(getattr(delta, "part", "") or getattr(delta, "call", ""))
    seen = SAMPLES[start][: SAMPLES[start].index(_first_end(start, name))]
    resumed = encoder()
    resumed.pass_over(store([*seen, delta]))

    taken_back = store([PartDiscard(part=name, reason="restart")], first=50)
    (chunk,) = read(resumed.encode(taken_back))

    assert chunk["error"]["code"] == "part_discarded"


def _first_end(sample: str, name: str) -> Event:
    return next(
        event
        for event in SAMPLES[sample]
        if type(event).__name__.endswith("End") and name in repr(event)
    )


def test_a_reader_that_stopped_between_two_frames_of_the_end_gets_the_rest() -> None:
    events = store(SAMPLES["an answer"])
    whole = encoder(include_usage=True).encode(events)
    resumed = encoder(include_usage=True)

    rest = resumed.pass_over(events, frame=1)

    assert rest == whole[-2:]
    assert resumed.is_ended
    assert resumed.encode([]) == []


def test_a_frame_of_an_event_without_frames_is_refused() -> None:
    events = store(SAMPLES["an answer"])

    with pytest.raises(OffsetInvalid, match=r"'2\.1'.*has 0 frames"):
        encoder().pass_over(events[:2], frame=1)


def test_the_only_frame_of_an_event_may_be_named_by_its_number() -> None:
    events = store(SAMPLES["an answer"])

    assert encoder().pass_over(events[:3], frame=1) == []


def test_a_frame_holds_one_line_of_data_and_its_id_last() -> None:
    frames = encoder().encode(store(SAMPLES["hostile text"]))

    for frame in frames:
        data, identity, *blank = frame.split(b"\n")
        assert data.startswith(b"data: ")
        assert identity.startswith(b"id: ")
        assert blank == [b"", b""]
        assert frame == encode_sse(data=data[6:], id=identity[4:].decode())


def test_a_refused_request_gets_openais_shape() -> None:
    body = json.loads(OpenAiChatSse().encode_error(RequestInvalid("m", param="n")))

    assert body["error"]["type"] == "invalid_request_error"


def test_the_words_of_a_refusal_are_no_content() -> None:
    chunks = payloads(*SAMPLES["a refusal, and another choice"])

    assert deltas(chunks) == [
        {"role": "assistant"},
        {"refusal": "I can"},
        {"refusal": "not."},
        {},
    ]
    assert deltas(chunks, choice=1) == [
        {"role": "assistant"},
        {"content": "Fine"},
        {"content": "."},
        {},
    ]


def test_every_choice_has_the_life_of_an_answer() -> None:
    chunks = payloads(*SAMPLES["several choices"])

    for choice in range(4):
        first, *middle, last = deltas(chunks, choice=choice)
        assert first == {"role": "assistant"}
        assert middle
        assert last == {}
    finished = [one["finish_reason"] for chunk in chunks[:-1] for one in chunk["choices"]]
    assert [reason for reason in finished if reason] == ["stop", "length", "stop", "tool_calls"]


def test_every_chunk_is_valid_for_the_official_client() -> None:
    for sample in SAMPLES.values():
        for chunk in payloads(*sample, include_usage=True):
            if chunk != "[DONE]" and "error" not in chunk:
                assert ChatCompletionChunk.model_validate(chunk, strict=True).choices is not None
