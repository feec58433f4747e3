from pathlib import Path

import pytest

from potok.errors import FrameTooLarge, UpstreamLost, UpstreamMalformed, UpstreamRefused
from potok.events.kinds import (
    RunEnd,
    TextDelta,
    ToolEnd,
    ToolStart,
    Usage,
)
from potok.models.ollama_parse import OllamaParser
from potok.models.openai_errors import Refusals
from tests.unit.models.replies import Outcome, fold, parse_all, said

RECORDED = Path(__file__).parents[2] / "recorded" / "ollama"
DONE = b'{"message":{"role":"assistant","content":""},"done":true,"done_reason":"stop"}\n'


def recorded(name: str) -> bytes:
    return (RECORDED / f"{name}.chunks").read_bytes()


def new_parser() -> OllamaParser:
    return OllamaParser(refusals=Refusals(provider="test"))


def parse(*chunks: bytes) -> Outcome:
    return parse_all(new_parser(), *chunks)


def text(content: str) -> bytes:
    return b'{"message":{"role":"assistant","content":"%s"},"done":false}\n' % content.encode()


def test_an_answer_is_not_done_before_its_last_line_is_there() -> None:
    parser = new_parser()

    parser.feed(text("a"))
    assert not parser.is_answered
    parser.feed(DONE)
    assert parser.is_answered
    assert parser.is_done


def test_counts_and_pace_are_those_that_ollama_measured() -> None:
    *_, usage, end = parse(recorded("chat")).events

    assert end == RunEnd(outcome="finished", finish_reason="stop")
    assert usage == Usage(
        prompt_tokens=14,
        completion_tokens=6,
        tokens_per_second=50.0,
        extra={
            "total_duration": 5191566416,
            "load_duration": 2154458,
            "prompt_eval_duration": 383809000,
            "eval_duration": 120000000,
        },
    )


@pytest.mark.parametrize(
    "counts", ["", ',"eval_count":"many","prompt_eval_count":null', ',"eval_count":-1']
)
def test_missing_and_odd_counts_are_no_fault(counts: str) -> None:
    outcome = parse(text("a"), DONE.rstrip(b"}\n") + counts.encode() + b"}\n")

    assert outcome.fault is None
    assert not [event for event in outcome.events if isinstance(event, Usage)]


def test_a_count_without_its_time_gives_no_pace() -> None:
    *_, usage, _ = parse(text("a"), DONE.rstrip(b"}\n") + b',"eval_count":3}\n').events

    assert usage == Usage(completion_tokens=3)


def test_each_call_ends_before_the_next_one_begins() -> None:
    events = parse(recorded("chat-calls")).events

    assert [type(event) for event in events if isinstance(event, ToolStart | ToolEnd)] == [
        *(ToolStart, ToolEnd),
        *(ToolStart, ToolEnd),
    ]


def test_text_after_a_call_is_a_part_of_its_own() -> None:
    call = b'{"message":{"tool_calls":[{"function":{"name":"f","arguments":{}}}]}}\n'

    message = fold(parse(text("a"), call, text("b"), DONE).events)

    assert [part.id for part in message.parts] == ["text-1", "call-0", "text-2"]
    assert message.text == "ab"


def test_arguments_that_are_text_already_stay_as_they_are() -> None:
    call = b'{"message":{"tool_calls":[{"function":{"name":"f","arguments":"{\\"a\\": 1}"}}]}}\n'

    assert said(parse(call, DONE).events).calls == (("call-0", "f", '{"a": 1}'),)


def test_a_call_without_a_name_is_a_fault() -> None:
    outcome = parse(text("a"), b'{"message":{"tool_calls":[{"function":{}}]}}\n', DONE)

    assert isinstance(outcome.fault, UpstreamMalformed)
    assert not outcome.is_done


def test_an_error_line_comes_after_the_text_before_it() -> None:
    outcome = parse(recorded("chat-error"))

    assert said(outcome.events).text == "Начало"
    assert isinstance(outcome.fault, UpstreamRefused)
    assert outcome.fault.status == 500
    assert "CUDA error: out of memory" in outcome.fault.message


@pytest.mark.parametrize(
    ("line", "status"),
    [
        (b'{"error":"model \'m\' not found","status":404}', 404),
        (b'{"error":{"message":"no","code":429}}', 429),
        (b'{"error":""}', 500),
        (b'{"error":"gone","status":"odd"}', 500),
    ],
)
def test_an_error_has_the_status_that_stands_beside_it(line: bytes, status: int) -> None:
    for outcome in (parse(line + b"\n"), parse(line)):
        assert isinstance(outcome.fault, UpstreamRefused)
        assert outcome.fault.status == status


@pytest.mark.parametrize(
    "lines",
    [
        b"hello\n",
        b'{"message":\n',
        b'{"message":"text"}\n',
        b'{"response":1}\n',
        b"[]\n",
        b"[" * 100_000 + b"\n",
        b"\xff\xfe\n",
        b"<!doctype html>\n<title>Chat</title>\n",
        b"<html></html>",
    ],
)
def test_what_is_no_reply_is_malformed(lines: bytes) -> None:
    outcome = parse(lines)

    assert isinstance(outcome.fault, UpstreamMalformed)
    assert outcome.events == []


def test_text_before_a_malformed_line_in_the_same_bytes_is_given() -> None:
    parser = new_parser()

    events = parser.feed(text("a") + b"{\n" + DONE)

    assert said(events).text == "a"
    assert isinstance(parser.fault, UpstreamMalformed)
    assert parser.feed(DONE) == []
    assert parser.finish() == []


def test_text_before_a_line_beyond_the_limit_is_given() -> None:
    parser = new_parser()

    events = parser.feed(text("a") + b"x" * (9 * 1024 * 1024))

    assert said(events).text == "a"
    assert isinstance(parser.fault, FrameTooLarge)


@pytest.mark.parametrize("reply", [b"", b"\n \r\n"])
def test_a_reply_without_an_answer_is_lost(reply: bytes) -> None:
    outcome = parse(reply)

    assert isinstance(outcome.fault, UpstreamLost)
    assert outcome.events == []


@pytest.mark.parametrize("reason", ["stop", "load", "unload", ""])
def test_an_answer_of_no_words_is_an_answer(reason: str) -> None:
    outcome = parse(DONE.replace(b"stop", reason.encode()))

    assert outcome.events == [RunEnd(outcome="finished", finish_reason="stop")]


def test_a_reason_that_nobody_knows_is_passed_on() -> None:
    assert said(parse(DONE.replace(b"stop", b"tired")).events).reason == "tired"


def test_empty_pieces_give_no_event_and_unknown_fields_are_kept() -> None:
    parser = new_parser()

    assert parser.feed(text("") + b"\n\r\n" + b'{"response":"","thinking":null}\n') == []
    _, delta = parser.feed(b'{"message":{"content":"a","mood":"good"}}\n')

    assert isinstance(delta, TextDelta)
    assert delta.extra == {"mood": "good"}


def test_nothing_after_the_end_is_read() -> None:
    parser = new_parser()

    parser.feed(text("a") + DONE + b"nonsense\n")

    assert parser.is_done
    assert parser.fault is None
    assert parser.feed(b"nonsense\n") == []
    assert parser.finish() == []


@pytest.mark.parametrize("form", ['{"message":{"content":"%s"}}', '{"response":"%s"}'])
def test_halves_of_a_letter_meet_across_lines(form: str) -> None:
    lines = [(form % half).encode() + b"\n" for half in ("a\\ud83c", "\\udf89b")]

    assert said(parse(*lines, DONE).events).text == "a🎉b"


def test_probabilities_come_with_their_text() -> None:
    line = b'{"message":{"content":"a"},"logprobs":[{"token":"a","logprob":-0.5}]}\n'

    delta = parse(line, DONE).events[1]

    assert isinstance(delta, TextDelta)
    assert delta.logprobs == {"content": [{"token": "a", "logprob": -0.5}]}
