from typing import Any

import pytest

from potok.dialects.openai_chat_request import parse_chat_request
from potok.errors import BodyTooLarge, RequestInvalid
from potok.events.run_request import hash_of
from potok.limits import MESSAGE_BYTES_MAX

HELLO = {"role": "user", "content": "Hello"}


def body(**fields: Any) -> dict[str, Any]:
    return {"model": "demo", "messages": [HELLO], **fields}


def test_a_request_becomes_a_run_of_this_face() -> None:
    parsed = parse_chat_request(body(temperature=0.5, strange={"a": 1}), language="ru")

    assert parsed.request.model == "demo"
    assert parsed.request.messages == (HELLO,)
    assert parsed.request.parameters == {"temperature": 0.5, "strange": {"a": 1}}
    assert parsed.request.on_disconnect == "cancel"
    assert parsed.request.face == "openai-chat"
    assert parsed.request.language == "ru"
    assert (parsed.stream, parsed.include_usage) == (False, False)


def test_a_stream_with_usage_is_the_same_run_as_a_whole_answer() -> None:
    whole = parse_chat_request(body(stream=False))
    stream = parse_chat_request(body(stream=True, stream_options={"include_usage": True}))

    assert (stream.stream, stream.include_usage) == (True, True)
    assert hash_of(stream.request) == hash_of(whole.request)


@pytest.mark.parametrize(
    "options", [None, {}, {"include_usage": None}, {"include_obfuscation": False}]
)
def test_usage_is_not_asked_for_by_other_options(options: Any) -> None:
    assert not parse_chat_request(body(stream=True, stream_options=options)).include_usage


def test_null_is_as_good_as_nothing() -> None:
    parsed = parse_chat_request(body(stream=None, temperature=None, stream_options=None))

    assert parsed == parse_chat_request(body())


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"model": None}, "model"),
        ({"messages": []}, "messages"),
        ({"messages": "Hello"}, "messages"),
        ({"messages": [HELLO, HELLO, {"role": "robot", "content": ""}]}, "messages[2].role"),
        ({"stream": "yes"}, "stream"),
        ({"stream_options": {"include_usage": True}}, "stream_options"),
        ({"stream": True, "stream_options": []}, "stream_options"),
        (
            {"stream": True, "stream_options": {"include_usage": 1}},
            "stream_options.include_usage",
        ),
        ({"n": 17}, "n"),
    ],
)
def test_the_field_at_fault_is_named_as_openai_names_it(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(RequestInvalid) as refusal:
        parse_chat_request(body(**fields))

    assert refusal.value.param == param


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"agent": "coder", "input": "x"}, "POST /api/runs"),
        ({"model": "m", "input": "x"}, "POST /v1/responses"),
        ({"model": "m", "prompt": "x"}, "`messages`, not `prompt`"),
        ({"model": "m"}, "`messages` must be"),
    ],
)
def test_a_body_of_another_protocol_is_told_where_to_go(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(RequestInvalid) as refusal:
        parse_chat_request(fields)

    assert words in refusal.value.message


def test_a_message_over_its_limit_is_named() -> None:
    large = {"role": "user", "content": "x" * MESSAGE_BYTES_MAX}

    with pytest.raises(BodyTooLarge, match=r"messages\[1\]"):
        parse_chat_request(body(messages=[HELLO, large]))


def calls(*names: str) -> dict[str, Any]:
    made = [
        {"id": name, "type": "function", "function": {"name": "f", "arguments": "{}"}}
        for name in names
    ]
    return {"role": "assistant", "tool_calls": made}


def result(name: str) -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": name, "content": "1"}


def test_results_of_tools_may_come_in_any_order_behind_their_calls() -> None:
    messages = [HELLO, calls("a", "b"), result("b"), result("a"), HELLO, calls("a"), result("a")]

    assert parse_chat_request(body(messages=messages)).request.messages == tuple(messages)


@pytest.mark.parametrize(
    ("messages", "param"),
    [
        ([HELLO, result("a")], "messages[1].tool_call_id"),
        ([HELLO, calls("a"), result("b")], "messages[2].tool_call_id"),
        ([HELLO, calls("a"), result("a"), result("a")], "messages[3].tool_call_id"),
        ([HELLO, calls("a")], "messages[1].tool_calls"),
        ([HELLO, calls("a", "b"), result("b"), HELLO], "messages[1].tool_calls"),
    ],
)
def test_calls_and_results_that_do_not_match_are_refused(
    messages: list[dict[str, Any]], param: str
) -> None:
    with pytest.raises(RequestInvalid) as refusal:
        parse_chat_request(body(messages=messages))

    assert refusal.value.param == param
