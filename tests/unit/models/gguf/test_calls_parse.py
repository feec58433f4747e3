"""Calls out of a stream of JSON text: valid events at every cut, honest ends."""

import json
from typing import Any

import pytest

from potok.events.grammar import GrammarChecker
from potok.events.kinds import (
    GRAMMAR_VERSION,
    Event,
    RunEnd,
    RunStart,
    TextDelta,
    ToolDelta,
    ToolEnd,
    ToolStart,
)
from potok.models.gguf.calls_parse import CallingParser
from potok.models.openai_chat_parse import OpenAiChatParser
from potok.models.openai_errors import Refusals
from potok.testing.chat_model_suite import fold_of
from tests.unit.models.gguf.replies import stream_of

CALLS = json.dumps(
    {
        "calls": [
            {"name": "weather", "arguments": {"city": "Псков"}},
            {"name": "now", "arguments": {}},
        ]
    },
    ensure_ascii=False,
)


def parse(*chunks: bytes) -> list[Event]:
    parser = CallingParser(
        OpenAiChatParser(refusals=Refusals(provider="gguf")), call_prefix="call-1"
    )
    events = [event for chunk in chunks for event in parser.feed(chunk)]
    if not parser.is_done:
        events += parser.finish()
    assert parser.fault is None
    checker = GrammarChecker()
    checker.admit(RunStart(run="01gguf0calls0parse0run0000", version=GRAMMAR_VERSION))
    for event in events:
        checker.admit(event)
    return events


def calls_of(events: list[Event]) -> list[tuple[str, str, Any]]:
    made: dict[str, list[str]] = {}
    for event in events:
        if isinstance(event, ToolStart):
            made[event.call] = [event.name, ""]
        elif isinstance(event, ToolDelta):
            made[event.call][1] += event.text
    return [(call, name, json.loads(text)) for call, (name, text) in made.items()]


WANTED = [("call-1-0-0", "weather", {"city": "Псков"}), ("call-1-0-1", "now", {})]


def test_calls_come_out_of_the_text_and_change_the_reason() -> None:
    events = parse(stream_of(*CALLS))

    assert calls_of(events) == WANTED
    assert isinstance(events[-1], RunEnd)
    assert events[-1].finish_reason == "tool_calls"
    assert fold_of(events).text == ""


def test_it_does_not_matter_where_the_bytes_were_cut() -> None:
    body = stream_of(CALLS[:40], CALLS[40:])

    for cut in range(0, len(body), 3):
        assert calls_of(parse(body[:cut], body[cut:])) == WANTED


def test_an_answer_is_text() -> None:
    events = parse(stream_of('{"ans', 'wer": "Да', ", \\", 'n нет"', "}"))

    assert fold_of(events).text == "Да, \n нет"
    assert isinstance(events[-1], RunEnd)
    assert events[-1].finish_reason == "stop"


def test_what_a_model_wrote_in_one_go_is_counted_once() -> None:
    events = parse(stream_of('{"answer": "', "a\\u0041b", '"}'))

    tokens = [event.tokens for event in events if isinstance(event, TextDelta)]
    assert sum(tokens) == 1


@pytest.mark.parametrize("length", range(len(CALLS)))
def test_a_call_that_the_limit_cut_says_so(length: int) -> None:
    events = parse(stream_of(CALLS[:length], reason="length"))

    begun = [event for event in events if isinstance(event, ToolStart)]
    ends = [event.cut for event in events if isinstance(event, ToolEnd)]
    assert len(begun) == len(ends)
    assert not any(ends[:-1])
    assert isinstance(events[-1], RunEnd)
    assert events[-1].finish_reason == "length"


def test_choices_are_kept_apart() -> None:
    parser = CallingParser(
        OpenAiChatParser(refusals=Refusals(provider="gguf"), choices=2), call_prefix="call-1"
    )
    body = stream_of(CALLS).removesuffix(b"data: [DONE]\n\n")
    events = parser.feed(body) + parser.feed(stream_of('{"answer":"no"}', choice=1))

    assert calls_of(events) == WANTED
    assert isinstance(events[-1], RunEnd)
    assert events[-1].finish_reasons == ("tool_calls", "stop")
    assert [e.part for e in events if isinstance(e, TextDelta)] == ["text-1.1"]
