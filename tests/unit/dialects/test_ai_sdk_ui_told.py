from typing import Any

import pytest

from potok.dialects.ai_sdk_ui_request import parse_ui_chat
from potok.dialects.ai_sdk_ui_told import told_in
from potok.events.run_request import ToldMessage
from potok.limits import NAME_CHARACTERS_MAX


def text(*words: str) -> list[dict[str, Any]]:
    return [{"type": "text", "text": one} for one in words]


BODY: dict[str, Any] = {
    "id": "chat-1",
    "trigger": "submit-message",
    "messages": [
        {"role": "system", "parts": text("Be brief.")},
        {"id": "u1", "role": "user", "parts": text("one", "two")},
        {
            "id": "msg_r1",
            "role": "assistant",
            "parts": [
                {"type": "reasoning", "text": "Hm."},
                *text("a", "b"),
                {"type": "tool-look", "toolCallId": "c1", "state": "output-available"},
            ],
        },
        {
            "id": "u2",
            "role": "user",
            "parts": [
                {"type": "file", "mediaType": "image/png", "url": "data:,"},
                {"type": "file", "mediaType": "text/plain", "filename": "a.txt", "url": "data:,"},
            ],
        },
    ],
}


def test_every_message_is_told_by_its_words_and_its_own_name() -> None:
    told = told_in(BODY)

    assert told.messages == (
        ToldMessage("system", "Be brief."),
        ToldMessage("user", "one\ntwo", "u1"),
        ToldMessage("assistant", "ab", "msg_r1"),
        ToldMessage("user", "[image/png]\n[a.txt]", "u2"),
    )
    assert not told.is_again


def test_what_is_told_is_what_a_model_is_shown() -> None:
    shown = parse_ui_chat(BODY).messages

    assert [one["content"] for one in shown[:3]] == ["Be brief.", "one\ntwo", "ab"]


@pytest.mark.parametrize(
    ("fields", "is_again"),
    [
        ({"trigger": "regenerate-message", "messageId": "msg_r1"}, True),
        ({"trigger": "regenerate-message"}, True),
        ({"messageId": "u1"}, True),
        ({"messageId": None}, False),
        ({"trigger": None}, False),
    ],
)
def test_an_edit_and_a_regeneration_want_one_more_answer(
    fields: dict[str, Any], is_again: bool
) -> None:
    assert told_in({**BODY, **fields}).is_again is is_again


@pytest.mark.parametrize("name", ["", "x" * (NAME_CHARACTERS_MAX + 1), 7, None])
def test_a_message_with_an_odd_id_has_no_name(name: object) -> None:
    told = told_in({"messages": [{"id": name, "role": "user", "parts": text("q")}]})

    assert told.messages == (ToldMessage("user", "q"),)
