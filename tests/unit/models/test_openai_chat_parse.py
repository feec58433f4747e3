from pathlib import Path

import pytest

from potok.errors import (
    FrameTooLarge,
    UpstreamLost,
    UpstreamMalformed,
    UpstreamRefused,
)
from potok.events.kinds import RunEnd, TextDelta, Usage
from potok.limits import UPSTREAM_REPLY_BYTES_MAX
from potok.models.openai_chat_parse import OpenAiChatParser
from potok.models.openai_errors import Refusals
from tests.unit.models.replies import Outcome, fold, parse_all, said

RECORDED = Path(__file__).parents[2] / "recorded"


def recorded(name: str) -> bytes:
    return (RECORDED / f"{name}.chunks").read_bytes()


def new_parser(*, choices: int = 1) -> OpenAiChatParser:
    return OpenAiChatParser(refusals=Refusals(provider="test"), choices=choices)


def parse(*chunks: bytes, choices: int = 1) -> Outcome:
    return parse_all(new_parser(choices=choices), *chunks)


def frame(delta: str, *, more: str = "") -> bytes:
    return b'data: {"choices":[{"index":0,"delta":%s%s}]}\n\n' % (delta.encode(), more.encode())


FINISH = b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'


def test_two_choices_keep_their_words_their_reasons_and_their_probabilities_apart() -> None:
    outcome = parse(recorded("openai/two-choices"), choices=2)

    message = fold(outcome.events)
    deltas = [event for event in outcome.events if isinstance(event, TextDelta)]
    assert [part.id for part in message.parts] == ["text-1", "text-1.1"]
    assert (message.text_of(0), message.text_of(1)) == ("Да.", "Нет, никогда")
    assert message.finish_reasons == ("stop", "length")
    assert [delta.logprobs["content"][0]["token"] for delta in deltas] == [
        *("Да", "Нет", ",", "."),
        " никогда",
    ]


def test_usage_comes_once_before_the_end_with_all_that_the_provider_counted() -> None:
    *_, usage, end = parse(recorded("openrouter/thinking")).events

    assert end == RunEnd(outcome="finished", finish_reason="stop")
    assert usage == Usage(
        prompt_tokens=10,
        completion_tokens=6,
        reasoning_tokens=2,
        cost=0.00012,
        extra={"completion_tokens_details": {"reasoning_tokens": 2}},
    )


def test_an_error_inside_a_stream_comes_after_the_text_before_it() -> None:
    outcome = parse(recorded("openrouter/error"))

    assert said(outcome.events).text == "Начало"
    assert isinstance(outcome.fault, UpstreamRefused)
    assert outcome.fault.status == 502
    assert "Provider returned error" in outcome.fault.message


@pytest.mark.parametrize(
    ("line", "status"),
    [
        (b'data: {"error": {"message": "slow down", "type": "rate_limit_error"}}', 429),
        (b'data: {"error": "it burns"}', 500),
        (b'data: {"object": "error", "message": "too long", "code": 400}', 400),
        (b'event: error\ndata: {"message": "no", "code": "401"}', 401),
        (b"event: error\ndata: gone", 500),
        (b'data: {"choices": [{"delta": {}, "finish_reason": "error"}]}', 500),
    ],
)
def test_every_way_to_report_an_error_in_a_stream_is_understood(line: bytes, status: int) -> None:
    outcome = parse(frame('{"content": "a"}'), line + b"\n\n")

    assert said(outcome.events).text == "a"
    assert isinstance(outcome.fault, UpstreamRefused)
    assert outcome.fault.status == status


@pytest.mark.parametrize(
    "frames",
    [
        b'data: {"choices": [{\n\n',
        b"data: hello\n\n",
        b'data: {"choices": {"a": 1}}\n\n',
        b'data: {"choices": [{"delta": "text"}]}\n\n',
        b"data: " + b"[" * 100_000 + b"\n\n",
        b"<!doctype html><title>Chat</title>",
    ],
)
def test_what_is_no_reply_is_malformed(frames: bytes) -> None:
    outcome = parse(frames)

    assert isinstance(outcome.fault, UpstreamMalformed)
    assert outcome.events == []


def test_text_before_a_malformed_frame_in_the_same_bytes_is_given() -> None:
    parser = new_parser()

    events = parser.feed(frame('{"content": "a"}') + b"data: {\n\n" + FINISH)

    assert said(events).text == "a"
    assert isinstance(parser.fault, UpstreamMalformed)
    assert parser.feed(FINISH) == []
    assert parser.finish() == []


@pytest.mark.parametrize("reply", [b"", b"\n\n", b": waiting\n\n", b"data: [DONE]\n\n"])
def test_a_reply_without_an_answer_is_lost(reply: bytes) -> None:
    outcome = parse(reply)

    assert isinstance(outcome.fault, UpstreamLost)
    assert outcome.events == []


def test_an_end_that_is_said_without_a_reason_is_an_end() -> None:
    assert said(parse(frame('{"content": "a"}'), b"data: [DONE]\n\n").events).reason == "stop"


def test_calls_whose_end_is_said_without_a_reason_are_to_be_made() -> None:
    call = '{"tool_calls": [{"index": 0, "id": "c", "function": {"name": "f", "arguments": ""}}]}'

    assert said(parse(frame(call), b"data: [DONE]\n\n").events).reason == "tool_calls"


def test_a_choice_without_its_reason_makes_the_reply_lost_even_if_the_other_is_finished() -> None:
    other = b'data: {"choices":[{"index":1,"delta":{"content":"b"}}]}\n\n'

    outcome = parse(frame('{"content": "a"}'), other, FINISH, choices=2)

    assert isinstance(outcome.fault, UpstreamLost)


def test_an_answer_is_known_to_be_whole_once_every_choice_asked_for_is_finished() -> None:
    parser = new_parser(choices=2)

    parser.feed(FINISH)
    assert not parser.is_answered
    parser.feed(b'data: {"choices":[{"index":1,"delta":{},"finish_reason":"stop"}]}\n\n')
    assert parser.is_answered


def test_nothing_after_the_end_is_read() -> None:
    parser = new_parser()

    parser.feed(frame('{"content": "a"}') + FINISH + b"data: [DONE]\n\n" + b"data: {\n\n")

    assert parser.is_done
    assert parser.fault is None
    assert parser.feed(b"data: {\n\n") == []


def test_heartbeats_roles_and_empty_pieces_give_no_event() -> None:
    parser = new_parser()

    assert parser.feed(b": ping\n\n") == []
    assert parser.feed(frame('{"role": "assistant", "content": ""}')) == []
    assert parser.feed(b'data: {"choices": [], "usage": null}\n\n') == []
    assert parser.feed(b'data: {"type": "ping"}\n\ndata:\n\n') == []
    assert parser.fault is None


def test_one_json_without_end_is_stopped_at_its_limit() -> None:
    parser = new_parser()
    parser.feed(b"{")

    parser.feed(b" " * UPSTREAM_REPLY_BYTES_MAX)

    assert isinstance(parser.fault, FrameTooLarge)
    assert parser.finish() == []


def test_text_before_a_frame_beyond_the_limit_is_given() -> None:
    parser = new_parser()

    events = parser.feed(frame('{"content": "a"}') + b"data: " + b"x" * (9 * 1024 * 1024))

    assert said(events).text == "a"
    assert isinstance(parser.fault, FrameTooLarge)


@pytest.mark.parametrize(
    "error", [b'{"error": {"message": "no", "code": 429}}', b'{"object": "error", "code": 429}']
)
def test_an_error_instead_of_a_reply_is_understood(error: bytes) -> None:
    fault = parse(error).fault

    assert isinstance(fault, UpstreamRefused)
    assert fault.status == 429


def test_a_half_of_a_letter_whose_other_half_never_comes_is_replaced_or_dropped() -> None:
    lone = frame('{"content": "a\\udf89b\\ud83c"}')

    outcome = parse(lone, frame('{"content": "c"}'), FINISH)

    assert said(outcome.events).text == "a\ufffdbc"


def test_a_whole_message_in_a_stream_counts_unless_it_repeats_the_deltas() -> None:
    whole = b'data: {"choices":[{"message":{"content":"ab"},"finish_reason":"stop"}]}\n\n'
    both = b'data: {"choices":[{"delta":{"content":"b"},"message":{"content":"ab"}}]}\n\n'

    assert said(parse(whole).events).text == "ab"
    assert said(parse(frame('{"content": "a"}'), both, FINISH).events).text == "ab"


@pytest.mark.parametrize("usage", ["{}", '{"prompt_tokens": null, "completion_tokens": "many"}'])
def test_odd_usage_is_no_fault(usage: str) -> None:
    counted = b'data: {"choices": [], "usage": %s}\n\n' % usage.encode()

    outcome = parse(frame('{"content": "a"}'), FINISH, counted)

    assert outcome.fault is None
    assert said(outcome.events).completion_tokens in (None, 0)


@pytest.mark.parametrize("end", [FINISH, b"data: [DONE]\n\n", b""])
def test_a_call_without_a_name_is_a_fault_however_the_stream_ends(end: bytes) -> None:
    call = frame('{"tool_calls": [{"index": 0, "id": "c", "function": {"arguments": "1"}}]}')

    outcome = parse(frame('{"content": "a"}'), call, end)

    assert isinstance(outcome.fault, UpstreamMalformed if end else UpstreamLost)
    assert not outcome.is_done


@pytest.mark.parametrize(
    "beside",
    ['"timings": {"predicted_n": "many"}', '"x_groq": {"usage": 7}', '"timings": {}'],
)
def test_odd_counts_of_a_server_of_its_own_kind_are_no_fault(beside: str) -> None:
    counted = b'data: {"choices": [], %s}\n\n' % beside.encode()

    outcome = parse(frame('{"content": "a"}'), FINISH, counted)

    assert outcome.fault is None
    assert said(outcome.events).completion_tokens is None
