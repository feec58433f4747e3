from typing import Any

import msgspec
import pytest

from potok.events.run_request import JsonObject, RunRequest, hash_of, last_user_text, text_of

BASE = RunRequest(
    model="m",
    messages=({"role": "user", "content": "x", "name": "n"},),
    parameters={"a": 1, "b": 2},
)


@pytest.mark.parametrize(
    "changed",
    [
        {"chat": "c"},
        {"on_disconnect": "cancel"},
        {"policy": {"a": 1}},
        {"language": "ru"},
        {"face": "openai-chat"},
        {"parameters": {"b": 2, "a": 1}},
        {"messages": ({"name": "n", "content": "x", "role": "user"},)},
    ],
)
def test_how_an_answer_is_read_makes_no_other_run(changed: dict[str, Any]) -> None:
    assert hash_of(msgspec.structs.replace(BASE, **changed)) == hash_of(BASE)


@pytest.mark.parametrize(
    "changed",
    [
        {"model": "other"},
        {"messages": ({"role": "user", "content": "y", "name": "n"},)},
        {"messages": ()},
        {"parameters": {"a": 1, "b": "2"}},
        {"agent": "a"},
        {"input": "x"},
    ],
)
def test_what_is_asked_for_makes_another_run(changed: dict[str, Any]) -> None:
    assert hash_of(msgspec.structs.replace(BASE, **changed)) != hash_of(BASE)


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ({"content": "x"}, "x"),
        ({"content": None}, ""),
        ({}, ""),
        ({"content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}, "ab"),
        ({"content": [{"type": "image_url", "image_url": {}}, {"text": 5}, "x"]}, ""),
    ],
)
def test_the_text_of_a_message(message: JsonObject, text: str) -> None:
    assert text_of(message) == text


def test_the_newest_words_of_the_user() -> None:
    roles = ["user", "assistant", "user", "assistant", "tool"]
    messages = tuple({"role": role, "content": str(at)} for at, role in enumerate(roles))

    assert last_user_text(RunRequest(messages=messages)) == "2"
    assert last_user_text(RunRequest(messages=messages[1:2])) == ""
