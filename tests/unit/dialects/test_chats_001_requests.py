from typing import Any

import pytest

from potok.dialects.chats_001_requests import id_in_path, parse_send, read_boolean, read_name
from potok.errors import BodyTooLarge, ChatNotFound, RequestInvalid
from potok.limits import MESSAGE_BYTES_MAX


def test_a_message_needs_only_its_text() -> None:
    wanted = parse_send({"content": " Привет "})

    assert (wanted.content, wanted.model, wanted.client_id) == (" Привет ", None, None)
    assert not wanted.has_parent


def test_a_parent_of_null_is_a_new_root() -> None:
    wanted = parse_send({"content": "x", "parent_id": None})

    assert (wanted.has_parent, wanted.parent_id) == (True, None)


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "content"),
        ({"content": ""}, "content"),
        ({"content": " \n"}, "content"),
        ({"content": 5}, "content"),
        ({"messages": []}, "content"),
        ({"content": "x", "model": 5}, "model"),
        ({"content": "x", "model": ""}, "model"),
        ({"content": "x", "client_id": "c" * 201}, "client_id"),
        ({"content": "x", "client_id": "c\0"}, "client_id"),
        ({"content": "x", "parent_id": "5"}, "parent_id"),
        ({"content": "x", "parent_id": True}, "parent_id"),
        ({"content": "x", "parent_id": -1}, "parent_id"),
        ({"content": "x", "parent_id": 10**15}, "parent_id"),
        ({"content": "x", "parent_id": 1.0}, "parent_id"),
    ],
)
def test_a_wrong_field_is_named(body: dict[str, Any], param: str) -> None:
    with pytest.raises(RequestInvalid) as refused:
        parse_send(body)

    assert refused.value.param == param


def test_a_text_is_bounded_in_bytes() -> None:
    with pytest.raises(BodyTooLarge):
        parse_send({"content": "я" * (MESSAGE_BYTES_MAX // 2 + 1)})


@pytest.mark.parametrize("text", ["", "x", "-1", "1.0", "٣", "9" * 16, "1 "])
def test_a_path_without_a_number_names_nothing(text: str) -> None:
    with pytest.raises(ChatNotFound):
        id_in_path(text, "chat")


def test_numbers_names_and_truths_are_read() -> None:
    assert id_in_path("0042", "chat") == 42
    assert read_name({"title": "t"}, "title") == "t"
    assert read_boolean({"archived": False}, "archived") is False
    assert read_boolean({}, "archived") is None
    with pytest.raises(RequestInvalid):
        read_boolean({"archived": "yes"}, "archived")
