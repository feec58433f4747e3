from typing import Any

import pytest

from potok.errors import BodyTooLarge, RequestInvalid
from potok.events.messages import ROLES, check_messages, json_word
from potok.limits import MESSAGE_BYTES_MAX, MESSAGES_MAX

CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}

GOOD: list[dict[str, Any]] = [
    {"role": "system", "content": ""},
    {"role": "developer", "content": "x", "strange": {"a": 1}},
    {"role": "user", "content": "x", "name": "n"},
    {"role": "user", "content": "x", "name": None, "tool_call_id": None},
    {"role": "user", "content": [{"type": "text", "text": "x"}]},
    {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:,"}}]},
    {"role": "user", "content": [{"type": "input_audio", "input_audio": 5}]},
    {"role": "assistant", "content": "x"},
    {"role": "assistant", "content": "x", "tool_calls": None},
    {"role": "assistant", "content": None, "tool_calls": [CALL]},
    {"role": "assistant", "tool_calls": [CALL, {"id": "d", "type": "custom", "custom": {}}]},
    {"role": "assistant", "refusal": "No."},
    {"role": "assistant", "function_call": {"name": "f", "arguments": ""}},
    {"role": "tool", "content": "x", "tool_call_id": "c"},
    {"role": "function", "content": None, "name": "f"},
]

BAD: list[tuple[object, str]] = [
    ("hi", ""),
    ({}, ".role"),
    ({"role": "robot", "content": "x"}, ".role"),
    ({"role": ["user"], "content": "x"}, ".role"),
    ({"role": "user"}, ".content"),
    ({"role": "user", "content": None}, ".content"),
    ({"role": "user", "content": 5}, ".content"),
    ({"role": "user", "content": []}, ".content"),
    ({"role": "user", "content": ["x"]}, ".content[0]"),
    ({"role": "user", "content": [{"type": "text", "text": "x"}, {}]}, ".content[1]"),
    ({"role": "user", "content": [{"type": 1}]}, ".content[0]"),
    ({"role": "user", "content": [{"type": "text"}]}, ".content[0].text"),
    (
        {"role": "user", "content": [{"type": "image_url", "image_url": "data:,"}]},
        ".content[0].image_url.url",
    ),
    (
        {"role": "user", "content": [{"type": "image_url", "image_url": {"url": 1}}]},
        ".content[0].image_url.url",
    ),
    ({"role": "user", "content": "x", "name": 5}, ".name"),
    ({"role": "assistant"}, ".content"),
    ({"role": "assistant", "content": None, "tool_calls": []}, ".content"),
    ({"role": "assistant", "content": "x", "tool_calls": {}}, ".tool_calls"),
    ({"role": "assistant", "tool_calls": ["x"]}, ".tool_calls[0]"),
    ({"role": "assistant", "tool_calls": [{"function": {}}]}, ".tool_calls[0]"),
    (
        {"role": "assistant", "tool_calls": [CALL, {"id": "d"}]},
        ".tool_calls[1].function.name",
    ),
    (
        {"role": "assistant", "tool_calls": [{"id": "d", "function": {"name": "f"}}]},
        ".tool_calls[0].function.arguments",
    ),
    ({"role": "tool", "content": "x"}, ".tool_call_id"),
    ({"role": "tool", "content": "x", "tool_call_id": ""}, ".tool_call_id"),
    ({"role": "tool", "tool_call_id": "c"}, ".content"),
    ({"role": "function", "content": "x"}, ".name"),
]


@pytest.mark.parametrize("message", GOOD, ids=lambda message: str(message)[:60])
def test_what_models_take_passes_unchanged(message: dict[str, Any]) -> None:
    assert check_messages([message]) == (message,)


@pytest.mark.parametrize(("message", "place"), BAD, ids=lambda value: str(value)[:60])
def test_the_place_of_a_fault_is_named(message: object, place: str) -> None:
    fine = {"role": "user", "content": "x"}

    with pytest.raises(RequestInvalid) as refusal:
        check_messages([fine, message])

    assert refusal.value.param == f"messages[1]{place}"
    assert f"`messages[1]{place}`" in refusal.value.message


def test_every_role_is_checked_somewhere_above() -> None:
    assert {message["role"] for message in GOOD} == set(ROLES)


@pytest.mark.parametrize("value", [None, "x", {}, 5, [], [{}] * (MESSAGES_MAX + 1)])
def test_there_must_be_a_list_of_messages_and_not_too_many(value: object) -> None:
    with pytest.raises(RequestInvalid, match="`history`") as refusal:
        check_messages(value, param="history")

    assert refusal.value.param == "history"


def test_a_message_is_measured_in_bytes() -> None:
    envelope = len('{"role":"user","content":""}')
    fits = {"role": "user", "content": "x" * (MESSAGE_BYTES_MAX - envelope)}
    over = {"role": "user", "content": "я" * (MESSAGE_BYTES_MAX // 2)}

    assert check_messages([fits]) == (fits,)
    with pytest.raises(BodyTooLarge, match=r"messages\[1\]") as refusal:
        check_messages([fits, over])
    assert refusal.value.limit_bytes == MESSAGE_BYTES_MAX


def test_a_sentence_never_says_what_a_message_said() -> None:
    with pytest.raises(RequestInvalid) as refusal:
        check_messages([{"role": "user", "content": {"secret": "secret"}}])

    assert "secret" not in refusal.value.message


@pytest.mark.parametrize(
    ("value", "word"),
    [
        (None, "null"),
        (True, "a boolean"),
        (1, "a number"),
        (1.5, "a number"),
        ("x", "a string"),
        ([], "an array"),
        ({}, "an object"),
    ],
)
def test_json_in_words(value: object, word: str) -> None:
    assert json_word(value) == word
